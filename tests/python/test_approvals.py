"""Approvals over HTTP against a real `loci serve`: a script lists and answers with the guarantees the window has."""

import json
import shutil
import time

import httpx
import pytest

from support.programs import TOKEN


class Desk:
    """A script's view of the desk, and an agent that may use one folder."""

    def __init__(self, server, model, agent, folder):
        self.server, self.model, self.agent, self.folder = server, model, agent, folder
        self.connect()
        self.put("/workbench/client-tools/folder", {"agent_id": agent.id, "folder": str(folder)})

    def connect(self):
        self.http = httpx.Client(
            base_url=self.server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30
        )

    def get(self, path, **params):
        answer = self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, body, status=200):
        answer = self.http.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def put(self, path, body):
        answer = self.http.put(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def offer(self, tool):
        return self.put("/workbench/client-tools/offered", {"agent_id": self.agent.id, "tool": tool, "offered": True})

    def say(self, *calls):
        """The agent makes these calls; what it says afterwards is scripted too."""
        self.model.script({"tool_calls": [{"name": name, "arguments": arguments} for name, arguments in calls]})
        self.model.script({"text": "Done."})
        tools = self.get("/workbench/client-tools", agent_id=self.agent.id)["tools"]
        body = {"messages": [{"role": "user", "content": "Go."}], "client_tools": tools}
        return self.post(f"/v1/agents/{self.agent.id}/messages", body)

    def waiting(self):
        return self.get("/workbench/approvals")

    def request(self):
        [request] = self.waiting()
        return request

    def answer(self, request, decisions, status=200):
        body = {
            "agent_id": request["agent_id"],
            "conversation_id": request["conversation_id"],
            "decisions": decisions,
        }
        answer = self.http.post(f"/workbench/approvals/{request['id']}/answer", json=body)
        assert answer.status_code == status, answer.text
        return answer

    def settled(self):
        """Until nothing waits and no run goes on."""
        for _ in range(200):
            if not self.waiting() and not self.get("/v1/runs/", active="true"):
                return
            time.sleep(0.05)
        raise AssertionError(f"it still waits: {self.waiting()}")

    def returns(self):
        """Every tool return of the agent's thread, oldest first: (status, text)."""
        listed = self.get(f"/v1/agents/{self.agent.id}/messages", order="asc", limit=100)
        found = []
        for message in listed:
            if message["message_type"] == "tool_return_message":
                for one in message.get("tool_returns") or [message]:
                    found.append((one["status"], one["tool_return"]))
        return found

    def log(self, **which):
        text = self.http.get("/workbench/audit", params={"format": "jsonl"} | which).text
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def desk(server, model, client, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "plan.md").write_text("The code is HERON-42.\n")
    agent = client.agents.create(name="Mercury", model="openai/gpt-4.1", parallel_tool_calls=True)
    return Desk(server, model, agent, folder)


def decide(call, decision="allow", **more):
    return {"tool_call_id": call["tool_call_id"], "decision": decision, "hash": call["hash"], **more}


def test_a_script_lists_allows_and_denies(desk):
    desk.say(("read_file", {"path": "plan.md"}))
    request = desk.request()
    [call] = request["calls"]
    assert request["agent_name"] == "Mercury" and call["kind"] == "client"
    assert json.loads(call["arguments"]) == {"path": "plan.md"}
    assert call["verdict"]["effect"] == "ask" and call["read_only"] and not call["dangerous"]
    stream = desk.answer(request, [decide(call)])
    assert "end_turn" in stream.text
    assert "HERON-42" in desk.returns()[-1][1]
    desk.answer(request, [decide(call)], status=409)

    desk.say(("write_file", {"path": "new.md", "content": "x"}))
    request = desk.request()
    assert request["calls"][0]["detail"]["type"] == "diff"
    desk.answer(request, [decide(request["calls"][0], "deny", reason="Not today.")])
    assert "Not today." in desk.returns()[-1][1]
    assert not (desk.folder / "new.md").exists()
    decided = [(e["tool"], e["outcome"], e["decided_by"]) for e in desk.log(event="decided")]
    assert decided == [("read_file", "allow", "person"), ("write_file", "deny", "person")]


def test_what_was_edited_is_what_runs_and_what_everybody_is_told(desk):
    desk.say(("edit_file", {"path": "plan.md", "old_text": "HERON-42", "new_text": "gone"}))
    request = desk.request()
    [call] = request["calls"]
    assert "-The code is HERON-42." in call["detail"]["diff"]
    edited = {"path": "plan.md", "old_text": "HERON-42", "new_text": "STORK-7"}
    desk.answer(request, [decide(call, arguments=edited)])
    assert (desk.folder / "plan.md").read_text() == "The code is STORK-7.\n"
    assert "The person changed the arguments" in desk.returns()[-1][1]
    [entry] = desk.log(event="decided")
    assert "STORK-7" in entry["arguments"] and "gone" in entry["original_arguments"]


def test_a_decision_is_bound_to_what_was_shown(desk):
    desk.say(("read_file", {"path": "plan.md"}))
    request = desk.request()
    wrong = decide(request["calls"][0]) | {"hash": "0" * 64}
    refused = desk.answer(request, [wrong], status=409)
    assert refused.json()["detail"]["code"] == "CALL_CHANGED"
    assert desk.log() == [] and len(desk.waiting()) == 1
    desk.answer(request, [], status=400)


def test_rules_answer_by_themselves_and_say_so_in_the_log(desk):
    rule = desk.post("/workbench/rules", {"text": "allow read_file(*.md) for agent Mercury"})
    deny = desk.post("/workbench/rules", {"text": "deny write_file(secret/**) everywhere"})
    desk.say(("read_file", {"path": "plan.md"}))
    desk.settled()
    assert "HERON-42" in desk.returns()[-1][1]
    desk.say(("write_file", {"path": "secret/x", "content": "x"}))
    desk.settled()
    assert desk.returns()[-1][0] == "error" and not (desk.folder / "secret").exists()
    decided = [(e["outcome"], e["decided_by"], e["rule_id"]) for e in desk.log(event="decided")]
    assert decided == [("allow", "rule", rule["id"]), ("deny", "rule", deny["id"])]
    tried = desk.post("/workbench/rules/rehearse", {"text": "deny read_file everywhere"})
    assert (tried["of"], tried["matched"]) == (2, 1)
    desk.http.delete(f"/workbench/rules/{rule['id']}")
    desk.say(("read_file", {"path": "plan.md"}))
    assert desk.request()["calls"][0]["verdict"]["effect"] == "ask"


def test_a_set_of_parallel_calls_is_answered_as_one(desk):
    for number in range(40):
        (desk.folder / f"{number}.txt").write_text(f"text {number}")
    desk.say(*[("read_file", {"path": f"{number}.txt"}) for number in range(40)])
    request = desk.request()
    assert len(request["calls"]) == 40
    desk.answer(request, [decide(call) for call in request["calls"][:-1]], status=400)
    decisions = [decide(call) for call in request["calls"][:-1]]
    decisions.append(decide(request["calls"][-1], "deny", reason="one too many"))
    desk.answer(request, decisions)
    returns = desk.returns()
    assert [text for _, text in returns[:39]] == [f"text {number}" for number in range(39)]
    assert "one too many" in returns[39][1]


def test_rules_decide_about_a_part_of_a_set(desk):
    desk.post("/workbench/rules", {"text": "allow read-only tools of this machine for agent Mercury"})
    desk.say(("read_file", {"path": "plan.md"}), ("write_file", {"path": "new.md", "content": "x"}))
    request = desk.request()
    read, write = request["calls"]
    assert (read["verdict"]["effect"], write["verdict"]["effect"]) == ("allow", "ask")
    desk.answer(request, [decide(write)])
    assert [entry["decided_by"] for entry in desk.log(event="decided")] == ["rule", "person"]
    assert (desk.folder / "new.md").read_text() == "x"


def test_nothing_is_allowed_by_time(desk):
    desk.http.patch("/workbench/settings", json={"expire_unattended_hours": 0.0005})
    desk.say(("write_file", {"path": "new.md", "content": "x"}))
    assert desk.request()["expires_at"]
    desk.settled()
    assert "Nobody was there" in desk.returns()[-1][1]
    assert [entry["decided_by"] for entry in desk.log()] == ["expiry"]
    assert not (desk.folder / "new.md").exists()


def test_a_kill_in_the_middle_of_a_call_is_reported_and_asks(desk):
    desk.offer("run_command")
    desk.http.patch("/workbench/settings", json={"confine_commands": False})
    desk.say(("run_command", {"command": "echo once >> runs; sleep 60"}))
    request = desk.request()
    [call] = request["calls"]
    assert call["dangerous"] and call["detail"]["command"] == "echo once >> runs; sleep 60"
    with pytest.raises(httpx.TransportError):
        desk.http.timeout = httpx.Timeout(0.2)
        while True:
            desk.answer(request, [decide(call)])
    runs = desk.folder / "runs"
    for _ in range(200):
        if runs.exists():
            break
        time.sleep(0.02)
    assert runs.read_text() == "once\n"
    desk.server.restart()
    desk.connect()
    # Not even a rule runs it again.
    desk.post("/workbench/rules", {"text": "allow run_command everywhere"})
    request = desk.request()
    [call] = request["calls"]
    assert call["outcome"]["state"] == "unknown" and call["verdict"]["effect"] == "ask"
    refused = desk.answer(request, [decide(call)], status=409)
    assert refused.json()["detail"]["code"] == "CALL_OUTCOME_UNKNOWN"
    desk.answer(request, [decide(call, "report")])
    assert "Nobody knows" in desk.returns()[-1][1]
    assert runs.read_text() == "once\n"
    outcomes = [entry["outcome"] for entry in desk.log()]
    assert outcomes == ["allow", "started", "unknown", "created", "report"]


def test_a_request_outlives_the_program(desk):
    desk.say(("read_file", {"path": "plan.md"}))
    before = desk.request()
    desk.server.restart()
    desk.connect()
    assert desk.request() == before
    desk.answer(before, [decide(before["calls"][0])])
    assert "HERON-42" in desk.returns()[-1][1]


def test_a_command_is_confined_streamed_and_stopped(desk, tmp_path):
    desk.offer("run_command")
    (tmp_path / "private").write_text("SECRET")
    desk.post("/workbench/rules", {"text": "allow run_command everywhere"})
    command = f"cat {tmp_path}/private; echo here > inside; echo there > {tmp_path}/outside; cat inside"
    desk.say(("run_command", {"command": command}))
    desk.settled()
    status, text = desk.returns()[-1]
    assert status == "success" and text.startswith("[exit code 0 after ") and "here" in text, text
    assert "SECRET" not in text and not (tmp_path / "outside").exists()
    assert (desk.folder / "inside").read_text() == "here\n"
    [finished] = desk.log(event="finished")
    assert "files confined" in finished["confinement"] and "no network" in finished["confinement"]

    desk.say(("run_command", {"command": "echo trouble; exit 3"}))
    desk.settled()
    status, text = desk.returns()[-1]
    assert status == "error" and text.startswith("[exit code 3 after ") and "trouble" in text, text

    desk.http.patch("/workbench/settings", json={"confine_commands": False})
    desk.say(("run_command", {"command": "echo begun; sleep 60"}))
    for _ in range(200):
        running = desk.get("/workbench/client-calls")
        if running:
            break
        time.sleep(0.02)
    call = running[0]["tool_call_id"]
    with desk.http.stream("GET", f"/workbench/client-calls/{call}/output") as output:
        line = next(line for line in output.iter_lines() if line.startswith("data: "))
        assert json.loads(line[6:]) == {"text": "begun\n"}
    assert desk.http.post(f"/workbench/client-calls/{call}/stop").status_code == 204
    desk.settled()
    assert "The person stopped the command" in desk.returns()[-1][1]


def test_a_persons_own_tool_runs_confined_on_this_machine(desk):
    source = (
        'import os\n\ndef double(number: int) -> int:\n    """Doubles.\n\n    Args:\n        number: What is doubled.\n    """\n'
        '    print("doubling", os.environ["PLAIN"], len(os.environ["KEY"]))\n    return 2 * number\n'
    )
    own = desk.post("/workbench/own-tools", {"source_code": source, "read_only": True})
    desk.put(f"/workbench/own-tools/{own['id']}/variables", {"env": {"PLAIN": "p"}, "secrets": {"KEY": "s3cret"}})
    assert desk.offer("double")["catalogue"][-1]["id"] == own["id"]
    desk.say(("double", {"number": 21}))
    request = desk.request()
    assert request["calls"][0]["preview"]["message"] == "your own python tool, confined, without the network"
    desk.answer(request, [decide(request["calls"][0])])
    assert desk.returns()[-1] == ("success", "42\n[printed]\ndoubling p 6\n")


def test_an_own_tool_that_wants_too_much_memory_ends_with_a_sentence(desk):
    grow = 'def grow() -> int:\n    """Grows."""\n    held = []\n    while True:\n        held.append("x" * 1_000_000)\n'
    swell = (
        "/** Swells. */\nexport function swell(): number {\n"
        "  const held: Buffer[] = [];\n  for (;;) held.push(Buffer.alloc(1 << 24, 1));\n}\n"
    )
    tools = [desk.post("/workbench/own-tools", {"source_code": grow, "memory_mb": 128})]
    if shutil.which("node"):
        given = {"source_code": swell, "source_type": "typescript", "memory_mb": 128}
        tools.append(desk.post("/workbench/own-tools", given))
    for tool in tools:
        assert tool["memory_mb"] == 128
        desk.offer(tool["name"])
        desk.say((tool["name"], {}))
        request = desk.request()
        desk.answer(request, [decide(request["calls"][0])])
        status, told = desk.returns()[-1]
        assert status == "error" and ("more memory than it may" in told or "allocation failed" in told), told
    log = [json.loads(line) for line in desk.http.get("/workbench/audit?format=jsonl").text.splitlines()]
    assert [one["outcome"] for one in log if one["event"] == "finished"] == ["error"] * len(tools)
