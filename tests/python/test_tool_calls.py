"""What is kept of calls that run a person's code: how each was confined, what a crash cut off, and that the same holds for
an agent of another server that uses this machine."""

import json
import time

import httpx
import pytest

from support.programs import TOKEN, Server
from test_approvals import Desk as Approvals
from test_approvals import decide
from test_remote import OTHER_TOKEN, Elsewhere

SLOW = '''def mark(path: str, seconds: int) -> str:
    """Marks that it was here, and takes its time.

    Args:
        path: Where to leave a line, in the work folder.
        seconds: How long to take.
    """
    import time
    with open(path, "a") as file:
        file.write("ran\\n")
    time.sleep(seconds)
    return "marked"
'''


class Local(Approvals):
    """A script's view of the desk, for tools of the server."""

    def __init__(self, server, model, agent):
        self.server, self.model, self.agent = server, model, agent
        self.connect()

    def calls(self):
        """The journal of the agent's newest run that has one."""
        for run in self.get("/v1/runs/", agent_id=self.agent.id):
            for step in self.get(f"/v1/runs/{run['id']}/steps"):
                calls = self.get(f"/v1/steps/{step['id']}/metrics")["loci_tool_calls"]
                if calls:
                    return calls
        return []


@pytest.fixture
def desk(server, model, client):
    tool = client.tools.create(source_code=SLOW)
    agent = client.agents.create(
        name="Mercury", model="openai/gpt-4.1", tool_ids=[tool.id], parallel_tool_calls=True
    )
    client.agents.tools.update_approval("mark", agent_id=agent.id, body_requires_approval=True)
    return Local(server, model, agent)


def until(found, what):
    for _ in range(400):
        if answer := found():
            return answer
        time.sleep(0.05)
    raise AssertionError(what)


def test_an_allowed_call_of_the_server_is_logged_with_its_end_and_its_confinement(desk, client):
    desk.say(("mark", {"path": "marks", "seconds": 0}))
    request = desk.request()
    [call] = request["calls"]
    assert call["kind"] == "server" and "changed" not in call
    desk.answer(request, [decide(call)])
    assert desk.returns()[-1] == ("success", "marked")
    log = desk.log()
    assert [(e["event"], e["outcome"], e["kind"]) for e in log] == [
        ("decided", "allow", "server"), ("finished", "success", "server"),
    ]
    assert log[1]["hash"] == log[0]["hash"] and log[1]["message_id"] == request["id"]
    assert "files confined" in log[1]["confinement"] and "no network" in log[1]["confinement"]
    [noted] = desk.calls()
    assert (noted["name"], noted["state"], noted["tool_call_id"]) == ("mark", "success", call["tool_call_id"])
    assert noted["confinement"] == log[1]["confinement"] and noted["finished_at"] >= noted["started_at"]

    # With other arguments it runs by hand there, and the log says as much of it.
    desk.say(("mark", {"path": "marks", "seconds": 30}))
    request = desk.request()
    desk.answer(request, [decide(request["calls"][0], arguments={"path": "marks", "seconds": 0})])
    edited = desk.log(message_id=request["id"])
    assert [(e["event"], e["outcome"]) for e in edited] == [
        ("decided", "allow"), ("started", "started"), ("finished", "success"),
    ]
    assert "files confined" in edited[2]["confinement"] and '"seconds":30' in edited[2]["original_arguments"]


def test_calls_nobody_is_asked_about_are_noted_too(desk, client):
    client.agents.tools.update_approval("mark", agent_id=desk.agent.id, body_requires_approval=False)
    client.agents.tools.attach(
        [tool for tool in client.tools.list(name="run_code") if tool.name == "run_code"][0].id, agent_id=desk.agent.id
    )
    desk.say(("mark", {"path": "/etc/loci-mark", "seconds": 0}), ("run_code", {"code": "1 + 1", "language": "python"}))
    desk.settled()
    assert [status for status, _ in desk.returns()] == ["error", "success"]
    calls = {call["name"]: call for call in desk.calls()}
    assert {name: call["state"] for name, call in calls.items()} == {"mark": "error", "run_code": "success"}
    assert all("files confined" in call["confinement"] for call in calls.values()), calls
    assert desk.log() == [], "nobody decided"


def test_a_kill_in_the_middle_of_a_server_tool_is_unknown_and_the_next_call_asks(desk):
    desk.say(("mark", {"path": "marks", "seconds": 60}))
    request = desk.request()
    [call] = request["calls"]
    desk.http.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.TransportError):
        while True:
            desk.answer(request, [decide(call)])
    marks = desk.server.data / "sandbox" / "work" / desk.agent.id / "marks"
    until(marks.exists, "the tool began")
    desk.server.restart()
    desk.connect()
    assert desk.waiting() == []
    status, text = desk.returns()[-1]
    assert status == "error" and "not known" in text, text
    assert [(e["event"], e["outcome"]) for e in desk.log()] == [("decided", "allow"), ("finished", "unknown")]
    [noted] = desk.calls()
    assert (noted["state"], noted["finished_at"]) == ("unknown", None)
    # It was not run again, and what the agent tries next is asked about.
    assert marks.read_text() == "ran\n"
    desk.model.reset()
    desk.say(("mark", {"path": "marks", "seconds": 0}))
    again = desk.request()
    assert again["calls"][0]["verdict"]["effect"] == "ask" and again["id"] != request["id"]
    desk.answer(again, [decide(again["calls"][0])])
    assert desk.returns()[-1] == ("success", "marked")
    assert marks.read_text() == "ran\nran\n"


def test_a_call_that_is_stopped_is_noted_as_cut_off(desk, client):
    desk.say(("mark", {"path": "marks", "seconds": 60}))
    request = desk.request()
    desk.http.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.TransportError):
        while True:
            desk.answer(request, [decide(request["calls"][0])])
    until((desk.server.data / "sandbox" / "work" / desk.agent.id / "marks").exists, "the tool began")
    desk.connect()
    client.agents.messages.cancel(desk.agent.id)
    until(lambda: desk.log(event="finished"), "it was noted")
    assert [(e["event"], e["outcome"]) for e in desk.log()] == [("decided", "allow"), ("finished", "unknown")]


class Remote(Approvals):
    """The same over a server elsewhere, whose agents use this machine's tools."""

    def __init__(self, server, there, model, folder):
        self.server, self.there, self.model, self.folder = server, there, model, folder
        self.connect()
        made = self.post("/workbench/connections", {"name": "Elsewhere", "base_url": there.url, "key": OTHER_TOKEN})
        self.connection = made["id"]
        self.post(f"/workbench/connections/{self.connection}/select", {})
        self.connect()

    def request(self):
        # It is looked for beside the answer that says so.
        [request] = until(self.waiting, "it waits")
        return request

    def begin(self):
        class Agent:
            id = self.post("/v1/agents/", {"name": "Venus", "model": "openai/gpt-4.1", "parallel_tool_calls": True})["id"]

        self.agent = Agent
        self.put("/workbench/client-tools/folder", {"agent_id": Agent.id, "folder": str(self.folder)})

    def connect(self):
        self.http = httpx.Client(
            base_url=self.server.url,
            headers={"authorization": f"Bearer {TOKEN}", "x-loci-connection": "selected"},
            timeout=30,
        )


@pytest.fixture
def there(tmp_path, model):
    server = Elsewhere(tmp_path / "there", model)
    yield server
    server.close()


@pytest.fixture
def remote(tmp_path, server, there, model):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "plan.md").write_text("The code is HERON-42.\n")
    desk = Remote(server, there, model, folder)
    desk.begin()
    return desk


def test_an_agent_elsewhere_uses_this_machine_to_the_end_of_its_turn(remote):
    remote.say(("read_file", {"path": "plan.md"}))
    request = remote.request()
    [call] = request["calls"]
    assert (request["connection"], request["found"]) == (remote.connection, False)
    assert call["kind"] == "client" and call["server"] == "this machine"
    stream = remote.answer(request, [decide(call)])
    assert "Done." in stream.text and "end_turn" in stream.text
    assert "HERON-42" in remote.returns()[-1][1]
    finished = remote.log(event="finished")[0]
    assert (finished["connection"], finished["outcome"]) == (remote.connection, "success")
    assert str(remote.folder) in finished["confinement"]

    # A rule lets it go on without anybody, here as there.
    remote.post("/workbench/rules", {"text": "allow read-only tools of this machine everywhere"})
    remote.say(("list_directory", {"path": "."}))
    until(lambda: len(remote.returns()) == 2, "the turn went on")
    assert "plan.md" in remote.returns()[-1][1]
    remote.settled()
    said = remote.get(f"/v1/agents/{remote.agent.id}/messages", order="desc", limit=1)
    assert said[0]["message_type"] == "assistant_message" and "Done." in json.dumps(said[0])


def test_forty_calls_at_once_of_an_agent_elsewhere(remote):
    for number in range(40):
        (remote.folder / f"{number}.txt").write_text(f"text {number}")
    remote.say(*[("read_file", {"path": f"{number}.txt"}) for number in range(40)])
    request = remote.request()
    assert len(request["calls"]) == 40
    remote.answer(request, [decide(call) for call in request["calls"]])
    assert [text for _, text in remote.returns()] == [f"text {number}" for number in range(40)]
    assert len(remote.log(event="finished")) == 40


def test_a_kill_of_this_machine_in_the_middle_of_a_call_from_elsewhere(remote):
    remote.offer("run_command")
    remote.http.patch("/workbench/settings", json={"confine_commands": False})
    remote.say(("run_command", {"command": "echo once >> runs; sleep 60"}))
    request = remote.request()
    remote.http.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.TransportError):
        while True:
            remote.answer(request, [decide(request["calls"][0])])
    runs = remote.folder / "runs"
    until(runs.exists, "the command began")
    remote.server.restart()
    remote.connect()
    # It is found again on the server it waits on. As a call of it was noted here, it counts as one of this desk's, and
    # as nobody knows how that call ended, it is neither run again nor allowed by a rule.
    remote.post("/workbench/rules", {"text": "allow run_command everywhere"})
    [again] = until(remote.waiting, "it is found")
    [call] = again["calls"]
    assert (again["id"], again["found"]) == (request["id"], False)
    assert call["outcome"]["state"] == "unknown" and call["verdict"]["effect"] == "ask"
    refused = remote.answer(again, [decide(call)], status=409)
    assert refused.json()["detail"]["code"] == "CALL_OUTCOME_UNKNOWN"
    remote.answer(again, [decide(call, "report")])
    assert "Nobody knows" in remote.returns()[-1][1]
    assert runs.read_text() == "once\n"


def test_what_waits_elsewhere_is_found_when_that_server_is_chosen(tmp_path, server, there, model):
    theirs = httpx.Client(base_url=there.url, headers={"authorization": f"Bearer {OTHER_TOKEN}"}, timeout=30)
    agent = theirs.post("/v1/agents/", json={"name": "Venus", "model": "openai/gpt-4.1"}).json()["id"]
    thread = theirs.post(f"/v1/conversations/?agent_id={agent}", json={}).json()["id"]
    shout = {"name": "shout", "description": "Shouts.", "parameters": {"type": "object", "properties": {}}}
    body = {"messages": [{"role": "user", "content": "Go."}], "client_tools": [shout], "streaming": False}
    model.script({"tool_calls": [{"name": "shout", "arguments": {}}]})
    sent = theirs.post(f"/v1/conversations/{thread}/messages", json=body)
    assert sent.status_code == 200, sent.text
    before = theirs.get("/v1/runs/").json()
    desk = Remote(server, there, model, tmp_path)
    [found] = until(desk.waiting, "it is found")
    assert (found["agent_id"], found["conversation_id"], found["found"]) == (agent, thread, True)
    assert "another program" in found["calls"][0]["verdict"]["because"]["message"].lower()
    assert theirs.get("/v1/runs/").json() == before, "it was only read"
    model.script({"text": "Done."})
    desk.answer(found, [decide(found["calls"][0], "deny")])
    assert desk.waiting() == []
