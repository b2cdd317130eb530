"""What the desktop program is to the rest of the machine: links, signals, its local server, its place on the screen."""

import json
import pathlib
import signal
import subprocess
import threading

import httpx
import pytest
from letta_client import APIConnectionError, AuthenticationError, Letta
from page import choose_folder, create_agent, say
from support.programs import Process, clean_env, program
from support.waiting import eventually
from support.window import SHOTS, Browser, Window, free_port, surroundings


def test_a_link_opens_the_place_it_names(display, env):
    window = Window(display, env, "loci://approvals")
    try:
        window.wait("h1", "Approvals")
        window.shot("16-link")
    finally:
        window.close()


def shown_token(window):
    return window.js("return document.querySelector(\"section[aria-labelledby=server-heading] code\")?.innerText ?? null")


def test_other_programs_reach_the_agents_while_the_token_holds(window):
    create_agent(window)
    window.click("nav button", "Settings")
    window.wait("h2", "Local server")
    port = free_port()
    window.fill("Port", str(port))
    window.click("button", "Use this port")
    window.gone("button", "Use this port")
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/v1/health/")

    window.click("[role=switch]", "Let other programs reach the agents")
    window.wait("[role=switch][aria-checked=true]", "Let other programs reach the agents")
    window.wait("label", url)
    window.click("button", "Show the token")
    old = window.until(lambda: shown_token(window), "the token")
    window.shot("17-local-server")
    client = Letta(base_url=url, api_key=old, max_retries=0, timeout=30)
    assert [agent.name for agent in client.agents.list()] == ["Mercury"]

    window.click("button", "Make a new token")
    window.click("[role=alertdialog] button", "Make a new token")
    new = window.until(lambda: (shown_token(window) or old) != old and shown_token(window), "another token")
    with pytest.raises(AuthenticationError) as refused:
        client.agents.list()
    assert refused.value.status_code == 401
    client = Letta(base_url=url, api_key=new, max_retries=0, timeout=30)
    assert [agent.name for agent in client.agents.list()] == ["Mercury"]

    # Off is off at once.
    window.click("[role=switch]", "Let other programs reach the agents")
    window.wait("[role=switch][aria-checked=false]", "Let other programs reach the agents")
    with pytest.raises(APIConnectionError):
        Letta(base_url=url, api_key=new, max_retries=0, timeout=30).agents.list()


def test_what_is_allowed_from_now_on_is_not_asked_again(window, model, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "note.txt").write_text("The code is GREY-HERON-7.")
    create_agent(window)
    choose_folder(window, folder)
    call = {"tool_calls": [{"name": "read_file", "arguments": {"path": "note.txt"}}]}

    model.script(call)
    say(window, "Read my note")
    window.click("[role=alertdialog] button", "Allow …")
    window.wait("form[aria-label='Allow from now on'] button:not([disabled])", "Allow and remember")
    window.shot("18-remember")
    model.script({"text": "Read once."})
    window.click("form[aria-label='Allow from now on'] button", "Allow and remember")
    window.wait("main, body", "Read once.")

    # The same call again: a rule answers, and the model has the file.
    model.script(call, {"text": "Read twice."})
    say(window, "And again")
    window.wait("main, body", "Read twice.")
    assert window.find("[role=alertdialog]") is None
    returned = [message for message in model.requests()[-1]["messages"] if message["role"] == "tool"]
    assert len(returned) == 2
    assert "GREY-HERON-7" in json.loads(returned[-1]["content"])["message"]

    # Another call is still asked about.
    (folder / "other.txt").write_text("Not this one.")
    model.script({"tool_calls": [{"name": "read_file", "arguments": {"path": "other.txt"}}]})
    say(window, "And the other")
    window.wait("[role=alertdialog]", "other.txt")

    window.click("nav button", "Approvals")
    window.click("[role=tab]", "Rules")
    window.wait("[role=tabpanel]", "read_file")
    window.wait("[role=tabpanel]", "used")
    window.shot("19-rule")
    window.click("[role=tab]", "Log")
    window.wait("ol li summary", "a rule")
    decided = window.js("return [...document.querySelectorAll('ol li summary')].map((e) => e.innerText)")
    assert [line for line in decided if "Allowed" in line and "note.txt" in line and "Mercury · a rule" in line], decided
    assert [line for line in decided if "Allowed" in line and "Mercury · you" in line], decided
    window.shot("20-log")


@pytest.fixture
def start(display, env):
    """Starts the program without a driver; what is left of it ends with the test."""
    programs = []

    def begin():
        programs.append(subprocess.Popen(
            [program("loci-desktop")], env=surroundings(display, env), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        ))
        return programs[-1]

    yield begin
    for each in programs:
        if each.poll() is None:
            each.kill()
        each.wait(timeout=20)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT], ids=["by a session's end", "by Ctrl+C"])
def test_a_window_that_never_came_up_is_drawn_more_safely_and_ends_when_told(start, env, told):
    data = pathlib.Path(env["LOCI_DATA_DIR"])
    data.mkdir(parents=True)
    mark = data / "window-starting"
    mark.touch()
    window = start()
    said = threading.Event()
    lines = []

    def read():
        for line in window.stderr:
            lines.append(line)
            if "the window did not come up the last time" in line:
                said.set()

    threading.Thread(target=read, daemon=True).start()
    assert said.wait(30), lines
    # The mark goes when the page asks for something.
    eventually(lambda: not mark.exists(), "the page to come up")
    window.send_signal(told)
    assert window.wait(timeout=30) == 0, lines
    assert not mark.exists(), "a window that was ended is no trouble of the display"


def test_data_that_cannot_be_opened_is_told_in_the_window_which_then_ends(start, native, display, env):
    data = pathlib.Path(env["LOCI_DATA_DIR"])
    data.mkdir(parents=True)
    file = data / "loci.db"
    file.write_text("This is no database.\n" * 500)
    before = file.read_bytes()
    there = native.windows("^Loci$")
    window = start()

    def shown():
        return [one for one in native.windows("^Loci$") if one not in there]

    # Beside the window a dialog that says it, of the same name.
    eventually(lambda: len(shown()) == 2, "the dialog")
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS / "24-data-damaged.png").write_bytes(display.png())
    native.key(shown()[-1], "Return")
    assert window.wait(timeout=30) == 1
    said = window.stderr.read()
    assert "damaged or not Loci's" in said
    assert "`backups`" in said
    assert "panicked" not in said
    assert file.read_bytes() == before
    assert not (data / "window-starting").exists(), "the display had no part in it"


def test_an_answer_that_never_comes_does_not_keep_the_window(display, env, model):
    window = Window(display, env)
    try:
        create_agent(window)
        model.script({"text": "Too late.", "hold": True})
        say(window, "Think about it")
        window.until(model.requests, "the model to be asked")
    finally:
        window.end()
    window = Window(display, env)
    try:
        window.click("nav button", "Mercury")
        window.wait("main, body", "Think about it")
        model.script({"text": "Of course."})
        say(window, "Are you still there?")
        window.wait("main, body", "Of course.")
        told = [message["content"] for message in model.requests()[-1]["messages"] if message["role"] == "user"]
        assert any("Think about it" in str(content) for content in told), told
    finally:
        window.close()


@pytest.mark.parametrize("kept", ["not JSON", '{"main":{"width":9000000,"height":0,"x":-90000,"y":90000}}'])
def test_a_place_that_cannot_be_is_no_obstacle(display, env, kept):
    data = pathlib.Path(env["LOCI_DATA_DIR"])
    data.mkdir(parents=True)
    (data / "window.json").write_text(kept)
    window = Window(display, env)
    try:
        window.wait("h1", "Talk to an agent that remembers")
        width, height = window.js("return [window.innerWidth, window.innerHeight]")
        assert 300 < width <= 1280
        assert 300 < height <= 900
        window.shot("22-" + ("garbage" if kept == "not JSON" else "huge"))
    finally:
        window.close()


def test_a_window_begins_where_it_was(display, env):
    shape = "return [window.innerWidth, window.innerHeight]"
    window = Window(display, env)
    try:
        window.wait("h1")
        before = window.js(shape)
        window.call("POST", "/window/rect", {"x": 40, "y": 30, "width": 1010, "height": 715})
        window.until(lambda: window.js(shape) != before, "the new size")
        size, place = window.js(shape), window.call("GET", "/window/rect")
    finally:
        window.end()
    kept = json.loads((pathlib.Path(env["LOCI_DATA_DIR"]) / "window.json").read_text())
    assert "main" in kept
    window = Window(display, env)
    try:
        window.until(lambda: window.js(shape) == size, f"the size {size} of before, not {before}")
        assert window.call("GET", "/window/rect") == place
    finally:
        window.close()


@pytest.mark.parametrize(
    ("named", "said"),
    [({}, "there is no display"), ({"DISPLAY": ":4711"}, "the display that DISPLAY names cannot be reached")],
    ids=["none", "one that is gone"],
)
def test_without_a_screen_the_way_out_is_named(env, named, said):
    done = subprocess.run(
        [program("loci-desktop")], env=clean_env(**env, **named), capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "loci-desktop --browser" in done.stderr
    assert "panicked" not in done.stderr
    assert not (pathlib.Path(env["LOCI_DATA_DIR"]) / "window-starting").exists(), "drawing had no part in it"


def test_the_way_out_needs_no_screen_and_lets_one_browser_in(env, tmp_path):
    opened = tmp_path / "opened"
    programs = tmp_path / "bin"
    programs.mkdir()
    opener = programs / "xdg-open"
    opener.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{opened}.new" && mv "{opened}.new" "{opened}"\n')
    opener.chmod(0o755)
    started_with = clean_env(**env, BROWSER="some", PATH=f"{programs}:{clean_env()['PATH']}")
    running = Process([program("loci-desktop"), "--browser"], started_with, r"Open the workbench: (http://127\.0\.0\.1:\d+/open\?once=\w+)")
    try:
        link = running.ready.group(1)
        eventually(opened.exists, "the browser to be opened")
        assert opened.read_text() == link
        browser = Browser(link)
        try:
            browser.wait("h1", "Talk to an agent that remembers")
            assert "token" not in browser.js("return location.href")
            browser.shot("23-way-out")
        finally:
            browser.close()
        assert httpx.get(link).status_code == 410, "it lets in once"
        assert httpx.get(link.split("/open")[0] + "/v1/agents/").status_code == 401
    finally:
        assert running.stop() == 0
