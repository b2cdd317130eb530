"""The same UI, served by `loci serve --ui` and opened in Chromium."""

import pytest
from support.programs import TOKEN, Server
from support.window import Browser
from test_window import block_value, create_agent, say


@pytest.fixture
def served(tmp_path, model):
    server = Server(tmp_path / "data", model, "--ui")
    yield server
    server.close()


def test_the_served_ui_talks_to_an_agent_under_its_content_policy(served, model):
    browser = Browser(f"{served.url}/#token={TOKEN}")
    try:
        create_agent(browser)
        assert TOKEN not in browser.js("return location.href"), "the token does not stay in the address"
        model.script(
            {"tool_calls": [{"name": "memory_insert", "arguments": {"label": "human", "new_string": "Likes tea."}}]},
            {"text": "Tea it is."},
        )
        say(browser, "I like tea")
        browser.wait("main, body", "Tea it is.")
        browser.until(lambda: "Likes tea." in (block_value(browser, "human") or ""), "the block to change")
        browser.shot("11-browser")
        refused = [line for line in browser.log() if "Content Security Policy" in line]
        assert refused == []
    finally:
        browser.close()


def test_without_the_token_the_page_shows_nothing_of_ones_agents(served):
    browser = Browser(served.url + "/")
    try:
        browser.until(lambda: browser.js("return document.body.innerText.trim().length > 0"), "a page")
        assert browser.js("return fetch('/v1/agents/').then((r) => r.status)") == 401
    finally:
        browser.close()
