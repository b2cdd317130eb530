"""A deleted agent is gone from every /v1 route, also after a restart, and comes back with everything for 30 days."""

import httpx
import pytest

from support.programs import TOKEN


def test_a_deleted_agent_is_gone_everywhere_and_comes_back_with_everything(server, client, model, agent):
    from letta_client import Letta, NotFoundError

    tool = client.tools.create(source_code='def greet(name: str) -> str:\n    """Greets.\n\n    Args:\n        name: who\n    """\n    return "Hi " + name\n')
    client.agents.tools.attach(tool.id, agent_id=agent.id)
    model.default({"text": "A heron, indeed."})
    client.agents.messages.create(agent.id, input="I saw a heron.")
    talk = client.conversations.create(agent_id=agent.id)
    block = client.agents.blocks.retrieve("human", agent_id=agent.id)
    messages = [m.id for m in client.agents.messages.list(agent.id, order="asc")]
    assert len(messages) >= 3

    client.agents.delete(agent.id)
    server.restart()
    client = Letta(base_url=server.url, api_key=TOKEN, max_retries=0, timeout=30)
    http = httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30)
    with pytest.raises(NotFoundError):
        client.agents.retrieve(agent.id)
    with pytest.raises(NotFoundError):
        client.agents.messages.list(agent.id)
    with pytest.raises(NotFoundError):
        client.conversations.retrieve(talk.id)
    assert list(client.agents.list()) == [] and list(client.runs.list()) == []
    assert http.get("/v1/agents/count").json() == 0
    assert http.get(f"/v1/blocks/{block.id}/agents").json() == []
    assert http.post("/v1/messages/search", json={"query": "heron"}).json() == []
    assert server.doctor().returncode == 0

    kept = http.get("/workbench/deleted-agents").json()
    assert [(one["id"], one["name"]) for one in kept] == [(agent.id, "Mercury")]
    # Even a block of its own that somebody deletes meanwhile.
    client.blocks.delete(block.id)
    assert http.post(f"/workbench/deleted-agents/{agent.id}/restore").status_code == 204
    back = client.agents.retrieve(agent.id, include=["agent.blocks", "agent.tools"])
    assert {one.label: one.value for one in back.blocks} == {"human": "Name: Timber.", "persona": "I am calm."}
    assert tool.id in [one.id for one in back.tools]
    assert [m.id for m in client.agents.messages.list(agent.id, order="asc")] == messages
    assert client.conversations.retrieve(talk.id).agent_id == agent.id
    assert len(http.post("/v1/messages/search", json={"query": "heron"}).json()) >= 2
    client.agents.messages.create(agent.id, input="And now?")
    assert "I saw a heron." in str(model.requests()[-1]["messages"])
    assert server.doctor().returncode == 0


def test_deleted_for_good_is_gone(client, http, agent):
    client.agents.delete(agent.id)
    assert http.delete(f"/workbench/deleted-agents/{agent.id}").status_code == 204
    assert http.get("/workbench/deleted-agents").json() == []
    refused = http.post(f"/workbench/deleted-agents/{agent.id}/restore")
    assert refused.status_code == 404 and "30 days" in refused.json()["detail"]
