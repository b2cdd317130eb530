"""The journeys a person makes, step by step; the window and the browser make the same ones."""

import json

import httpx
from page import COLUMNS, block_value, choose_folder, create_agent, say, seen_replies, watch_replies, words
from support.programs import TOKEN, Server

ALERT = "[role=alertdialog]"
t = words()
NOTE = {"tool_calls": [{"name": "read_file", "arguments": {"path": "note.txt"}}]}


def the_whole_way(desk, model, tmp_path):
    """From the first page to an agent on another server, on one data folder. `desk` opens the page and kills it."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "note.txt").write_text("The code is BLUE-HERON-42.")
    page = desk.open()
    begin(page)
    reply_streams(page, model)
    agent_edits_a_block(page, model)
    old_version_is_restored(page)
    person_edits_a_block(page, model)
    choose_folder(page, folder)
    client_tool_is_allowed(page, model)
    denial_tells_why(page, model)
    page = request_outlives_a_kill(desk, page, model)
    remote = Server(tmp_path / "remote", model)
    try:
        other_server_is_used(page, model, remote)
    finally:
        remote.close()


def begin(page):
    page.wait("h1", "Talk to an agent that remembers")
    create_agent(page)
    page.shot("1-agent-created")


def reply_streams(page, model):
    watch_replies(page)
    count = "one two three four five six seven eight nine ten eleven twelve"
    model.script({"reasoning": "A greeting.", "text": f"Hello Ada, **good** to meet you: {count}.", "chunk_delay_ms": 60})
    say(page, "Hello there")
    page.wait(COLUMNS, f"{count}.")
    grown = [text for text in seen_replies(page) if "Hello" in text]
    assert len(grown) > 3, f"the reply came all at once: {grown}"
    assert page.js("return [...document.querySelectorAll('strong, [data-streamdown=strong]')].some((e) => e.innerText === 'good')")
    page.shot("2-first-reply")


def agent_edits_a_block(page, model):
    model.script(
        {"tool_calls": [{"name": "memory_insert", "arguments": {"label": "human", "new_string": "Likes herons."}}]},
        {"text": "I will remember the herons."},
    )
    say(page, "I like herons")
    page.wait(COLUMNS, "I will remember the herons.")
    page.until(lambda: "Likes herons." in (block_value(page, "human") or ""), "the block to change")
    page.shot("3-block-changed")


def old_version_is_restored(page):
    page.click("button", "History of human")
    page.wait("[role=dialog]", "Every change is kept")
    page.click("[role=dialog] nav button", "Version 1")
    page.wait("[role=dialog]", "Likes herons.")
    page.shot("4-history")
    page.click("[role=dialog] button", "Restore this version")
    page.wait("[role=dialog] [role=status]", "Version 1 is restored.")
    page.key("Escape")
    page.gone("[role=dialog]")
    assert block_value(page, "human") == "Name: Ada."


def person_edits_a_block(page, model):
    page.click("button[aria-label='Edit human']")
    page.fill("Value of human", "Name: Ada Lovelace.")
    page.click("button", "Save")
    page.until(lambda: block_value(page, "human") == "Name: Ada Lovelace.", "the edit to be kept")
    model.script({"text": "Noted."})
    say(page, "Who am I?")
    page.wait(COLUMNS, "Noted.")
    assert "Name: Ada Lovelace." in model.requests()[-1]["messages"][0]["content"]


def client_tool_is_allowed(page, model):
    model.script(NOTE)
    say(page, "Read my note")
    page.wait(ALERT, "read_file")
    assert "note.txt" in page.js(f"return document.querySelector('{ALERT}').innerText")
    page.shot("5-approval")
    # Escape decides nothing, and nothing is chosen in advance.
    assert page.js("return document.activeElement.innerText !== 'Allow once'")
    page.key("Escape")
    page.wait(ALERT, "read_file")

    model.script({"text": "It says BLUE-HERON-42."})
    page.click(f"{ALERT} button", "Allow once")
    page.wait(COLUMNS, "It says BLUE-HERON-42.")
    page.gone(ALERT)
    assert "The code is BLUE-HERON-42." in json.loads(returned(model)["content"])["message"]
    page.shot("6-allowed")


def denial_tells_why(page, model):
    model.script(NOTE)
    say(page, "Read it again")
    page.click(f"{ALERT} button", "Deny and say why")
    page.fill("Why not (the agent reads this)", "Once is enough.")
    model.script({"text": "As you wish."})
    page.click(f"{ALERT} button", "Send denial")
    page.wait(COLUMNS, "As you wish.")
    page.gone(ALERT)
    assert "Once is enough." in returned(model)["content"]


def request_outlives_a_kill(desk, page, model):
    model.script(NOTE)
    say(page, "And once more")
    page.wait(ALERT, "read_file")
    calls = len(model.requests())
    desk.kill()
    page = desk.open()
    page.click("button, a, [role=option]", "Mercury")
    page.wait(ALERT, "read_file")
    page.shot("7-approval-after-restart")
    assert len(model.requests()) == calls, "nothing goes on by itself"
    model.script({"text": "It still says BLUE-HERON-42."})
    page.click(f"{ALERT} button", "Allow once")
    page.wait(COLUMNS, "It still says BLUE-HERON-42.")
    page.gone(ALERT)
    assert "The code is BLUE-HERON-42." in json.loads(returned(model)["content"])["message"]
    return page


def other_server_is_used(page, model, remote):
    connections(page)
    page.fill("Address", remote.url)
    page.fill("Name", "Elsewhere")
    page.fill("API key", TOKEN)
    page.click("button", "Add server")
    page.click("li[aria-label=Elsewhere] button", "Use")
    page.wait("li[aria-label=Elsewhere]", "in use")
    page.shot("8-connections")
    create_agent(page, "Hermes", human="Name: Grace.")
    model.script({"text": "Greetings from elsewhere."})
    say(page, "Where are you?")
    page.wait(COLUMNS, "Greetings from elsewhere.")
    # The same panels: its memory is shown, and what the model was told is that agent's.
    page.until(lambda: block_value(page, "human") == "Name: Grace.", "the other agent's memory")
    assert "Name: Grace." in model.requests()[-1]["messages"][0]["content"]
    page.shot("9-remote")
    there = httpx.get(f"{remote.url}/v1/agents/", headers={"authorization": f"Bearer {TOKEN}"}).json()
    assert [agent["name"] for agent in there] == ["Hermes"]
    assert TOKEN not in page.js("return document.documentElement.outerHTML")
    # Gone, it is said once for all, and nothing freezes; what was written is not lost.
    remote.close()
    say(page, "Still there?")
    page.wait("[role=status]", "Elsewhere cannot be reached")
    page.wait("main button", "Send again")
    page.shot("10-remote-gone")
    # Back on this machine nothing of it is left.
    page.click("button", t("reach.useLocal"))
    page.gone("nav button", "Hermes")
    page.wait("nav button", "Mercury")


def connections(page):
    page.click("nav button", "Models")
    page.click("[role=tab]", "Connections")
    page.wait("button", "Add server")


def returned(model):
    """What the model was told last of a tool."""
    return [message for message in model.requests()[-1]["messages"] if message["role"] == "tool"][-1]
