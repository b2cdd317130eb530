"""Deciding in Chromium, over HTTP: several calls at once, rules that are rehearsed, seen, tested and revoked, a tool that
became another one, and the log."""

import json

import httpx
import pytest
from page import COLUMNS, choose, say
from support.programs import TOKEN

CARD = "[role=alertdialog]"
SEND = '''def send(to: str, password: str) -> str:
    """Send a greeting.

    Args:
        to: Whom.
        password: What opens the door.
    """
    return "sent to " + to
'''


def call(name, **arguments):
    return {"name": name, "arguments": arguments}


class Scene:
    """A server, an agent on it with a folder and a tool, and a page."""

    def __init__(self, server, page, folder, model):
        self.model, self.page, self.folder = model, page, folder
        self.folder.mkdir()
        (self.folder / "list.md").write_text("one\ntwo\nthree\n")
        self.http = httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30)
        self.agent = self.ask("POST", "/v1/agents/", {
            "name": "Mercury", "model": "openai/gpt-4.1",
            "model_settings": {"provider_type": "openai", "parallel_tool_calls": True},
        })["id"]
        folders = [{"path": str(self.folder)}]
        self.ask("PUT", "/workbench/client-tools/folders", {"agent_id": self.agent, "folders": folders})
        self.page.click("nav button", "Mercury")
        self.page.wait("textarea")

    def ask(self, method, path, body=None):
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def tool(self, source):
        tool = self.ask("PUT", "/v1/tools/", {"source_code": source, "default_requires_approval": True})
        self.ask("PATCH", f"/v1/agents/{self.agent}/tools/attach/{tool['id']}")
        return tool["id"]

    def calls(self, *calls):
        """The agent makes these calls at once."""
        self.model.script({"tool_calls": list(calls)})
        say(self.page, "Go on")

    def reply(self, text):
        self.model.script({"text": text})
        return text

    def returned(self):
        """What the model was told of the calls of the last step, by call."""
        messages = self.model.requests()[-1]["messages"]
        last = max(at for at, message in enumerate(messages) if message["role"] == "assistant" and message.get("tool_calls"))
        names = {one["id"]: one["function"]["name"] for one in messages[last]["tool_calls"]}
        return {names[one["tool_call_id"]]: one["content"] for one in messages[last + 1:] if one["role"] == "tool"}

    def card(self):
        return self.page.js("return document.querySelector(arguments[0])?.innerText ?? ''", CARD)


@pytest.fixture
def scene(served, page, tmp_path, model):
    made = Scene(served, page, tmp_path / "notes", model)
    yield made
    made.http.close()


def test_calls_made_at_once_are_decided_one_by_one_and_sent_together(scene):
    page = scene.page
    scene.calls(
        call("edit_file", path="list.md", old_text="two", new_text="zwei"),
        call("write_file", path="new.md", content="fresh\n"),
        call("read_file", path="list.md"),
    )
    page.wait(CARD, "Mercury asks to use 3 tools")
    # A change is shown as one; invisible letters would be named; Escape leads away and decides nothing.
    assert page.find(f"{CARD} section[aria-label='Changes to the file']", "+zwei")
    page.js("document.querySelector(arguments[0]).focus()", CARD)
    page.key("Escape")
    page.wait(CARD, "Mercury asks to use 3 tools")
    page.wait(f"{CARD} button[disabled]", "Send decisions")
    page.click(f"{CARD} button", "Allow all shown")
    page.js(
        "[...document.querySelectorAll('[role=alertdialog] fieldset')][1].querySelector('button[aria-keyshortcuts=\"Alt+4\"]').click()"
    )
    page.wait(f"{CARD} button[disabled]", "Send decisions")
    page.fill("Why not (the agent reads this)", "Not another file.")
    page.shot("25-parallel")
    done = scene.reply("One changed, none new.")
    page.click(f"{CARD} button", "Send decisions")
    page.wait(COLUMNS, done)
    page.gone(CARD)
    assert (scene.folder / "list.md").read_text() == "one\nzwei\nthree\n"
    assert not (scene.folder / "new.md").exists()
    told = scene.returned()
    assert "Not another file." in told["write_file"]
    assert "zwei" in told["read_file"]


def test_a_rule_is_rehearsed_then_answers_by_itself_until_it_is_revoked(scene):
    page = scene.page
    write = call("write_file", path="diary.md", content="Day one.\n")
    scene.calls(write)
    page.wait(CARD, "write_file")
    page.js("document.querySelector(arguments[0]).focus()", CARD)
    done = scene.reply("Written once.")
    page.key("Alt", "1")
    page.wait(COLUMNS, done)

    scene.calls(call("write_file", path="diary.md", content="Day two.\n"))
    page.wait(CARD, "write_file")
    page.click(f"{CARD} button", "Allow …")
    choose(page, "What", "pattern")
    page.fill("Pattern", "*.md")
    page.wait(f"{CARD} summary", "Would have matched 1 of the last 1 calls")
    page.click(f"{CARD} summary", "Would have matched")
    page.wait(f"{CARD} details li", "write_file")
    page.shot("18-remember")
    done = scene.reply("Written twice.")
    page.click(f"{CARD} button", "Allow and remember")
    page.wait(COLUMNS, done)

    # From now on nobody is asked about such calls.
    scene.model.script({"tool_calls": [call("write_file", path="other.md", content="x\n")]}, {"text": "Written thrice."})
    say(page, "Go on")
    page.wait(COLUMNS, "Written thrice.")
    assert (scene.folder / "other.md").read_text() == "x\n"

    page.click("nav button", "Approvals")
    page.click("[role=tab]", "Rules")
    page.wait("li", "allow write_file")
    page.wait("li", "used once")
    page.fill("Tool", "write_file")
    page.fill("Arguments (JSON)", json.dumps({"path": "third.md", "content": ""}))
    choose(page, "Agent", scene.agent)
    page.click("button", "What would happen?")
    page.wait("form [role=status]", "Allow")
    page.shot("19-rule")
    page.click("li button", "Revoke")
    page.gone("li", "allow write_file")

    # Every decision is in the log, and of the rule what it is.
    page.click("[role=tab]", "Log")
    page.wait("li", "Rule revoked")
    page.wait("li", "allow write_file")
    page.wait("li", "a rule")
    page.shot("20-log")
    page.click("nav button", "Mercury")
    scene.calls(call("write_file", path="fourth.md", content="x\n"))
    page.wait(CARD, "fourth.md")
    assert not (scene.folder / "fourth.md").exists()


def test_a_tool_that_became_another_asks_again_and_shows_the_difference(scene):
    page = scene.page
    tool = scene.tool(SEND)
    scene.calls(call("send", to="ada\u202egpj.exe", password="hush"))
    page.wait(CARD, "send")
    assert "U+202E" in scene.card()
    assert "hush" not in scene.card()
    page.click(f"{CARD} button", "Show secrets")
    assert "hush" in scene.card()
    done = scene.reply("Sent.")
    page.click(f"{CARD} button", "Allow once")
    page.wait(COLUMNS, done)
    page.gone(CARD)

    # While it waits, it becomes another one: what was shown cannot be allowed, what it is now is shown.
    scene.calls(call("send", to="bob", password="hush"))
    page.wait(CARD, "bob")
    assert "Not what it was" not in scene.card()
    scene.ask("PATCH", f"/v1/tools/{tool}", {"source_code": SEND.replace("sent to", "sold to")})
    first = "Not what it was when it was first shown to you."
    page.wait(f"{CARD} section[aria-label='What changed']", first, seconds=20)
    assert '+    return "sold to " + to' in scene.card()
    page.shot("26-changed")
    done = scene.reply("Denied.")
    page.click(f"{CARD} button", "Deny")
    page.wait(COLUMNS, done)
    page.gone(CARD)

    # Afterwards the difference is to what was last allowed.
    scene.calls(call("send", to="eve", password="hush"))
    page.wait(f"{CARD} section[aria-label='What changed']", "Not what it was when you last allowed it.")
