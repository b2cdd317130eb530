"""Memory: an agent edits its blocks, sees the edit in the next request, and concurrent writers lose nothing."""

import threading


def insert(text):
    return {"tool_calls": [{"name": "memory_insert", "arguments": {"label": "human", "new_string": text}}]}


def system_of(request):
    return request["messages"][0]["content"]


def test_an_edit_is_in_the_next_requests_system_prompt(client, model, agent):
    model.script(insert("Likes long walks."), {"text": "Noted."}, {"text": "You like long walks."})
    done = client.agents.messages.create(agent.id, input="I like long walks.")
    assert [m.message_type for m in done.messages] == ["tool_call_message", "tool_return_message", "assistant_message"]
    assert "Likes long walks." in done.messages[1].tool_return
    first, second = model.requests()[-2:]
    assert system_of(first) == system_of(second), "the prompt is frozen during a run"
    assert "long walks" not in system_of(second)

    client.agents.messages.create(agent.id, input="What do I like?")
    assert "Likes long walks." in system_of(model.requests()[-1])
    system = [m for m in client.agents.messages.list(agent.id, order="asc") if m.message_type == "system_message"]
    assert len(system) == 1, "message 0 keeps its place"


def test_block_rendering_is_byte_exact(client, model, agent):
    model.script({"text": "hi"})
    client.agents.messages.create(agent.id, input="hi")
    block = client.agents.blocks.retrieve("persona", agent_id=agent.id)
    expected = (
        f"<persona>\n<description>\n{block.description}\n</description>\n<metadata>\n- chars_current=10\n"
        f"- chars_limit={block.limit}\n</metadata>\n<value>\nI am calm.\n</value>\n</persona>"
    )
    assert expected in system_of(model.requests()[-1])


def test_a_patch_and_tool_edits_at_the_same_time_lose_nothing(client, model, agent, http):
    other = client.agents.create(model="openai/gpt-4.1", include_base_tools=True)
    shared = client.blocks.create(label="shared", value="start")
    for one in (agent, other):
        client.agents.blocks.attach(shared.id, agent_id=one.id)
    rounds = 10
    model.default({"text": "done"})

    def agent_writes(one, name):
        for number in range(rounds):
            client.agents.messages.create(one.id, input=f"SCRIPTED {name} {number}")

    # Each agent's message is answered by an insert of its own line; the fake model picks the reply by its text.
    for name in ("a", "b"):
        for number in range(rounds):
            model.script({
                "when": f"SCRIPTED {name} {number}",
                "tool_calls": [{
                    "name": "memory_insert", "arguments": {"label": "shared", "new_string": f"line-{name}-{number}."},
                }],
            })
    writers = [
        threading.Thread(target=agent_writes, args=(agent, "a")),
        threading.Thread(target=agent_writes, args=(other, "b")),
    ]
    for writer in writers:
        writer.start()
    for number in range(rounds):
        http.patch(f"/v1/blocks/{shared.id}", json={"description": f"description {number}"}).raise_for_status()
    for writer in writers:
        writer.join()

    block = client.blocks.retrieve(shared.id)
    missing = [f"line-{n}-{i}." for n in ("a", "b") for i in range(rounds) if f"line-{n}-{i}." not in block.value]
    assert missing == []
    assert block.description == f"description {rounds - 1}"


def test_read_only_blocks_and_limits_hold_for_tools(client, model, agent):
    human = client.agents.blocks.retrieve("human", agent_id=agent.id)
    client.blocks.update(human.id, read_only=True)
    model.script(insert("no"), {"text": "I may not."})
    done = client.agents.messages.create(agent.id, input="Remember.")
    assert done.messages[1].status == "error" and "read" in done.messages[1].tool_return.lower()

    client.blocks.update(human.id, read_only=False, limit=20)
    model.script(insert("far too long a line for this block"), {"text": "Too long."})
    done = client.agents.messages.create(agent.id, input="Remember.")
    assert done.messages[1].status == "error" and "20" in done.messages[1].tool_return
    assert client.blocks.retrieve(human.id).value == "Name: Timber."


def test_conversation_search_finds_and_honours_dates(client, model, agent):
    model.script({"text": "A fine bird."})
    client.agents.messages.create(agent.id, input="I saw a kingfisher at the river.")
    search = lambda **args: {"tool_calls": [{"name": "conversation_search", "arguments": args}]}  # noqa: E731
    model.script(search(query="kingfisher"), {"text": "found"})
    done = client.agents.messages.create(agent.id, input="Which bird?")
    assert "kingfisher at the river" in done.messages[1].tool_return
    model.script(search(query="kingfisher", end_date="2001-01-01"), {"text": "nothing"})
    done = client.agents.messages.create(agent.id, input="And before 2001?")
    assert "No results found" in done.messages[1].tool_return
