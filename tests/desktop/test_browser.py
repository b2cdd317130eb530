"""The same UI, served by `loci serve --ui` and opened in Chromium."""

import pathlib

import journeys
import support.window
from support.programs import TOKEN
from support.window import Browser, browse


class Desk:
    """The served page; a kill is a crash of the server, and the page is opened anew."""

    def __init__(self, server):
        self.server, self.browser, self.refused = server, None, []

    def open(self):
        if self.server.process.child.poll() is not None:
            self.server.start()
        self.browser = browse(self.server)
        return self.browser

    def kill(self):
        self.server.kill()
        self.close()

    def close(self):
        if self.browser:
            self.refused += [line for line in self.browser.log() if "Content Security Policy" in line]
            self.browser.close()
            self.browser = None


def test_the_same_way_over_http_under_the_content_policy(served, model, tmp_path, monkeypatch):
    monkeypatch.setattr(support.window, "SHOTS", pathlib.Path(support.window.SHOTS) / "browser")
    desk = Desk(served)
    try:
        journeys.the_whole_way(desk, model, tmp_path)
        assert TOKEN not in desk.browser.js("return location.href"), "the token does not stay in the address"
    finally:
        desk.close()
    assert desk.refused == []


def test_without_the_token_the_page_shows_nothing_of_ones_agents(served):
    browser = Browser(served.url + "/")
    try:
        browser.until(lambda: browser.js("return document.body.innerText.trim().length > 0"), "a page")
        assert browser.js("return fetch('/v1/agents/').then((r) => r.status)") == 401
    finally:
        browser.close()
