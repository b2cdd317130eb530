"""The first window, driven in the real webview: create, chat, watch a block change, approve, restart, answer."""

import json

import httpx
from support.programs import TOKEN, Server
from support.window import Window

MODEL = "openai/gpt-4.1"


def create_agent(window, name="Mercury"):
    window.until(lambda: window.find("button", "Create an agent") or window.find("button", "New agent"), "the first page")
    if window.find("button", "Create an agent"):
        window.click("button", "Create an agent")
    else:
        window.click("button", "New agent")
    window.wait("[role=dialog]", "New agent")
    window.until(lambda: window.js(
        "return [...document.querySelectorAll('option')].some((o) => o.value === arguments[0])", MODEL
    ), "the model list")
    window.fill("Name", name)
    window.fill("Human", "Name: Ada.")
    window.js(
        """
        const [control, value] = arguments;
        Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(control, value);
        control.dispatchEvent(new Event('change', { bubbles: true }));
        """,
        window.labelled("Model"), MODEL,
    )
    window.click("button", "Create agent")
    window.gone("[role=dialog]")
    window.wait("textarea[aria-label=Message], textarea", None)


def say(window, text):
    window.fill("Message", text)
    window.key("Enter")


def block_value(window, label):
    return window.js(
        """
        const card = [...document.querySelectorAll('[data-testid=block]')].find((e) => e.querySelector('h1,h2,h3,h4')?.innerText === arguments[0]);
        return card?.querySelector('[data-testid=block-value]')?.innerText ?? null;
        """,
        label,
    )


def choose_folder(window, folder):
    window.click("[role=tab]", "Tools")
    window.fill("Folder", str(folder))
    window.click("button", "Use this folder")
    window.wait("button", "Remove")
    window.click("[role=tab]", "Memory")


def test_a_first_conversation(window, model, env, tmp_path):
    create_agent(window)
    window.shot("1-agent-created")

    model.script({"reasoning": "A greeting.", "text": "Hello Ada, **good** to meet you."})
    say(window, "Hello there")
    window.wait("main, body", "good to meet you")
    assert window.js("return [...document.querySelectorAll('strong, [data-streamdown=strong]')].some((e) => e.innerText === 'good')")
    window.shot("2-first-reply")

    # A block changes before one's eyes.
    model.script(
        {"tool_calls": [{"name": "memory_insert", "arguments": {"label": "human", "new_string": "Likes herons."}}]},
        {"text": "I will remember the herons."},
    )
    say(window, "I like herons")
    window.wait("main, body", "I will remember the herons.")
    window.until(lambda: "Likes herons." in (block_value(window, "human") or ""), "the block to change")
    window.shot("3-block-changed")

    # Every version is there to go back to.
    window.click("button", "History of human")
    window.wait("[role=dialog]", "Every change is kept")
    window.click("[role=dialog] nav button", "Version 1")
    window.wait("[role=dialog]", "Likes herons.")
    window.shot("4-history")
    window.click("[role=dialog] button", "Restore this version")
    window.wait("[role=dialog] [role=status]", "Version 1 is restored.")
    window.key("Escape")
    window.gone("[role=dialog]")
    assert block_value(window, "human") == "Name: Ada."

    # A person edits it; the model reads it.
    window.click("button[aria-label='Edit human']")
    window.fill("Value of human", "Name: Ada Lovelace.")
    window.click("button", "Save")
    window.until(lambda: block_value(window, "human") == "Name: Ada Lovelace.", "the edit to be kept")
    model.script({"text": "Noted."})
    say(window, "Who am I?")
    window.wait("main, body", "Noted.")
    assert "Name: Ada Lovelace." in model.requests()[-1]["messages"][0]["content"]


def test_a_client_tool_is_asked_for_and_allowed(window, model, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "note.txt").write_text("The code is BLUE-HERON-42.")
    create_agent(window)
    choose_folder(window, folder)

    model.script({"tool_calls": [{"name": "read_file", "arguments": {"path": "note.txt"}}]})
    say(window, "Read my note")
    window.wait("[role=alertdialog]", "read_file")
    assert "note.txt" in window.js("return document.querySelector('[role=alertdialog]').innerText")
    window.shot("5-approval")
    # Escape decides nothing, and nothing is chosen in advance.
    assert window.js("return document.activeElement.innerText !== 'Allow once'")
    window.key("Escape")
    window.wait("[role=alertdialog]", "read_file")

    model.script({"text": "It says BLUE-HERON-42."})
    window.click("[role=alertdialog] button", "Allow once")
    window.wait("main, body", "It says BLUE-HERON-42.")
    window.gone("[role=alertdialog]")
    returned = [m for m in model.requests()[-1]["messages"] if m["role"] == "tool"][-1]
    assert "The code is BLUE-HERON-42." in json.loads(returned["content"])["message"]
    window.shot("6-allowed")

    # And a denial, with its reason, reaches the agent.
    model.script({"tool_calls": [{"name": "read_file", "arguments": {"path": "note.txt"}}]})
    say(window, "Read it again")
    window.click("[role=alertdialog] button", "Deny and say why")
    window.fill("Why not (the agent reads this)", "Once is enough.")
    model.script({"text": "As you wish."})
    window.click("[role=alertdialog] button", "Send denial")
    window.wait("main, body", "As you wish.")
    returned = [m for m in model.requests()[-1]["messages"] if m["role"] == "tool"][-1]
    assert "Once is enough." in returned["content"]


def test_an_approval_survives_a_crash_of_the_window(display, env, model, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "note.txt").write_text("Kept for later.")
    window = Window(display, env)
    try:
        create_agent(window)
        choose_folder(window, folder)
        model.script({"tool_calls": [{"name": "read_file", "arguments": {"path": "note.txt"}}]})
        say(window, "Read my note")
        window.wait("[role=alertdialog]", "read_file")
    finally:
        window.kill()
    window = Window(display, env)
    try:
        window.click("button, a, [role=option]", "Mercury")
        window.wait("[role=alertdialog]", "read_file")
        window.shot("7-approval-after-restart")
        model.script({"text": "It says: kept for later."})
        window.click("[role=alertdialog] button", "Allow once")
        window.wait("main, body", "It says: kept for later.")
        window.gone("[role=alertdialog]")
    finally:
        window.close()


def test_agents_on_another_server_are_used_the_same_way(window, model, tmp_path):
    remote = Server(tmp_path / "remote", model)
    try:
        window.click("button", "Models")
        window.click("[role=tab]", "Connections")
        window.fill("Address", remote.url)
        window.fill("Name", "Elsewhere")
        window.fill("API key", TOKEN)
        window.click("button", "Add server")
        window.wait("li", "Elsewhere")
        window.click("li[aria-label=Elsewhere] button", "Use")
        window.wait("li[aria-label=Elsewhere]", "in use")
        window.shot("8-connections")
        create_agent(window, "Hermes")
        model.script({"text": "Greetings from elsewhere."})
        say(window, "Where are you?")
        window.wait("main, body", "Greetings from elsewhere.")
        window.shot("9-remote")
        there = httpx.get(f"{remote.url}/v1/agents/", headers={"authorization": f"Bearer {TOKEN}"}).json()
        assert [agent["name"] for agent in there] == ["Hermes"]
        assert TOKEN not in window.js("return document.documentElement.outerHTML")
        # Gone, it is said, and nothing freezes.
        remote.close()
        say(window, "Still there?")
        window.wait("[role=alert]", "The other server did not answer")
        window.wait("[role=alert]", "Elsewhere cannot be reached")
        window.shot("10-remote-gone")
        # Back on this machine nothing of it is left.
        window.click("button", "Models")
        window.click("[role=tab]", "Connections")
        window.click("li button", "Use")
        window.gone("nav button", "Hermes")
    finally:
        remote.close()
