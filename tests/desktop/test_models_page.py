"""Models & connections by keyboard alone: in the real webview in English, served to Chromium in German."""

import json
import os
import subprocess
import sys
import urllib.request

import pytest
from page import Keyboard, words
from support.programs import ROOT, TOKEN, Server
from support.window import Window, browse, free_port

FAKE_LLAMA = str(ROOT / "tests" / "support" / "fake_llama_server.py")
LLAMA = "section[aria-labelledby=llama-heading]"
KEY = "sk-typed-by-hand-0123456789"


def model_file(folder, **behaviour):
    folder.mkdir(exist_ok=True)
    file = folder / "tiny.gguf"
    file.write_text(f"GGUF\n{json.dumps(behaviour)}\n")
    return file


@pytest.fixture
def llama(tmp_path):
    """A runtime of this machine that somebody else started: the port it is looked for at."""
    port = free_port()
    args = ["--model", str(model_file(tmp_path / "elsewhere")), "--alias", "heron-7b", "--port", str(port)]
    child = subprocess.Popen(
        [sys.executable, FAKE_LLAMA, *args], env={"PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL
    )
    yield port
    child.kill()
    child.wait()


def shown(page, css):
    return page.js("return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText.trim())", css)


def listed(page, handle):
    """Whether a model is in the list; what is out of sight has no text that is shown."""
    return page.js(
        "return [...document.querySelectorAll('main ul button')].some((one) => one.textContent.includes(arguments[0]))", handle
    )


def connections(page, keys, model, t, shot):
    """Runtimes first, a key that is tried before it is kept, and the list of models with what is known of each."""
    keys.press_button(t("rail.models"))
    page.wait("main h1", t("models.heading"))
    page.wait("li[aria-label='llama-server']", t("models.runtimeStates.running"))
    assert shown(page, "main h2")[0] == t("models.runtimes"), "what runs on this machine comes first"
    page.until(lambda: listed(page, "llama-server/heron-7b"), "its model in the list")

    keys.to(t("models.name"), "input")
    keys.type("mine")
    keys.to(t("models.baseUrl"), "input")
    keys.type("http://127.0.0.1:9/v1")
    keys.to(t("models.key"), "input")
    keys.type(KEY)
    keys.press_button(t("models.tryEndpoint"))
    page.wait("form [role=status]", t("models.testFailed"))
    keys.to(t("models.baseUrl"), "input")
    page.js("document.activeElement.select()")
    keys.type(f"{model.url}/v1")
    keys.press_button(t("models.tryEndpoint"))
    page.wait("form [role=status]", t("models.testOk_other", count=3))
    shot("keys")
    keys.press_button(t("models.addSubmit"))
    page.wait("li[aria-label=mine]", t("models.hasKey"))
    page.until(lambda: listed(page, "mine/gpt-4.1"), "the models of the new endpoint")
    assert KEY not in page.js("return document.documentElement.outerHTML")

    keys.to(t("models.search"), "input")
    keys.type("mine 4.1 mini")
    page.until(lambda: not listed(page, "llama-server/heron-7b"), "the list to be narrowed")
    assert len(shown(page, "main ul[aria-label] button[aria-expanded]")) == 1


def score_card(page, keys, model, t, shot):
    """A trial says what it takes, begins when asked, and says of each check what to do."""
    before = len(model.requests())
    keys.press_button("mine/gpt-4.1-mini")
    page.wait("p", t("models.notTried"))
    page.wait("p", t("models.trialNoPrice").split("{{")[0])
    assert len(model.requests()) == before, "nothing was asked unasked"
    keys.press_button(t("models.tryOut"))
    page.wait("strong", t("models.fitsNot"), seconds=60)
    checks = "\n".join(shown(page, "main li li"))
    assert t("models.checks.tool_call") in checks and t("models.findings.does_not_call") in checks
    assert t("models.advice.choose_tool_caller") in checks
    assert "{{" not in checks
    shot("score-card")


def managed(page, keys, file, t, shot):
    """A model file is run from the keyboard, watched, and stopped."""
    keys.press_button(t("llama.heading"))
    keys.to(t("llama.model"), "input")
    keys.type(str(file))
    keys.to(t("llama.context"), "input")
    keys.type("4096")
    keys.to(t("llama.program"), "input")
    keys.type(FAKE_LLAMA)
    keys.press("Enter")
    page.wait(f"{LLAMA} h2", t("llama.phases.running"), seconds=60)
    page.wait(f"{LLAMA} p", t("llama.inForce").split("}}")[-1])
    page.wait(f"{LLAMA} p", t("llama.otherContext").split("}}")[-1])
    keys.press_button(t("llama.log"))
    page.wait(LLAMA, "fake llama-server: listening")
    shot("llama-server")
    keys.press_button(t("llama.stop"))
    page.wait(f"{LLAMA} h2", t("llama.phases.stopped"))


def agent_of_it(page, keys, model, t, shot):
    """The model is chosen for an agent by typing; what the trial found is said there, and in the chat with a way out."""
    keys.press_button(t("agents.create"))
    page.wait("[role=dialog] h2", t("agents.createHeading"))
    keys.to(t("agents.name"), "input")
    keys.type("Mercury")
    keys.to(t("agents.model"), "button")
    keys.press("Down")
    page.wait("[cmdk-input]")
    keys.type("mine 4.1-mini")
    page.until(lambda: "mini" in "".join(shown(page, "[cmdk-item][data-selected=true]")), "the model to be found")
    shot("picker")
    keys.press("Enter")
    page.gone("[cmdk-input]")
    page.wait("[role=dialog] section", t("models.fitsNot"))
    shot("fitness")
    keys.press_button(t("agents.createSubmit"))
    page.gone("[role=dialog]")
    notice = f'section[aria-label="{t("models.notice")}"]'
    page.wait(notice, t("models.findings.does_not_call"))
    model.script({"text": "It can still talk.", "usage": {"prompt_tokens": 4200, "completion_tokens": 300}})
    keys.to(t("composer.label"), "textarea")
    keys.type("hello")
    keys.press("Enter")
    page.wait("article[data-role=agent]", "It can still talk.")
    shot("notice")
    keys.press_button(t("common.dismiss"))
    page.gone(notice)


def usage(page, keys, t, shot):
    """What it all came to, as a chart with its text, by what was said, and a budget that is told where it presses."""
    keys.press_button(t("rail.models"))
    keys.to(t("models.tab"), "[role=tab]")
    for tab in ("connections.tab", "usage.tab"):
        keys.press("Right")
        page.wait("[role=tab][aria-selected=true]", t(tab))
    page.wait("main svg[role=img]")
    assert t("usage.chart.text").split("}}")[-1].strip() in page.js("return document.querySelector('main svg desc').textContent")
    shot("usage")
    keys.press_button(t("budgets.add"))
    keys.to(t("budgets.tokens"), "input")
    keys.type("50")
    keys.press("Enter")
    page.gone("[role=dialog]")
    page.wait("main li", t("budgets.standing.stopped"))
    keys.press_button("Mercury")
    page.wait(f'section[aria-label="{t("budgets.notice")}"]')
    shot("budget")


def the_page(page, model, folder, t, name):
    keys = Keyboard(page)
    number = iter(range(1, 100))

    def shot(what):
        page.shot(f"models-{name}-{next(number)}-{what}")

    model.default({"text": "heron 4711"})
    connections(page, keys, model, t, shot)
    score_card(page, keys, model, t, shot)
    managed(page, keys, model_file(folder, context=2048), t, shot)
    agent_of_it(page, keys, model, t, shot)
    usage(page, keys, t, shot)


def test_models_by_keyboard_in_the_window(display, env, model, tmp_path, llama):
    window = Window(display, env | {"LOCI_RUNTIMES": f"llama-server={llama}"})
    try:
        the_page(window, model, tmp_path, words("en"), "window")
    finally:
        window.close()


def test_models_by_keyboard_in_german_in_a_browser(model, tmp_path, llama):
    env = {"LOCI_RUNTIMES": f"llama-server={llama}", "LOCI_SECRETS": "memory"}
    server = Server(tmp_path / "data", model, "--ui", env=env)
    request = urllib.request.Request(
        f"{server.url}/workbench/settings", method="PATCH", data=b'{"language": "de"}',
        headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    try:
        browser = browse(server)
        try:
            the_page(browser, model, tmp_path, words("de"), "browser")
        finally:
            browser.close()
    finally:
        server.close()
