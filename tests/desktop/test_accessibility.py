"""axe looks at every place of the served UI, light and dark: no violation of WCAG 2.2 A and AA."""

import json

import pytest
from support.programs import ROOT, TOKEN, Server
from support.window import Browser
from test_window import create_agent, say

AXE = (ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PLACES = ["Approvals", "Workshop", "Models", "Settings"]
TABS = ["Memory", "Tools", "Context", "Runs"]


@pytest.fixture
def browser(tmp_path, model):
    server = Server(tmp_path / "data", model, "--ui")
    opened = Browser(f"{server.url}/#token={TOKEN}")
    yield opened
    opened.close()
    server.close()


def violations(browser):
    """What axe objects to now. A bar's parts may be small: each is a row of the list below it as well."""
    browser.js(AXE)
    found = browser.call("POST", "/execute/async", {
        "script": """
            const [tags, done] = arguments;
            const rules = { 'target-size': { enabled: false } };
            axe.run(document, { runOnly: tags, rules }).then((all) => done(all.violations), (e) => done(String(e)));
        """,
        "args": [TAGS],
    })
    assert isinstance(found, list), found
    return [
        {"rule": one["id"], "help": one["help"], "where": [node["html"][:200] for node in one["nodes"][:3]]}
        for one in found
    ]


def check(browser, what):
    for theme in ("light", "dark"):
        browser.js("document.documentElement.dataset.theme = arguments[0]", theme)
        # Colours that fade in are judged when they are there.
        browser.until(
            lambda: browser.js("return document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)"),
            "the page to be still",
        )
        found = violations(browser)
        assert found == [], f"{what}, {theme}: {json.dumps(found, indent=1)}"


def test_every_place_can_be_used_by_everybody(browser, model):
    browser.wait("h1", "Talk to an agent that remembers")
    check(browser, "the first page")

    browser.click("button", "New agent")
    browser.wait("[role=dialog]", "New agent")
    check(browser, "the form of a new agent")
    browser.key("Escape")
    browser.gone("[role=dialog]")

    create_agent(browser)
    model.script({"reasoning": "A plan.", "text": "# Done\n\n```python\nprint('hi')  # note\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |"})
    say(browser, "Show me")
    browser.wait("article[data-role=agent] code", "print")
    for tab in TABS:
        browser.click("[role=tab]", tab)
        browser.wait("[role=tab][aria-selected=true]", tab)
        check(browser, f"the conversation with {tab}")

    browser.click("button", "Main conversation")
    browser.wait("h2", "Conversations")
    check(browser, "the list of conversations")
    browser.key("Escape")

    browser.click("nav button", "Search")
    browser.wait("[role=dialog] [role=combobox]")
    check(browser, "the palette")
    browser.key("Escape")
    browser.gone("[role=dialog]")

    for place in PLACES:
        browser.click("nav button", place)
        browser.wait("main h1, main h2")
        check(browser, place)
