"""Values of an agent's variables: they reach its tools, survive, and are in no row, answer or log."""

import json
import sqlite3
import time

import pytest
from letta_client import APIStatusError, Letta, UnprocessableEntityError
from support.programs import TOKEN, Server

PROBE = 'def probe() -> str:\n    """Reads a variable."""\n    import os\n    return os.environ["KEY"]\n'
VALUE = "wert-4711-hush"


def sdk(server):
    return Letta(base_url=server.url, api_key=TOKEN, max_retries=0, timeout=30)


def probe(client, agent_id):
    return client.agents.tools.run("probe", agent_id=agent_id, args={}).func_return


def kept(server):
    path = server.data / "secrets.json"
    return json.loads(path.read_text()) if path.exists() else {}


def wait_until(holds):
    for _ in range(400):
        if holds():
            return
        time.sleep(0.025)
    raise AssertionError("it did not come to that")


@pytest.fixture
def with_secret(client):
    tool = client.tools.create(source_code=PROBE)
    return client.agents.create(model="openai/gpt-4.1", tool_ids=[tool.id], secrets={"KEY": VALUE})


def test_values_reach_tools_and_outlive_a_crash_but_are_nowhere_else(server, client, with_secret):
    assert probe(client, with_secret.id) == VALUE
    shown = client.agents.retrieve(with_secret.id, include=["agent.secrets"])
    assert [(one.key, one.value) for one in shown.secrets] == [("KEY", "********")]
    server.process.kill()
    files = [path for path in server.data.rglob("*") if path.is_file()]
    holding = [path.name for path in files if VALUE.encode() in path.read_bytes()]
    assert holding == ["secrets.json"]
    assert (server.data / "secrets.json").stat().st_mode & 0o077 == 0
    assert VALUE not in "\n".join(server.process.stdout + server.process.stderr)
    server.start()
    assert probe(sdk(server), with_secret.id) == VALUE


def test_what_was_read_can_be_sent_back_and_what_is_left_out_goes(server, client, with_secret):
    client.agents.update(with_secret.id, secrets={"KEY": "********", "MORE": "m"})
    assert probe(client, with_secret.id) == VALUE
    with pytest.raises(UnprocessableEntityError, match="OTHER"):
        client.agents.update(with_secret.id, secrets={"OTHER": "********"})
    assert probe(client, with_secret.id) == VALUE
    client.agents.update(with_secret.id, secrets={"MORE": "********"})
    assert list(kept(server).values()) == ["m"]
    client.agents.update(with_secret.id, name="Hermes")
    assert list(kept(server).values()) == ["m"]


def test_a_refused_request_changes_no_value(server, client, with_secret):
    unknown = "tool-00000000-0000-4000-8000-000000000000"
    with pytest.raises(APIStatusError):
        client.agents.update(with_secret.id, secrets={"KEY": "other", "NEW": "n"}, tool_ids=[unknown])
    assert probe(client, with_secret.id) == VALUE
    assert list(kept(server).values()) == [VALUE]
    with pytest.raises(APIStatusError):
        client.agents.create(model="openai/gpt-4.1", secrets={"A": "a"}, tool_ids=[unknown])
    assert list(kept(server).values()) == [VALUE]


def test_a_value_that_cannot_be_had_is_said_to_the_one_who_needs_it(server, client, with_secret):
    other = client.tools.create(source_code='def other() -> int:\n    """Needs nothing."""\n    return 7\n')
    client.agents.tools.attach(other.id, agent_id=with_secret.id)
    server.process.kill()
    (server.data / "secrets.json").unlink()
    server.start()
    client = sdk(server)
    failed = client.agents.tools.run("probe", agent_id=with_secret.id, args={})
    assert failed.status == "error" and "variable KEY is not known here; enter it again" in failed.func_return
    assert client.agents.tools.run("other", agent_id=with_secret.id, args={}).func_return == 7


def test_values_an_older_version_wrote_into_rows_are_moved(server, client, with_secret):
    server.process.stop()
    (server.data / "secrets.json").unlink()
    with sqlite3.connect(server.data / "loci.db") as rows:
        rows.execute("UPDATE agent_secrets SET value = ?", (VALUE,))
    rows.close()
    server.start()
    assert probe(sdk(server), with_secret.id) == VALUE
    wait_until(lambda: VALUE in kept(server).values())
    wait_until(lambda: not any(VALUE.encode() in path.read_bytes() for path in server.data.glob("loci.db*")))
    assert probe(sdk(server), with_secret.id) == VALUE


def test_values_go_with_a_deleted_agent_when_it_goes_for_good(server, client, http, with_secret):
    client.agents.delete(with_secret.id)
    assert VALUE in kept(server).values()
    assert http.post(f"/workbench/deleted-agents/{with_secret.id}/restore").status_code == 204
    assert probe(client, with_secret.id) == VALUE
    client.agents.delete(with_secret.id)
    assert http.delete(f"/workbench/deleted-agents/{with_secret.id}").status_code == 204
    assert kept(server) == {}


def test_one_may_choose_that_values_are_forgotten(tmp_path, model):
    server = Server(tmp_path / "data", model, "--secrets", "memory")
    client = sdk(server)
    tool = client.tools.create(source_code=PROBE)
    agent = client.agents.create(model="openai/gpt-4.1", tool_ids=[tool.id], secrets={"KEY": VALUE})
    assert probe(client, agent.id) == VALUE
    server.process.kill()
    server.start()
    assert "enter it again" in probe(sdk(server), agent.id)
    assert not (server.data / "secrets.json").exists()
    server.close()
