"""A small context window: old messages are summarised away, stay in the history, and are found again."""

import pytest
from letta_client import BadRequestError, Letta
from support.programs import TOKEN

WINDOW = 6_000


def words(number):
    return f"Fact number {number}: the {number}th cup is blue. " + "It stands on the shelf by the window. " * 30


def agent_with(client, **more):
    return client.agents.create(
        model="openai/gpt-4.1",
        memory_blocks=[{"label": "human", "value": "Eve"}],
        include_base_tools=True,
        system="You are kind.",
        context_window_limit=WINDOW,
        **more,
    )


def is_summary(request):
    return "<transcript>" in str(request["messages"][-1]["content"])


def test_a_long_talk_fits_a_small_window(server, model, client):
    model.default({"text": "Noted."})
    agent = agent_with(client)
    asked = set()
    for number in range(30):
        before = len(model.requests())
        client.agents.messages.create(agent.id, messages=[{"role": "user", "content": words(number)}])
        asked.update(index + before for index, request in enumerate(model.requests()[before:]) if is_summary(request))
    assert asked, "a summary was asked for"
    largest = max(len(str(request)) for request in model.requests() if not is_summary(request))
    assert largest < WINDOW * 4 * 1.3, f"no request is much larger than the window: {largest}"

    everything = [m for m in client.agents.messages.list(agent.id, limit=1000, order="asc").items if m.message_type == "user_message"]
    said = [m for m in everything if isinstance(m.content, str) and m.content.startswith("Fact number")]
    assert [m.content for m in said] == [words(number) for number in range(30)], "nothing is lost"
    found = client.messages.search(query="Fact number 3")
    assert any("Fact number 3:" in str(item.content) for item in found)
    in_view = client.agents.retrieve(agent.id).message_ids
    assert said[0].id not in in_view and said[-1].id in in_view

    summaries = client.agents.messages.list(agent.id, include_return_message_types=["summary_message"]).items
    assert summaries and summaries[-1].summary == "Noted."
    assert summaries[-1].compaction_stats.context_window == WINDOW
    assert summaries[-1].id in in_view


def test_a_stream_that_asks_is_told(server, model, client):
    model.default({"text": "Noted."})
    agent = agent_with(client)
    for number in range(3):
        client.agents.messages.create(agent.id, messages=[{"role": "user", "content": words(number)}])
    model.script({"text": "Full.", "usage": {"prompt_tokens": 5_900, "completion_tokens": 5}}, {"text": "In short: cups."})
    stream = client.agents.messages.create(
        agent.id,
        messages=[{"role": "user", "content": "go"}],
        streaming=True,
        stream_tokens=True,
        include_compaction_messages=True,
    )
    kinds, summary = [], None
    for event in stream:
        if event.message_type == "ping":
            continue
        if not kinds or kinds[-1] != event.message_type:
            kinds.append(event.message_type)
        if event.message_type == "summary_message":
            summary = event.summary
    assert kinds == ["assistant_message", "event_message", "summary_message", "stop_reason", "usage_statistics"]
    assert summary == "In short: cups."


def test_it_can_be_asked_for(server, model, client):
    model.default({"text": "Noted."})
    agent = agent_with(client)
    for number in range(4):
        client.agents.messages.create(agent.id, messages=[{"role": "user", "content": words(number)}])
    model.script({"text": "Four cups."})
    done = client.agents.messages.compact(agent.id, compaction_settings={"mode": "all", "model": "openai/gpt-4.1"})
    assert (done.summary, done.num_messages_before, done.num_messages_after) == ("Four cups.", 9, 2)
    again = client.agents.messages.compact(agent.id)
    assert (again.summary, again.num_messages_after) == ("Four cups.", 2), "there is nothing more to do"

    conversation = client.conversations.create(agent_id=agent.id)
    for number in range(3):
        list(client.conversations.messages.create(conversation.id, messages=[{"role": "user", "content": words(number)}]))
    model.script({"text": "Three cups."})
    done = client.conversations.messages.compact(conversation.id)
    assert done.summary == "Three cups." and done.num_messages_after < done.num_messages_before == 7
    with pytest.raises(BadRequestError) as refused:
        lone = agent_with(client, initial_message_sequence=[{"role": "assistant", "content": "Hello."}])
        client.agents.messages.compact(lone.id)
    assert "would not make the context shorter" in str(refused.value)


def test_after_kill_the_summary_is_there_or_is_not(server, model, client):
    model.default({"text": "Noted."})
    agent = agent_with(client)
    for number in range(6):
        client.agents.messages.create(agent.id, messages=[{"role": "user", "content": words(number)}])
    client.agents.messages.compact(agent.id)
    before = client.agents.retrieve(agent.id).message_ids
    server.restart()
    client = Letta(base_url=server.url, api_key=TOKEN, max_retries=0)
    assert client.agents.retrieve(agent.id).message_ids == before
    answer = client.agents.messages.create(agent.id, messages=[{"role": "user", "content": "still there?"}])
    assert answer.messages[0].content == "Noted."
