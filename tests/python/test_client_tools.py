"""Client tools end to end: the agent asks, the client answers, the agent goes on and remembers."""

import json

import pytest
from letta_client import ConflictError, BadRequestError, Letta

from support.programs import TOKEN

CODE = "BLUE-HERON-42"
GET_CODE = {
    "name": "get_secret_code",
    "description": "Returns the secret code for a word.",
    "parameters": {
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
    },
}


def call(word="heron", name="get_secret_code"):
    return {"name": name, "arguments": {"word": word}}


def kinds(messages):
    return [message.message_type for message in messages]


def answer(tool_call_id, value=CODE, status="success"):
    return {
        "type": "approval",
        "approvals": [{"type": "tool", "tool_call_id": tool_call_id, "tool_return": value, "status": status}],
    }


def pause(client, model, agent, *calls):
    model.script({"tool_calls": list(calls or [call()])})
    paused = client.agents.messages.create(
        agent.id, input="What is the secret code for heron?", client_tools=[GET_CODE]
    )
    assert paused.stop_reason.stop_reason == "requires_approval"
    [request] = [m for m in paused.messages if m.message_type == "approval_request_message"]
    return request


def envelope(message):
    """The JSON a model reads as a tool's return."""
    return json.loads(message["content"])


def test_the_whole_flow(client, model, agent):
    request = pause(client, model, agent)
    assert request.tool_call.name == "get_secret_code"
    assert json.loads(request.tool_call.arguments) == {"word": "heron"}
    offered = {tool["function"]["name"] for tool in model.requests()[-1]["tools"]}
    assert "get_secret_code" in offered

    model.script({"text": f"The code is {CODE}."})
    done = client.agents.messages.create(
        agent.id, messages=[answer(request.tool_call.tool_call_id)], client_tools=[GET_CODE]
    )
    assert done.stop_reason.stop_reason == "end_turn"
    assert kinds(done.messages) == ["tool_return_message", "assistant_message"]
    assert done.messages[0].tool_return == CODE
    assert done.messages[1].content == f"The code is {CODE}."
    seen = model.requests()[-1]["messages"]
    assert seen[-1]["role"] == "tool"
    assert envelope(seen[-1])["status"] == "OK"
    assert envelope(seen[-1])["message"] == CODE
    assert seen[-2]["role"] == "assistant" and len(seen[-2]["tool_calls"]) == 1

    model.script({"text": f"It was {CODE}."})
    later = client.agents.messages.create(agent.id, input="Which code was it again?")
    assert later.messages[-1].content == f"It was {CODE}."
    assert any(CODE in str(message.get("content")) for message in model.requests()[-1]["messages"])

    history = list(client.agents.messages.list(agent.id, order="asc", limit=100))
    assert kinds(history) == [
        "system_message", "user_message", "approval_request_message", "approval_response_message",
        "tool_return_message", "assistant_message", "user_message", "assistant_message",
    ] or kinds(history) == [
        "system_message", "user_message", "approval_request_message",
        "tool_return_message", "assistant_message", "user_message", "assistant_message",
    ]


def test_it_survives_a_kill_between_pause_and_answer(server, client, model, agent):
    request = pause(client, model, agent)
    server.restart()
    again = Letta(base_url=server.url, api_key=TOKEN, max_retries=0)
    waiting = again.agents.retrieve(agent.id, include=["agent.pending_approval"])
    assert waiting.pending_approval.id == request.id
    model.script({"text": f"The code is {CODE}."})
    done = again.agents.messages.create(agent.id, messages=[answer(request.tool_call.tool_call_id)])
    assert done.messages[-1].content == f"The code is {CODE}."


@pytest.mark.parametrize("tokens", [False, True], ids=["steps", "tokens"])
def test_streaming(client, model, agent, tokens):
    def stream(**body):
        return list(client.agents.messages.stream(agent.id, stream_tokens=tokens, client_tools=[GET_CODE], **body))

    model.script({"text": "Let me look.", "tool_calls": [call()]})
    chunks = stream(messages=[{"role": "user", "content": "What is the code?"}])
    assert kinds(chunks)[-2:] == ["stop_reason", "usage_statistics"]
    assert chunks[-2].stop_reason == "requires_approval"
    requests = [c for c in chunks if c.message_type == "approval_request_message"]
    arguments = "".join(c.tool_call.arguments or "" for c in requests)
    assert json.loads(arguments) == {"word": "heron"}
    ids = {c.tool_call.tool_call_id for c in requests if c.tool_call.tool_call_id}
    assert len(ids) == 1

    model.script({"text": f"The code is {CODE}."})
    chunks = stream(messages=[answer(ids.pop())])
    text = "".join(c.content for c in chunks if c.message_type == "assistant_message")
    assert text == f"The code is {CODE}."
    assert [c for c in chunks if c.message_type == "stop_reason"][0].stop_reason == "end_turn"


def test_in_a_conversation(client, model, agent):
    conversation = client.conversations.create(agent_id=agent.id)
    model.script({"tool_calls": [call()]})
    chunks = list(client.conversations.messages.create(
        conversation.id, input="What is the code?", client_tools=[GET_CODE], streaming=True,
    ))
    [request] = [c for c in chunks if c.message_type == "approval_request_message"]
    model.script({"text": f"The code is {CODE}."})
    chunks = list(client.conversations.messages.create(
        conversation.id, messages=[answer(request.tool_calls[0].tool_call_id)], streaming=True,
    ))
    assert [c.content for c in chunks if c.message_type == "assistant_message"] == [f"The code is {CODE}."]
    listed = kinds(client.conversations.messages.list(conversation.id, order="asc"))
    assert "approval_request_message" in listed and listed[-1] == "assistant_message"
    default = kinds(client.agents.messages.list(agent.id, conversation_id="default", order="asc"))
    assert default == ["system_message"]


def test_parallel_calls_are_answered_as_one_set(client, model):
    agent = client.agents.create(
        model="openai/gpt-4.1", parallel_tool_calls=True, memory_blocks=[{"label": "human", "value": "Timber"}]
    )
    request = pause(client, model, agent, call("heron"), call("crane"))
    first, second = [one.tool_call_id for one in request.tool_calls]

    with pytest.raises(BadRequestError) as refused:
        client.agents.messages.create(agent.id, messages=[answer(first)])
    assert f"Invalid tool call IDs. Expected '['{first}', '{second}']', but received '['{first}']'." in str(refused.value)

    model.script({"text": "Both done."})
    done = client.agents.messages.create(agent.id, messages=[{
        "type": "approval",
        "approvals": [
            {"type": "tool", "tool_call_id": first, "tool_return": "one", "status": "success"},
            {"type": "tool", "tool_call_id": second, "tool_return": "it broke", "status": "error"},
        ],
    }])
    [returned] = [m for m in done.messages if m.message_type == "tool_return_message"]
    assert [(r.tool_call_id, r.tool_return, r.status) for r in returned.tool_returns] == [
        (first, "one", "success"), (second, "it broke", "error"),
    ]


def test_mixed_calls_run_nothing_before_the_answer(client, model):
    agent = client.agents.create(
        model="openai/gpt-4.1", parallel_tool_calls=True, memory_blocks=[{"label": "human", "value": "Timber"}]
    )
    model.script({"tool_calls": [
        {"name": "memory_insert", "arguments": {"label": "human", "new_string": "likes rain"}}, call(),
    ]})
    paused = client.agents.messages.create(agent.id, input="Go.", client_tools=[GET_CODE])
    assert kinds(paused.messages) == ["tool_call_message", "approval_request_message"]
    assert client.agents.blocks.retrieve("human", agent_id=agent.id).value == "Timber"

    model.script({"text": "Done."})
    gated = paused.messages[1].tool_calls[0].tool_call_id
    done = client.agents.messages.create(agent.id, messages=[answer(gated)])
    [returned] = [m for m in done.messages if m.message_type == "tool_return_message"]
    assert [r.tool_call_id for r in returned.tool_returns] == [gated, paused.messages[0].tool_calls[0].tool_call_id]
    assert "likes rain" in client.agents.blocks.retrieve("human", agent_id=agent.id).value


def test_a_denial_reaches_the_agent(client, model, agent):
    request = pause(client, model, agent)
    model.script({"text": "Then I will not."})
    done = client.agents.messages.create(agent.id, messages=[{
        "type": "approval",
        "approvals": [{
            "type": "approval", "tool_call_id": request.tool_call.tool_call_id, "approve": False, "reason": "not today",
        }],
    }])
    assert done.stop_reason.stop_reason == "end_turn"
    returned = envelope(model.requests()[-1]["messages"][-1])
    assert returned["status"] == "Failed"
    assert returned["message"] == "Error: request to call tool denied. User reason: not today"


def test_a_message_while_waiting_is_refused_and_the_answer_still_works(client, model, agent):
    request = pause(client, model, agent)
    with pytest.raises(ConflictError) as refused:
        client.agents.messages.create(agent.id, input="Hello?")
    body = refused.value.body
    assert body["detail"]["code"] == "PENDING_APPROVAL"
    assert body["detail"]["pending_request_id"] == request.id
    assert "waiting for approval" in body["detail"]["message"]
    assert refused.value.response.headers["x-should-retry"] == "false"
    model.script({"text": "ok"})
    done = client.agents.messages.create(agent.id, messages=[answer(request.tool_call.tool_call_id)])
    assert done.messages[-1].content == "ok"


def test_sending_the_same_answer_again_is_not_an_error(client, model, agent):
    request = pause(client, model, agent)
    model.script({"text": "first"}, {"text": "second"})
    for expected in ("first", "second"):
        done = client.agents.messages.create(agent.id, messages=[answer(request.tool_call.tool_call_id)])
        assert done.messages[-1].content == expected
    returns = [m for m in client.agents.messages.list(agent.id, limit=100) if m.message_type == "tool_return_message"]
    assert len(returns) == 1


def test_an_answer_to_nothing_says_so(client, agent):
    with pytest.raises(BadRequestError) as refused:
        client.agents.messages.create(agent.id, messages=[answer("call_nothing")])
    assert (
        "Cannot process approval response: No tool call is currently awaiting approval. "
        "Please send a regular message to interact with the agent."
    ) in str(refused.value)


def test_cancelling_frees_a_waiting_agent(client, model, agent):
    pause(client, model, agent)
    client.agents.messages.cancel(agent.id)
    model.script({"text": "Here again."})
    done = client.agents.messages.create(agent.id, input="Still there?")
    assert done.messages[-1].content == "Here again."
    seen = model.requests()[-1]["messages"]
    calls = [c["id"] for m in seen for c in (m.get("tool_calls") or [])]
    returns = [m["tool_call_id"] for m in seen if m["role"] == "tool"]
    assert calls == returns


def test_a_client_tool_hides_a_server_tool_of_its_name(client, model, agent):
    shadow = {"name": "memory_insert", "description": "mine", "parameters": {"type": "object", "properties": {}}}
    model.script({"tool_calls": [{"name": "memory_insert", "arguments": {"label": "human", "new_string": "x"}}]})
    paused = client.agents.messages.create(agent.id, input="Go.", client_tools=[shadow])
    assert paused.stop_reason.stop_reason == "requires_approval"
    offered = [t["function"] for t in model.requests()[-1]["tools"] if t["function"]["name"] == "memory_insert"]
    assert [t["description"] for t in offered] == ["mine"]


def test_a_server_tool_behind_approval_runs_only_when_allowed(client, model, agent):
    client.agents.tools.update_approval("memory_insert", agent_id=agent.id, body_requires_approval=True)
    insert = {"name": "memory_insert", "arguments": {"label": "human", "new_string": "Likes herons."}}
    model.script({"tool_calls": [insert]})
    paused = client.agents.messages.create(agent.id, input="Remember.")
    assert paused.stop_reason.stop_reason == "requires_approval"
    [request] = [m for m in paused.messages if m.message_type == "approval_request_message"]
    assert "herons" not in client.agents.blocks.retrieve("human", agent_id=agent.id).value
    model.script({"text": "Noted."})
    done = client.agents.messages.create(agent.id, messages=[{
        "type": "approval",
        "approvals": [{"type": "approval", "tool_call_id": request.tool_call.tool_call_id, "approve": True}],
    }])
    assert done.stop_reason.stop_reason == "end_turn"
    assert "Likes herons." in client.agents.blocks.retrieve("human", agent_id=agent.id).value
