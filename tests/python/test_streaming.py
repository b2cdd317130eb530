"""Streams: order, ids, pings, errors, a dropped client, and resuming exactly where one stopped."""

import json
import threading

import pytest


def frames(response):
    """(event name, data) of each SSE frame, as they come."""
    name, data = None, []
    for line in response.iter_lines():
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].strip())
        elif not line and data:
            yield name, "\n".join(data)
            name, data = None, []


def read(response, rest=None):
    """All JSON events of a stream (or of what is left of its frames) and whether it closed with [DONE]."""
    events, done = [], False
    for name, data in rest or frames(response):
        if data == "[DONE]":
            done = True
        else:
            assert not done, "nothing comes after [DONE]"
            events.append(json.loads(data) | ({"_event": name} if name else {}))
    return events, done


def stream(http, agent_id, path="messages", **body):
    body = {"streaming": True, "input": "Hello"} | body
    with http.stream("POST", f"/v1/agents/{agent_id}/{path}", json=body) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        return read(response)


def stored(client, agent):
    return list(client.agents.messages.list(agent.id, order="asc", limit=100))


INSERT = {"name": "memory_insert", "arguments": {"label": "human", "new_string": "Likes tea."}}


def test_step_mode_gives_whole_messages_in_order_with_their_stored_ids(http, client, model, agent):
    model.script({"reasoning": "Tea, I see.", "text": "Let me note it.", "tool_calls": [INSERT]}, {"text": "Noted."})
    events, done = stream(http, agent.id)
    assert done
    kinds = [event["message_type"] for event in events]
    assert kinds == [
        "ping", "reasoning_message", "assistant_message", "tool_call_message", "tool_return_message",
        "assistant_message", "stop_reason", "usage_statistics",
    ]
    assert events[0]["run_id"].startswith("run-") and events[0]["id"].startswith("ping-")
    assert all(event["seq_id"] is None for event in events[1:6])
    assert {event["run_id"] for event in events[:6]} == {events[0]["run_id"]}
    said = {(e["id"], e["otid"], e["message_type"]) for e in events[1:6]}
    kept = {(m.id, m.otid, m.message_type) for m in stored(client, agent)}
    assert said <= kept
    assert len({e["id"] for e in events[1:4]}) == 1 and len({e["otid"] for e in events[1:4]}) == 3
    usage = events[-1]
    assert usage["step_count"] == 2 and usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_token_mode_gives_deltas_that_add_up_to_what_is_stored(http, client, model, agent):
    model.script({"reasoning": "Tea, I see.", "text": "Let me note it.", "tool_calls": [INSERT]}, {"text": "Noted, with care."})
    events, done = stream(http, agent.id, stream_tokens=True)
    assert done
    joined = {}
    for event in events:
        key = (event.get("id"), event.get("otid"), event["message_type"])
        match event["message_type"]:
            case "assistant_message":
                joined[key] = joined.get(key, "") + event["content"]
            case "reasoning_message":
                joined[key] = joined.get(key, "") + event["reasoning"]
            case "tool_call_message":
                assert isinstance(event["tool_calls"], dict), "one object in deltas, not a list"
                joined[key] = joined.get(key, "") + (event["tool_call"].get("arguments") or "")
    kept = {}
    for message in stored(client, agent):
        text = {
            "assistant_message": lambda m: m.content, "reasoning_message": lambda m: m.reasoning,
            "tool_call_message": lambda m: m.tool_calls[0].arguments,
        }.get(message.message_type)
        if text:
            kept[(message.id, message.otid, message.message_type)] = text(message)
    assert set(joined) == set(kept)
    for key, text in joined.items():
        if key[2] == "tool_call_message":
            assert json.loads(text) == json.loads(kept[key])
        else:
            assert text == kept[key]
    assert sum(event["message_type"] == "assistant_message" for event in events) > 2, "it really comes in pieces"


def test_no_pings_when_not_wanted_and_types_can_be_chosen(http, model, agent):
    model.script({"tool_calls": [INSERT]}, {"text": "Noted."})
    events, _ = stream(http, agent.id, include_pings=False, include_return_message_types=["assistant_message"])
    assert [event["message_type"] for event in events] == ["assistant_message", "stop_reason", "usage_statistics"]


def test_a_failing_model_is_an_error_frame_and_a_failed_run(http, client, model, agent):
    model.default({"status": 400, "error": {"message": "the model does not like it", "type": "invalid_request_error"}})
    events, done = stream(http, agent.id)
    assert done
    stop, error = events[-2:]
    assert stop["message_type"] == "stop_reason" and stop["stop_reason"] in ("error", "llm_api_error")
    assert error["_event"] == "error" and error["message_type"] == "error_message"
    assert error["error_type"] == "llm_bad_request"
    assert "does not like it" in json.dumps(error)
    run = client.runs.retrieve(error["run_id"])
    assert run.status == "failed"
    assert run.metadata["error"]["error_type"] == "llm_bad_request"
    assert [m.message_type for m in stored(client, agent)] == ["system_message", "user_message"], "the input is kept"


def test_a_stream_cut_half_way_is_an_error_never_a_silent_end(http, client, model, agent):
    model.script({"text": "This sentence will never be heard to its end.", "cut_after_bytes": 600})
    events, done = stream(http, agent.id, stream_tokens=True)
    assert done
    assert events[-1]["message_type"] == "error_message" and events[-1]["error_type"] == "stream_incomplete"
    model.script({"text": "I am back."})
    assert client.agents.messages.create(agent.id, input="Again?").messages[-1].content == "I am back."


def test_a_client_that_leaves_stops_nothing(http, client, model, agent):
    model.script({"text": "Said to an empty room.", "hold": True})
    with http.stream(
        "POST", f"/v1/agents/{agent.id}/messages", json={"streaming": True, "input": "Hello", "stream_tokens": True}
    ) as response:
        run_id = json.loads(next(frames(response))[1])["run_id"]
    assert client.runs.retrieve(run_id).status == "running"
    model.release()
    with http.stream("GET", f"/v1/runs/{run_id}") as response:
        assert response.status_code == 200
    wait_for_end(client, run_id)
    assert client.runs.retrieve(run_id).status == "completed"
    assert stored(client, agent)[-1].content == "Said to an empty room."


def wait_for_end(client, run_id):
    """Until the run has ended, by asking; gives up after 20 s."""
    waiter = threading.Event()
    for _ in range(400):
        if client.runs.retrieve(run_id).status not in ("created", "running"):
            return
        waiter.wait(0.05)
    raise AssertionError("the run did not end")


def resume(http, run_id, starting_after):
    with http.stream("POST", f"/v1/runs/{run_id}/stream", json={"starting_after": starting_after}) as response:
        assert response.status_code == 200, response.read()
        return read(response)


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_resuming_gives_exactly_the_missing_events(server, http, client, model, agent, restart):
    model.script({"tool_calls": [INSERT]}, {"text": "Noted, and kept for good."})
    events, done = stream(http, agent.id, background=True, stream_tokens=True)
    assert done
    numbered = [event["seq_id"] for event in events if event.get("seq_id") is not None]
    assert numbered[0] == 1 and numbered == sorted(set(numbered))
    if restart:
        server.restart()
        http.base_url = server.url
    run_id = events[0]["run_id"]
    for cut in (0, 1, numbered[len(numbered) // 2], numbered[-1]):
        again, done = resume(http, run_id, cut)
        assert done
        missing = [event for event in events if event.get("seq_id") is None or event["seq_id"] > cut]
        assert without_pings(again) == without_pings(missing)


def without_pings(events):
    return [event for event in events if event["message_type"] != "ping"]


def test_resuming_while_it_runs_follows_to_the_end(http, client, model, agent):
    model.script({"text": "First and last.", "hold": True})
    with http.stream(
        "POST", f"/v1/agents/{agent.id}/messages",
        json={"streaming": True, "background": True, "stream_tokens": True, "input": "Hello"},
    ) as response:
        run_id = json.loads(next(frames(response))[1])["run_id"]
    got = {}
    reader = threading.Thread(target=lambda: got.update(events=resume(http, run_id, 0)))
    reader.start()
    model.release()
    reader.join(timeout=20)
    events, done = got["events"]
    assert done
    assert "".join(e["content"] for e in events if e["message_type"] == "assistant_message") == "First and last."


def test_a_repeated_background_send_replays_and_does_not_repeat(http, client, model, agent):
    conversation = client.conversations.create(agent_id=agent.id)
    model.script({"text": "Only once."}, {"text": "Twice!"})
    body = {
        "streaming": True, "background": True,
        "messages": [{"role": "user", "content": "Hello", "otid": "0b9c8a52-7c4d-4a57-9d0c-111111111111"}],
    }
    runs = []
    for _ in range(2):
        with http.stream("POST", f"/v1/conversations/{conversation.id}/messages", json=body) as response:
            events, done = read(response)
            assert done
            runs.append(events)
    assert runs[0][0]["run_id"] == runs[1][0]["run_id"]
    assert without_pings(runs[0]) == without_pings(runs[1])
    listed = [m.message_type for m in client.conversations.messages.list(conversation.id, order="asc")]
    assert listed.count("user_message") == 1


def test_a_busy_conversation_refuses_a_second_stream(http, client, model, agent):
    conversation = client.conversations.create(agent_id=agent.id)
    model.script({"text": "Busy.", "hold": True})
    path = f"/v1/conversations/{conversation.id}/messages"
    with http.stream("POST", path, json={"input": "one"}) as response:
        rest = frames(response)
        run_id = json.loads(next(rest)[1])["run_id"]
        second = http.post(path, json={"input": "two"})
        assert second.status_code == 409
        assert second.json()["run_id"] == run_id
        assert second.json()["detail"] == (
            f"CONFLICT: Cannot send a new message: Another request (run_id={run_id}) is currently being processed "
            "for this conversation. Please wait for it to complete."
        )
        assert second.headers["x-should-retry"] == "false"
        model.release()
        events, done = read(response, rest)
    assert done and events[-2]["stop_reason"] == "end_turn"


def test_cancelling_keeps_what_was_said(http, client, model, agent):
    model.script({"text": "A long answer that is never finished.", "hold": True})
    with http.stream(
        "POST", f"/v1/agents/{agent.id}/messages", json={"streaming": True, "stream_tokens": True, "input": "Go on"}
    ) as response:
        events = frames(response)
        run_id = json.loads(next(events)[1])["run_id"]
        assert http.post(f"/v1/agents/{agent.id}/messages/cancel", json={"run_ids": [run_id]}).json() == {run_id: "cancelled"}
        rest = [data for _, data in events]
    assert rest[-1] == "[DONE]"
    assert any(json.loads(data).get("stop_reason") == "cancelled" for data in rest[:-1])
    assert client.runs.retrieve(run_id).status == "cancelled"
    model.release()
    assert "user_message" in [m.message_type for m in stored(client, agent)]
    # The first reply may not even have been asked for.
    model.reset()
    model.script({"text": "Ready."})
    assert client.agents.messages.create(agent.id, input="Still there?").messages[-1].content == "Ready."
