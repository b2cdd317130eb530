"""The Tools API by the official SDK: making, changing, finding and running tools, and tools that use agents and tools."""

import json
import threading
import time

import pytest
from letta_client import APIStatusError, NotFoundError

ADD = '''
def add(a: int, b: int = 2) -> int:
    """Adds two numbers.

    Args:
        a (int): The first.
        b (int): The second.
    """
    return a + b
'''
SUBTRACT = ADD.replace("def add", "def subtract").replace("Adds", "Subtracts").replace("a + b", "a - b")


def source(body, name="probe", args=""):
    """A documented function without parameters, or with those given."""
    lines = "\n".join("    " + line for line in body.splitlines())
    return f'import os\n\ndef {name}({args}):\n    """Does it."""\n{lines}\n'


def refused(status, act):
    with pytest.raises(APIStatusError) as caught:
        act()
    assert caught.value.status_code == status, caught.value.body
    return caught.value.body["detail"]


def test_create_upsert_list_count_retrieve_delete(client, http):
    tool = client.tools.create(source_code=ADD, tags=["maths"], return_char_limit=100)
    assert (tool.name, tool.tool_type, tool.source_type) == ("add", "custom", "python")
    assert tool.json_schema["parameters"]["required"] == ["a"]
    again = client.tools.upsert(source_code=ADD.replace("a + b", "b + a"))
    assert again.id == tool.id and "b + a" in again.source_code
    assert again.tags == ["maths"] and again.return_char_limit == 50_000
    assert client.tools.retrieve(tool.id).name == "add"
    assert [t.id for t in client.tools.list(name="add")] == [tool.id]
    assert [t.id for t in client.tools.list(search="DD", tool_types=["custom"])] == [tool.id]
    count = http.get("/v1/tools/count").json()
    assert count == 27 and http.get("/v1/tools/count?exclude_letta_tools=true").json() == 1
    client.tools.delete(tool.id)
    assert list(client.tools.list(name="add")) == []
    for act in (client.tools.retrieve, client.tools.delete):
        with pytest.raises(NotFoundError):
            act(tool.id)
    refused(422, lambda: client.tools.retrieve("tool-nonsense"))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (422, {}, "source_code"),
        (422, {"source_code": ADD, "name": "x"}, "name"),
        (422, {"source_code": ADD, "return_char_limit": 0}, "return_char_limit"),
        (422, {"source_code": ADD, "return_char_limit": 1_000_001}, "return_char_limit"),
        (422, {"source_code": ADD, "pip_requirements": [{"name": ""}]}, "pip_requirements"),
        (422, {"source_code": ADD, "pip_requirements": [{"name": "--index-url"}]}, "pip_requirements"),
        (422, {"source_code": ADD, "json_schema": {"parameters": {}}}, "json_schema.name"),
        (400, {"source_code": ADD, "source_type": "ruby"}, "Unknown tool source type"),
        (400, {"source_code": "def f(x):\n    '''A.'''\n"}, "Failed to derive json schema"),
        (400, {"source_code": "def f(:\n"}, "line 1"),
        (400, {"source_code": "x = 1"}, "no function"),
        (400, {"source_code": ADD.replace("def add", "def send_message")}, "built-in"),
        (400, {"source_code": ADD.replace("def add", "def " + "x" * 65)}, "characters"),
        (400, {"source_code": ADD.replace("b: int = 2", "*b: int")}, "b"),
    ],
)
def test_what_cannot_be_a_tool_is_refused(http, status, body, said):
    answer = http.post("/v1/tools/", json=body)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert http.get("/v1/tools/count?exclude_letta_tools=true").json() == 0


def test_a_changed_source_brings_its_schema_and_its_name(client):
    tool = client.tools.create(source_code=ADD)
    more = client.tools.update(tool.id, source_code=ADD.replace("b: int = 2", "b: int").replace("Adds", "Sums"))
    assert more.json_schema["parameters"]["required"] == ["a", "b"]
    assert more.description.startswith("Sums") and more.json_schema["description"].startswith("Sums")
    renamed = client.tools.update(tool.id, source_code=SUBTRACT)
    assert (renamed.id, renamed.name, renamed.json_schema["name"]) == (tool.id, "subtract", "subtract")
    given = {"name": "subtract", "description": "Mine.", "parameters": {"type": "object", "properties": {}}}
    by_hand = client.tools.update(tool.id, json_schema=given)
    assert by_hand.json_schema["description"] == "Mine."
    kept = client.tools.update(tool.id, source_code=SUBTRACT.replace("a - b", "b - a"))
    assert kept.json_schema["description"] == "Mine." and "b - a" in kept.source_code

    client.tools.create(source_code=ADD)
    clash = refused(400, lambda: client.tools.update(tool.id, source_code=ADD))
    assert "already exists" in clash
    refused(400, lambda: client.tools.update(tool.id, source_code="def f(:"))
    refused(422, lambda: client.tools.update(tool.id, return_char_limit=0))
    assert client.tools.retrieve(tool.id).name == "subtract"


def test_a_renamed_tool_still_waits_for_a_person(client, agent):
    tool = client.tools.create(source_code=ADD, default_requires_approval=True)
    client.agents.tools.attach(tool.id, agent_id=agent.id)
    client.tools.update(tool.id, source_code=SUBTRACT)
    rules = client.agents.retrieve(agent.id).tool_rules
    assert [(rule.type, rule.tool_name) for rule in rules] == [("requires_approval", "subtract")]


def test_the_built_in_tools_cannot_be_broken_and_come_back(client, http):
    base = http.post("/v1/tools/add-base-tools").json()
    assert len(base) == 26
    [search] = client.tools.list(name="conversation_search")
    for change in ({"source_code": ADD}, {"json_schema": {"name": "mine"}}):
        refused(400, lambda change=change: client.tools.update(search.id, **change))
    assert client.tools.update(search.id, return_char_limit=99).return_char_limit == 99
    client.tools.delete(search.id)
    [back] = client.tools.list(name="conversation_search")
    assert back.json_schema["name"] == "conversation_search" and back.tool_type == "letta_core"
    assert len(http.post("/v1/tools/add-base-tools").json()) == 26


def test_search_finds_by_words(client, http):
    tool = client.tools.create(source_code=ADD, tags=["maths"])
    search = lambda **body: http.post("/v1/tools/search", json=body)  # noqa: E731
    [found, *_] = search(query="add two numbers").json()
    assert found["tool"]["id"] == tool.id and found["fts_rank"] == 1 and found["combined_score"] > 0
    assert [one["tool"]["name"] for one in search(tags=["maths"]).json()] == ["add"]
    assert [one["tool"]["name"] for one in search(query="memory", tool_types=["custom"]).json()] == []
    assert len(search(limit=5).json()) == 5
    assert search(query="x", search_mode="vector").status_code == 400
    for body in ({"limit": 0}, {"limit": 101}, {"search_mode": "psychic"}, {"words": "x"}):
        assert search(**body).status_code == 422, body


def test_generate_schema_in_both_languages(http):
    made = http.post("/v1/tools/generate-schema", json={"code": ADD}).json()
    assert made["parameters"]["properties"]["a"] == {"type": "integer", "description": "The first."}
    code = "/** Adds.\n * @param a The first. */\nexport function add(a: number, b?: number): number { return a; }\n"
    made = http.post("/v1/tools/generate-schema", json={"code": code, "source_type": "typescript"}).json()
    assert made["parameters"]["required"] == ["a"]
    assert http.post("/v1/tools/generate-schema", json={"code": "def f("}).status_code == 400


def test_run_from_source(http):
    def run(code, args=None, **more):
        answer = http.post("/v1/tools/run", json={"source_code": code, "args": args or {}, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    done = run(ADD, {"a": 40})
    assert (done["tool_return"], done["status"], done["id"]) == ("42", "success", "null")
    printed = run(source("print('hello')\nreturn {'k': [1, None]}"))
    assert printed["stdout"] == ["hello\n"] and json.loads(printed["tool_return"]) == {"k": [1, None]}
    failed = run(source("raise ValueError('bad')"))
    assert failed["status"] == "error"
    assert failed["tool_return"] == "Error executing function probe: ValueError: bad"
    assert "line 5" in failed["stderr"][0] and "<string>" not in failed["stderr"][0]
    assert run(source("return os.environ['KEY']"), env_vars={"KEY": "v"})["tool_return"] == "v"
    assert run(source("return sorted(os.environ)"))["tool_return"] == '["HOME","LANG","PATH","TMPDIR"]'
    assert "PermissionError" in run(source("open('/etc/shadow')"))["tool_return"]
    assert http.post("/v1/tools/run", json={"source_code": ADD, "args": {}, "more": 1}).status_code == 422
    assert http.post("/v1/tools/run", json={"source_code": ADD}).status_code == 422
    typescript = "export function twice(n: number): number { console.log('ts'); return n * 2; }"
    done = run(typescript, {"n": 21}, source_type="typescript")
    assert (done["tool_return"], done["stdout"]) == ("42", ["ts\n"])


def test_attach_detach_approval_and_run_for_an_agent(client, agent):
    code = source("return [os.environ['KEY'], os.environ['LETTA_AGENT_ID'], os.environ['LETTA_TOOL_ID']]")
    tool = client.tools.create(source_code=code, default_requires_approval=True)
    client.agents.update(agent.id, secrets={"KEY": "v"})
    for _ in range(2):
        client.agents.tools.attach(tool.id, agent_id=agent.id)
    assert [t.name for t in client.agents.tools.list(agent.id)].count("probe") == 1
    rules = client.agents.retrieve(agent.id).tool_rules
    assert [rule.tool_name for rule in rules if rule.type == "requires_approval"] == ["probe"]
    done = client.agents.tools.run("probe", agent_id=agent.id, args={})
    assert done.status == "success" and done.func_return == ["v", agent.id, tool.id]
    client.agents.tools.update_approval("probe", agent_id=agent.id, body_requires_approval=False)
    assert client.agents.retrieve(agent.id).tool_rules == []
    client.agents.tools.detach(tool.id, agent_id=agent.id)
    with pytest.raises(NotFoundError):
        client.agents.tools.run("probe", agent_id=agent.id, args={})
    with pytest.raises(NotFoundError):
        client.agents.tools.attach(tool.id[:-4] + "0000", agent_id=agent.id)


def test_an_agent_calls_a_tool_that_edits_its_memory(client, model, agent):
    code = source(
        "agent_state.memory.update_block_value(label='human', value='Likes ' + thing)\nreturn 'noted'",
        args="agent_state, thing: str",
    ).replace('"""Does it."""', '"""Notes it.\n\n    Args:\n        thing (str): What.\n    """')
    tool = client.tools.create(source_code=code)
    assert list(tool.json_schema["parameters"]["properties"]) == ["thing"]
    client.agents.tools.attach(tool.id, agent_id=agent.id)
    model.script({"tool_calls": [{"name": "probe", "arguments": {"thing": "rain"}}]}, {"text": "Done."})
    done = client.agents.messages.create(agent.id, input="Remember.")
    [returned] = [m for m in done.messages if m.message_type == "tool_return_message"]
    assert returned.tool_return == "noted"
    assert client.agents.blocks.retrieve("human", agent_id=agent.id).value == "Likes rain"


def test_forty_calls_at_once(client, agent, http):
    client.agents.tools.attach(client.tools.create(source_code=ADD).id, agent_id=agent.id)
    results = [None] * 40

    def call(n):
        answer = http.post(f"/v1/agents/{agent.id}/tools/add/run", json={"args": {"a": n}}, timeout=120)
        results[n] = answer.json().get("func_return")

    threads = [threading.Thread(target=call, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [n + 2 for n in range(40)]


def test_code_calls_tools_and_rules_and_approvals_hold(client, model, agent):
    add = client.tools.create(source_code=ADD)
    subtract = client.tools.create(source_code=SUBTRACT)
    [code_tool] = client.tools.list(name="run_code_with_tools")
    for one in (add, subtract, code_tool):
        client.agents.tools.attach(one.id, agent_id=agent.id)
    client.agents.tools.update_approval("subtract", agent_id=agent.id, body_requires_approval=True)
    code = (
        "total = sum(add(n, b=1) for n in range(3))\n"
        "try:\n    subtract(a=1)\nexcept ToolError as error:\n    print(error)\n"
        "memory_insert(label='human', new_string='Likes sums.')\ntotal"
    )
    model.script({"tool_calls": [{"name": "run_code_with_tools", "arguments": {"code": code}}]}, {"text": "Six."})
    done = client.agents.messages.create(agent.id, input="Go.")
    [returned] = [m for m in done.messages if m.message_type == "tool_return_message"]
    result = json.loads(returned.tool_return)
    assert (result["status"], result["func_return"]) == ("success", "6"), result
    assert "needs a person's approval" in result["stdout"][0]
    assert "Likes sums." in client.agents.blocks.retrieve("human", agent_id=agent.id).value


def test_agents_write_to_agents_without_going_round(client, model):
    def make(name, **more):
        extra = {"include_multi_agent_tools": True}
        return client.agents.create(name=name, model="openai/gpt-4.1", extra_body=extra, **more)

    first, second = make("First"), make("Second", tags=["helper"])
    ask = "send_message_to_agent_and_wait_for_reply"
    model.script(
        {"tool_calls": [{"name": ask, "arguments": {"message": "The time?", "other_agent_id": second.id}}]},
        # The second tries to ask back, is refused, and answers.
        {"tool_calls": [{"name": ask, "arguments": {"message": "You tell me.", "other_agent_id": first.id}}]},
        {"text": "Noon."},
        {"text": "It is noon."},
    )
    done = client.agents.messages.create(first.id, input="Ask Second for the time.")
    [returned] = [m for m in done.messages if m.message_type == "tool_return_message"]
    assert json.loads(returned.tool_return) == {"agent_id": second.id, "response": ["Noon."]}
    theirs = list(client.agents.messages.list(second.id, order="asc"))
    [asked] = [m for m in theirs if m.message_type == "user_message"]
    assert "The time?" in asked.content and first.id in asked.content and asked.sender_id == first.id
    [refusal] = [m for m in theirs if m.message_type == "tool_return_message"]
    assert refusal.status == "error" and "waits for this agent's answer" in refusal.tool_return

    tagged = {"name": "send_message_to_agents_matching_tags",
              "arguments": {"message": "All well?", "match_all": ["helper"], "match_some": []}}
    model.script({"tool_calls": [tagged]}, {"text": "Yes."}, {"text": "All well."})
    done = client.agents.messages.create(first.id, input="Ask all helpers.")
    [returned] = [m for m in done.messages if m.message_type == "tool_return_message"]
    assert json.loads(returned.tool_return) == [{"agent_id": second.id, "response": ["Yes."]}]

    for other, said in ((first.id, "itself"), ("agent-00000000-0000-4000-8000-00000000dead", "no agent"), ("x", "not an agent")):
        result = client.agents.tools.run(ask, agent_id=first.id, args={"message": "x", "other_agent_id": other})
        assert result.status == "error" and said in result.func_return


def multi_agent(client, name, **more):
    extra = {"include_multi_agent_tools": True}
    return client.agents.create(name=name, model="openai/gpt-4.1", extra_body=extra, **more)


def asks(other, text="Go on.", how="send_message_to_agent_and_wait_for_reply"):
    return {"tool_calls": [{"name": how, "arguments": {"message": text, "other_agent_id": other.id}}]}


def test_a_message_goes_through_five_agents_at_most(client, model):
    agents = [multi_agent(client, f"Agent {number}") for number in range(6)]
    model.script(*[asks(other) for other in agents[1:]])
    # The fifth is refused to pass it on; then each answers the one before.
    model.script(*[{"text": f"From {number}."} for number in (4, 3, 2, 1, 0)])
    done = client.agents.messages.create(agents[0].id, input="Pass it on.")
    assert done.messages[-1].content == "From 0."
    fifth = list(client.agents.messages.list(agents[4].id, order="asc"))
    [refused] = [m for m in fifth if m.message_type == "tool_return_message"]
    assert refused.status == "error" and "5 agents already" in refused.tool_return
    assert not [m for m in client.agents.messages.list(agents[5].id) if m.message_type == "user_message"]


def test_an_agent_tells_another_without_waiting(client, model):
    first, second = multi_agent(client, "First"), multi_agent(client, "Second")
    model.default({"text": "Noted."})
    model.script(asks(second, "Tea at five.", "send_message_to_agent_async"))
    done = client.agents.messages.create(first.id, input="Tell Second.")
    [returned] = [m for m in done.messages if m.message_type == "tool_return_message"]
    assert returned.status == "success" and "Delivered to Second" in returned.tool_return
    for _ in range(200):
        theirs = list(client.agents.messages.list(second.id, order="asc"))
        if theirs[-1].message_type == "assistant_message":
            break
        time.sleep(0.05)
    [told] = [m for m in theirs if m.message_type == "user_message"]
    assert "Tea at five." in told.content and "does not wait" in told.content and told.sender_id == first.id
    assert theirs[-1].content == "Noted."
    result = client.agents.tools.run(
        "send_message_to_agent_async", agent_id=first.id, args={"message": "x", "other_agent_id": first.id}
    )
    assert result.status == "error" and "itself" in result.func_return


def test_whoever_stops_asking_stops_the_one_asked(client, model):
    first, second = multi_agent(client, "First"), multi_agent(client, "Second")
    model.script(asks(second), {"text": "Late.", "hold": True})
    asking = threading.Thread(target=lambda: client.agents.messages.create(first.id, input="Ask."), daemon=True)
    asking.start()

    def run_of(agent):
        return next(iter(client.runs.list(agent_id=agent.id)), None)

    def until(true):
        for _ in range(200):
            if true():
                return
            time.sleep(0.05)
        raise AssertionError((run_of(first), run_of(second)))

    until(lambda: run_of(second) is not None and len(model.requests()) >= 2)
    client.agents.messages.cancel(first.id)
    until(lambda: run_of(first).status == "cancelled" and run_of(second).status == "cancelled")
    model.release()


def test_a_trial_sees_the_agent_it_is_made_for_and_changes_nothing_there(agent, http):
    code = (
        'def note(agent_state: "AgentState", text: str) -> str:\n    """Note it.\n\n    Args:\n        text: What.\n    """\n'
        '    value = agent_state.memory.get_block("human").value\n'
        '    agent_state.memory.update_block_value("human", value + text)\n    return value\n'
    )
    body = {"source_code": code, "args": {"text": " Likes tea."}, "agent_id": agent.id}
    answer = http.post("/workbench/tools/run", json=body)
    result = [json.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")][-1]
    assert (result["status"], result["value"]) == ("success", "Name: Timber."), result
    assert result["changed_blocks"] == {"human": "Name: Timber. Likes tea."}
    assert http.get(f"/v1/agents/{agent.id}/core-memory/blocks/human").json()["value"] == "Name: Timber."


def test_the_workshop_tries_tools_out_and_keeps_their_past(client, http):
    def trial(**body):
        answer = http.post("/workbench/tools/run", json=body)
        assert answer.status_code == 200, answer.text
        return [json.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")]

    tool = client.tools.create(source_code=ADD)
    base = f"/workbench/tools/{tool.id}"
    events = trial(source_code=source("print('on it')\nreturn os.environ['KEY']"), tool_id=tool.id, env_vars={"KEY": "v"})
    assert events[0] == {"type": "stdout", "text": "on it\n"}
    result = events[-1]
    assert (result["type"], result["status"], result["value"]) == ("result", "success", "v")
    assert result["confinement"]["network_blocked"] and result["duration_ms"] >= 0
    [listed] = http.get(base + "/runs").json()
    assert (listed["status"], listed["result"]) == ("success", "v")
    assert http.post("/workbench/tools/run", json={"source_code": ADD, "nonsense": 1}).status_code == 422
    assert http.get("/workbench/tools/interpreters").json()["python"]["version"]

    settings = {"network": False, "timeout_seconds": 1, "env": {"PLAIN": "p"}, "secrets": {"KEY": "s3cret"}}
    shown = http.put(base + "/settings", json=settings)
    assert shown.json()["secret_names"] == ["KEY"] and "s3cret" not in shown.text
    assert http.put(base + "/settings", json={"memory_mb": 1}).status_code == 422
    assert http.put(base + "/settings", json={"secrets": {"OTHER": None}}).status_code == 422
    changed = client.tools.update(tool.id, source_code=source("return [os.environ['PLAIN'], os.environ['KEY']]", "add"))
    agent = client.agents.create(model="openai/gpt-4.1", tool_ids=[tool.id])
    assert client.agents.tools.run("add", agent_id=agent.id, args={}).func_return == ["p", "s3cret"]
    [user] = http.get(base + "/used-by").json()
    assert (user["id"], user["requires_approval"]) == (agent.id, False)
    client.tools.update(tool.id, source_code=source("while True: pass", "add"))
    slow = client.agents.tools.run("add", agent_id=agent.id, args={})
    assert slow.status == "error" and "longer than 1 s" in slow.func_return

    versions = http.get(base + "/versions").json()
    assert [one["version"] for one in versions] == [3, 2, 1]
    assert versions[1]["source_code"] == changed.source_code and versions[2]["changed_by"]
    back = http.post(base + "/versions/1/restore").json()
    assert (back["id"], back["source_code"]) == (tool.id, ADD)
    assert client.agents.tools.run("add", agent_id=agent.id, args={"a": 1}).func_return == 3
    assert [one["version"] for one in http.get(base + "/versions?limit=2").json()] == [4, 3]
    assert http.post(base + "/versions/99/restore").status_code == 404


def test_a_tool_of_this_machine_has_secrets_and_trials_of_its_own(http):
    def trial(**body):
        answer = http.post("/workbench/tools/run", json=body)
        assert answer.status_code == 200, answer.text
        return json.loads([line for line in answer.text.splitlines() if line.startswith("data:")][-1][5:])

    code = source("return [os.environ.get(name) for name in ('PLAIN', 'KEY', 'LETTA_TOOL_ID')]", "mine")
    own = http.post("/workbench/own-tools", json={"source_code": code}).json()
    base = f"/workbench/own-tools/{own['id']}"
    variables = {"env": {"PLAIN": "p"}, "secrets": {"KEY": "s3cret"}}
    shown = http.put(base + "/variables", json=variables)
    assert shown.json()["secret_names"] == ["KEY"] and "s3cret" not in shown.text
    assert trial(source_code=code, tool_id=own["id"], name="mine")["value"] == ["p", "s3cret", own["id"]]
    # Under another name it is the same tool, and what was tried of it stays with it.
    renamed = code.replace("def mine", "def yours")
    assert http.patch(base, json={"source_code": renamed}).json()["name"] == "yours"
    [run] = http.get(base + "/runs").json()
    assert (run["name"], run["status"]) == ("mine", "success")
    assert trial(source_code=code)["value"][:2] == [None, None]
    assert len(http.get(base + "/runs").json()) == 1
    http.delete(base)
    gone = http.post("/workbench/tools/run", json={"source_code": code, "tool_id": own["id"]})
    assert gone.status_code == 404
