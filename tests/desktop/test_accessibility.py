"""axe looks at every place and dialog of the served UI, light and dark, in each language: no violation of WCAG 2.2 A, AA."""

import json

import httpx
import pytest
from page import Keyboard, choose_folder, create_agent, say, words
from support.programs import ROOT, TOKEN
from support.window import browse, free_port

AXE = (ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js").read_text()
# A bar's parts may be small: each is a row of the list below it as well.
RULES = {"target-size": {"enabled": False}}
LIGHT = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "rules": RULES}
# Only colours differ in the dark.
DARK = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
LANGUAGES = sorted(path.stem for path in (ROOT / "ui" / "src" / "i18n").glob("*.json"))
ALERT = "[role=alertdialog]"
DIALOG = "[role=dialog]"
REPLY = "# Done\n\n```python\nprint('hi')  # note\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> [A link](https://example.org), *and* `code`."
STILL = """
    return document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)
"""


class Look:
    """A served page in one language, what it is called there, and axe."""

    def __init__(self, server, model, language):
        self.server, self.model, self.t = server, model, words(language)
        self.http = httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30)
        self.http.patch("/workbench/settings", json={"language": language}).raise_for_status()
        self.page = browse(server)
        self.page.until(lambda: self.page.js("return document.documentElement.lang") == language, f"the page in '{language}'")
        self.page.js(AXE)
        self.seen = []

    def violations(self, options):
        found = self.page.call("POST", "/execute/async", {
            "script": """
                const [options, done] = arguments;
                axe.run(document, options).then((all) => done(all.violations), (e) => done(String(e)));
            """,
            "args": [options],
        })
        assert isinstance(found, list), found
        return [
            {"rule": one["id"], "help": one["help"], "where": [
                node["html"][:200] + " " + (node["any"] or [{"message": ""}])[0]["message"][:160] for node in one["nodes"][:3]
            ]}
            for one in found
        ]

    def at(self, what):
        """What is on screen now is for everybody, in both lights."""
        for theme, options in (("light", LIGHT), ("dark", DARK)):
            self.page.js("document.documentElement.dataset.theme = arguments[0]", theme)
            # Colours that fade in are judged when they are there.
            self.page.until(lambda: self.page.js(STILL), "the page to be still")
            self.seen += [{"at": f"{what}, {theme}"} | one for one in self.violations(options)]

    def leave(self, css=DIALOG):
        self.page.key("Escape")
        self.page.gone(css)

    def menu(self, button, item):
        self.page.click(f"button[aria-label='{button}']")
        self.page.click("[role=menuitem]", item)

    def tab(self, name):
        self.page.click("[role=tab]", name)
        self.page.wait("[role=tab][aria-selected=true]", name)

    def close(self):
        self.page.close()
        self.http.close()


@pytest.fixture(params=LANGUAGES)
def look(request, served, model):
    opened = Look(served, model, request.param)
    yield opened
    opened.close()


def test_every_place_and_dialog_can_be_used_by_everybody(look, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "note.txt").write_text("A heron.\n")
    for part in (first_page, conversation, inspector, memory, agents, palette, lambda one: approvals(one, folder), places, elsewhere):
        part(look)
    assert look.seen == [], json.dumps(look.seen, indent=1, ensure_ascii=False)


def first_page(look):
    page, t = look.page, look.t
    page.wait("h1", t("firstRun.heading"))
    look.at("the first page")
    page.click("button", t("agents.createFirst"))
    page.wait(DIALOG, t("agents.createHeading"))
    look.at("the form of a new agent")
    page.click(f"{DIALOG} button[role=combobox]")
    page.wait("[role=option]", "gpt-4.1")
    look.at("choosing a model")
    look.leave("[cmdk-input]")
    look.leave()
    create_agent(page, t=t)


def conversation(look):
    page, t = look.page, look.t
    look.at("a conversation without messages")
    look.model.script({"reasoning": "A plan.", "text": REPLY})
    say(page, "Show me", t)
    page.wait("article[data-role=agent] code", "print")
    page.click("article[data-role=agent] button[aria-expanded], article[data-role=agent] summary")
    look.at("a reply")
    look.model.script({"tool_calls": [{"name": "memory_insert", "arguments": {"label": "human", "new_string": "Likes herons."}}]}, {"text": "Noted."})
    say(page, "I like herons", t)
    page.wait("main", "Noted.")
    page.wait("article[data-role=agent]", "memory_insert")
    look.model.script({"status": 500, "error": {"message": "out of order"}})
    look.model.default({"status": 500, "error": {"message": "out of order"}})
    say(page, "And now?", t)
    page.wait("[role=alert]", t("fault.model"), seconds=60)
    look.at("a run that failed")
    page.click("[role=alert] button", t("common.dismiss"))
    look.model.reset()
    page.click(f"button[aria-label='{t('chat.more')}']")
    page.wait("[role=menu]")
    look.at("the menu of a conversation")
    look.leave("[role=menu]")
    page.click("header button", t("conversations.main"))
    page.wait("h2", t("conversations.heading"))
    look.at("the list of conversations")
    page.key("Escape")


def inspector(look):
    t = look.t
    for name in ("tools", "context", "runs", "archive", "memory"):
        look.tab(t(f"inspector.{name}"))
        look.at(f"the inspector's {name}")
    look.tab(t("inspector.tools"))
    look.page.click("button", t("tools.attach"))
    look.page.wait(DIALOG)
    look.at("attaching a tool")
    look.leave()
    look.tab(t("inspector.archive"))
    look.page.click("button", t("archive.add"))
    look.page.wait(DIALOG)
    look.at("adding a passage")
    look.leave()
    look.tab(t("inspector.memory"))


def memory(look):
    page, t = look.page, look.t
    page.click("button", t("block.history", label="human"))
    page.click(f"{DIALOG} nav button", t("block.version", version=1))
    page.wait(DIALOG, "Likes herons.")
    look.at("comparing versions")
    look.leave()
    for item, heading in (("settings", "settingsHeading"), ("detach", "detachHeading")):
        look.menu(t("block.more", label="human"), t(f"block.{item}"))
        page.wait(f"{DIALOG}, {ALERT}", t(f"block.{heading}", label="human"))
        look.at(f"a block's {item}")
        look.leave(f"{DIALOG}, {ALERT}")
    for item in ("create", "attach"):
        page.click("button", t(f"block.{item}"))
        page.wait(DIALOG, t(f"block.{item}Heading"))
        look.at(f"{item} a block")
        look.leave()
    # Somebody else changes the block that is being edited.
    page.click(f"button[aria-label='{t('block.edit', label='human')}']")
    page.fill(t("block.valueLabel", label="human"), "Mine.")
    look.at("a block being edited")
    [agent] = look.http.get("/v1/agents/").json()
    look.http.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/human", json={"value": "Theirs."}).raise_for_status()
    look.model.script({"text": "Seen."})
    say(page, "Look again", t)
    page.wait("[data-testid=block]", t("block.conflict"))
    look.at("a block changed by both")
    page.click("button", t("block.compare"))
    page.wait(DIALOG, t("block.mergeHeading", label="human"))
    page.wait(f"{DIALOG} .cm-content")
    look.at("merging a block")
    look.leave()
    page.click("button", t("block.takeTheirs"))


def agents(look):
    page, t = look.page, look.t
    look.menu(t("agents.more", name="Mercury"), t("agents.settings"))
    page.wait(DIALOG, t("agentSettings.heading", name="Mercury"))
    for section in ("general", "model", "instructions", "rules", "secrets", "compaction"):
        page.click(f"{DIALOG} [role=tab]", t(f"agentSettings.section.{section}"))
        look.at(f"an agent's settings: {section}")
    look.leave()
    for item, heading in (("rename", "renameHeading"), ("deleteShort", "deleteHeading")):
        look.menu(t("agents.more", name="Mercury"), t(f"agents.{item}"))
        page.wait(f"{DIALOG}, {ALERT}", t(f"agents.{heading}", name="Mercury"))
        look.at(f"an agent's {item}")
        look.leave(f"{DIALOG}, {ALERT}")


def palette(look):
    page, t = look.page, look.t
    page.click("nav button", t("rail.search"))
    page.wait(f"{DIALOG} [role=combobox]")
    look.at("the palette")
    page.js("arguments[0].focus(); document.execCommand('insertText', false, 'heron')", page.find(f"{DIALOG} [role=combobox]"))
    page.wait(f"{DIALOG} [role=option]", "heron")
    look.at("the palette with what was found")
    look.leave()
    page.js("document.querySelector('textarea').focus()")
    Keyboard(page).press("Control", "/")
    page.wait(DIALOG, t("shortcuts.explanation"))
    look.at("the keyboard shortcuts")
    look.leave()


def approvals(look, folder):
    page, t = look.page, look.t
    choose_folder(page, folder, t)
    look.model.script({"tool_calls": [{"name": "read_file", "arguments": {"path": "note.txt"}}]})
    say(page, "Read it", t)
    page.wait(ALERT, "read_file")
    look.at("a request")
    page.click(f"{ALERT} button", t("approval.edit"))
    page.wait(f"{ALERT} textarea")
    look.at("arguments being edited")
    page.click(f"{ALERT} button", t("approval.undoEdit"))
    page.click(f"{ALERT} button", t("approval.allowMore"))
    page.wait(f"form[aria-label='{t('approval.remember.label')}'] button:not([disabled])", t("approval.remember.submit"))
    look.at("allowing from now on")
    page.click(f"{ALERT} button", t("approval.denyWithReason"))
    page.wait(f"{ALERT} label", t("approval.reasonLabel"))
    look.at("denying with a reason")
    page.click("nav button", t("rail.approvals"))
    page.wait("h1", t("approvals.heading"))
    page.wait("main fieldset", "read_file")
    look.at("the inbox")
    page.click("main button", t("approval.allowMore"))
    page.wait(f"form[aria-label='{t('approval.remember.label')}'] button:not([disabled])", t("approval.remember.submit"))
    look.model.script({"tool_calls": [{"name": "write_file", "arguments": {"path": "new.txt", "content": "An egret.\n"}}]})
    page.click("main form button", t("approval.remember.submit"))
    page.wait("main fieldset", "write_file")
    look.at("a dangerous request in the inbox")
    look.tab(t("approvals.tabs.rules"))
    page.wait("[role=tabpanel]", "read_file")
    look.at("the rules")
    look.tab(t("approvals.tabs.log"))
    page.wait("[role=tabpanel]", "read_file")
    look.at("the log")
    page.click("nav button", "Mercury")
    page.wait(ALERT, "write_file")
    look.at("a dangerous request")
    look.model.script({"text": "As you wish."})
    page.click(f"{ALERT} button", t("approval.deny"))
    page.gone(ALERT)


def places(look):
    page, t = look.page, look.t
    page.click("nav button", t("rail.workshop"))
    page.wait("h1", t("workshop.heading"))
    look.at("the workshop")
    page.click("button", t("workshop.create"))
    page.wait(DIALOG)
    look.at("the beginnings of a tool")
    page.click(f"{DIALOG} button", t("workshop.gallery.empty"))
    page.gone(DIALOG)
    page.wait(".cm-content")
    for name in ("test", "schema", "settings", "agents", "history"):
        look.tab(t(f"workshop.tabs.{name}"))
        look.at(f"the workshop's {name}")
    page.click("button", t("workshop.create"))
    page.click(f"{DIALOG} button", t("workshop.gallery.machine"))
    page.gone(DIALOG)
    page.wait("section header h2", "count_lines")
    page.click("section header button", t("workshop.save"))
    page.wait("section[aria-labelledby=machine-tools] li", "count_lines")
    look.tab(t("workshop.tabs.settings"))
    look.at("the settings of a tool of this machine")
    look.tab(t("workshop.tabs.agents"))
    page.click("[role=tabpanel] [role=switch]", "Mercury")
    page.wait("[role=tabpanel] [role=switch][aria-checked=true]")
    look.at("the agents of a tool of this machine")

    page.click("nav button", t("rail.models"))
    for name in ("connections.tab", "usage.tab", "models.tab"):
        look.tab(t(name))
        look.at(f"{name} of the models page")
    look.tab(t("usage.tab"))
    page.click("button", t("budgets.add"))
    page.wait(DIALOG)
    look.at("a new budget")
    look.leave()

    page.click("nav button", t("rail.settings"))
    page.wait("h1", t("settings.heading"))
    look.at("the settings")


def elsewhere(look):
    """A server that is not there."""
    page, t = look.page, look.t
    page.click("nav button", t("rail.models"))
    look.tab(t("connections.tab"))
    page.fill(t("connections.address"), f"http://127.0.0.1:{free_port()}")
    page.fill(t("connections.name"), "Elsewhere")
    page.click("button", t("connections.addSubmit"))
    page.click("li[aria-label=Elsewhere] button", t("connections.use"))
    page.wait("li[aria-label=Elsewhere]", t("connections.inUse"))
    page.wait(f"section[aria-label='{t('reach.label')}'] [role=status]", "Elsewhere")
    look.at("a server out of reach")
    page.click("nav button", "Elsewhere")
    page.wait("[role=menu]")
    look.at("the choice of a server")
