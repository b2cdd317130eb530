"""kill -9 at random points of 200 messages with tool calls: nothing acknowledged is lost, nothing is left half done."""

import json
import random
import threading

import httpx

from support.programs import TOKEN

MESSAGES = 200
KILLS = 25


def test_kill_dash_nine_loses_nothing(server, client, model, agent):
    chance = random.Random(20261121)
    model.default({"text": "Noted."})
    acknowledged: list = []
    kill_at = set(chance.sample(range(5, MESSAGES), KILLS))
    http = httpx.Client(headers={"authorization": f"Bearer {TOKEN}"}, timeout=30)
    send = f"/v1/agents/{agent.id}/messages"

    for number in range(MESSAGES):
        text = f"NUMBER {number:03d} please"
        model.script({
            "when": text,
            "tool_calls": [{"name": "memory_insert", "arguments": {"label": "human", "new_string": f"fact-{number:03d}."}}],
        })
        timer = None
        if number in kill_at:
            # Somewhere between before the request and after the answer.
            timer = threading.Timer(chance.uniform(0, 0.04), server.kill)
            timer.start()
        try:
            answer = http.post(server.url + send, json={"input": text})
            if answer.status_code == 200:
                messages = answer.json()["messages"]
                kinds = [m["message_type"] for m in messages]
                assert kinds == ["tool_call_message", "tool_return_message", "assistant_message"], (number, messages)
                assert messages[1]["status"] == "success", (number, messages)
                # Usually its own; after a kill the model may first be shown, and write down, the message before.
                fact = json.loads(messages[0]["tool_call"]["arguments"])["new_string"]
                acknowledged.append((number, [m["id"] for m in messages], fact))
        except httpx.TransportError:
            pass
        if timer:
            timer.join()
            doctor = server.doctor()
            server.start()
            after = server.doctor()
            assert after.returncode == 0, after.stdout + after.stderr + doctor.stdout
            active = http.get(server.url + "/v1/runs/", params={"active": "true"}).json()
            assert active == []

    assert len(acknowledged) >= MESSAGES - KILLS
    listed, after = [], None
    while True:
        page = http.get(
            server.url + send, params={"order": "asc", "limit": 200} | ({"after": after} if after else {})
        ).json()
        if not page:
            break
        listed += page
        after = page[-1]["id"]
    texts = [m["content"] for m in listed if m["message_type"] == "user_message"]
    ids = {m["id"] for m in listed}
    for number, message_ids, _ in acknowledged:
        assert texts.count(f"NUMBER {number:03d} please") == 1, number
        assert set(message_ids) <= ids, number
    value = http.get(server.url + f"/v1/agents/{agent.id}/core-memory/blocks/human").json()["value"]
    for number, _, fact in acknowledged:
        assert value.count(fact) == 1, number

    # Whatever the kills left behind, what the model is shown is well formed: every call has exactly one return.
    model.reset()
    model.script({"text": "All well."})
    assert http.post(server.url + send, json={"input": "All well?"}).status_code == 200
    seen = model.requests()[-1]["messages"]
    calls = [call["id"] for message in seen for call in (message.get("tool_calls") or [])]
    returns = [message["tool_call_id"] for message in seen if message["role"] == "tool"]
    assert calls == returns
