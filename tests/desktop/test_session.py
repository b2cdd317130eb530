"""Beside its window the program is in the tray, in notifications, and one among the links of the system. A private
session stands in for a desktop: what it is told is what a person would see."""

import pathlib
import struct
import subprocess
import zlib

import pytest
from page import choose, choose_folder, create_agent, say, switch, words
from support.programs import clean_env, program
from support.session import DesktopSession
from support.waiting import eventually
from support.window import SHOTS, Window, surroundings

T = words()
TITLE = "^Loci$"
MARK = (0xD9, 0x77, 0x06)


@pytest.fixture
def window(display, env, session):
    opened = Window(display, env | session.env)
    yield opened
    opened.close()


def close(native):
    """As the cross of a window does, and Ctrl+W."""
    native.key(native.appears(TITLE), "ctrl+w")


def hide(native):
    close(native)
    native.goes(TITLE)


def offer(window, tool):
    """Offers a tool of this machine that is not offered by itself."""
    window.click("[role=tab]", T("inspector.tools"))
    window.click("[role=switch]", T("tools.offer", name=tool))
    window.wait("[role=switch][aria-checked=true]", T("tools.offer", name=tool))


def shot(display, name):
    """The screen as it is; the page need not be on it."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS / f"{name}.png").write_bytes(display.png())


def back_to_agent(window):
    window.click("nav button", "Mercury")
    window.wait("textarea")


def colours(png):
    """All pixels of a small picture: 8 bits of red, green, blue, opacity each."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind) == (8, 6)
    data, at = b"", 8
    while at < len(png):
        size, name = struct.unpack(">I4s", png[at:at + 8])
        data += png[at + 8:at + 8 + size] if name == b"IDAT" else b""
        at += 12 + size
    rows, line, before = zlib.decompress(data), 4 * width, bytearray(4 * width)
    seen = set()
    for y in range(height):
        way, row = rows[y * (line + 1)], bytearray(rows[y * (line + 1) + 1:(y + 1) * (line + 1)])
        for x in range(line):
            left = row[x - 4] if x >= 4 else 0
            up, corner = before[x], before[x - 4] if x >= 4 else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda one: abs(guess - one))
            row[x] = (row[x] + (0, left, up, (left + up) // 2, paeth)[way]) & 255
        before = row
        seen |= {tuple(row[x:x + 3]) for x in range(0, line, 4) if row[x + 3]}
    return seen


def test_the_program_is_in_the_tray_and_a_closed_window_comes_back(window, session, native):
    window.wait("h1", T("firstRun.heading"))
    tray = session.tray()
    assert tray.status() == "Active"
    assert tray.labels() == ["Show Loci", "Nothing waits for you", "Quit Loci"]
    assert MARK not in colours(tray.picture()[1])
    switch(window, "close_to_tray", True)
    hide(native)
    assert window.pids(), "it runs on"
    tray.choose("Show Loci")
    native.appears(TITLE)
    assert window.js("return document.visibilityState") == "visible"
    hide(native)
    tray.choose("Quit Loci")
    eventually(lambda: not window.pids(), "the program to end")


@pytest.mark.parametrize("tray", [True, False], ids=["switched off", "no tray"])
def test_without_a_place_in_the_tray_closing_the_window_ends_the_program(display, env, native, tray):
    session = DesktopSession(tray=tray)
    window = Window(display, env | session.env)
    try:
        window.wait("h1", T("firstRun.heading"))
        if not tray:
            switch(window, "close_to_tray", True)
        close(native)
        eventually(lambda: not window.pids(), "the program to end")
        assert not (pathlib.Path(env["LOCI_DATA_DIR"]) / "window-starting").exists()
    finally:
        window.session = None
        window.close()
        session.close()


def test_runs_that_end_while_nobody_looks_are_told(window, session, native, model):
    create_agent(window)
    switch(window, "close_to_tray", True)
    back_to_agent(window)

    # What ends before one's eyes is no news: nothing is said of it, also not later.
    model.script({"text": "Said in the window."})
    say(window, "Hello")
    window.wait("main, body", "Said in the window.")

    model.script({"text": "Said behind it.", "hold": True})
    say(window, "Think about it")
    eventually(lambda: len(model.requests()) == 2, "the model to be asked")
    hide(native)
    model.release()
    done = session.wait_for("Mercury is done")
    assert [one.title for one in session.notifications] == ["Mercury is done"]
    assert "Said behind it." not in done.title + done.body, "it may be shown over a locked screen"
    session.press(done)
    native.appears(TITLE)
    window.wait("main, body", "Said behind it.")
    window.shot("30-after-notification")

    model.script({"status": 401, "error": {"message": "This <b>key</b> is not valid."}})
    window.fill(T("composer.label"), "And again")
    hide(native)
    window.js("document.querySelector(arguments[0]).click()", f"button[aria-label='{T('composer.send')}']")
    failed = session.wait_for("Mercury could not finish")
    assert "<b>" not in failed.body, failed.body
    # The person is here again by another way: what was said is taken back.
    session.tray().choose("Show Loci")
    native.appears(TITLE)
    eventually(lambda: failed.closed, "the notification to be taken back")


def test_a_waiting_call_is_named_and_can_be_opened_or_denied_but_never_allowed(window, session, native, model, tmp_path):
    (tmp_path / "papers").mkdir()
    create_agent(window)
    choose_folder(window, tmp_path / "papers")
    offer(window, "run_command")
    switch(window, "close_to_tray", True)
    back_to_agent(window)
    tray = session.tray()
    danger = {"tool_calls": [{"name": "run_command", "arguments": {"command": "rm -rf secret-folder"}}], "hold": True}

    model.script(danger)
    say(window, "Tidy up")
    eventually(model.requests, "the model to be asked")
    hide(native)
    model.release()
    asked = session.wait_for("Mercury wants to use run_command")
    assert "secret-folder" not in asked.title + asked.body
    assert asked.buttons == {"open": "Open", "deny": "Deny", "default": ""}
    eventually(lambda: "1 request waits for you" in tray.labels(), "the tray to count it")
    assert tray.label() == "1"
    assert MARK in colours(tray.picture()[1])

    session.press(asked, "open")
    native.appears(TITLE)
    window.wait("[role=alertdialog]", "secret-folder")
    window.shot("31-opened-from-notification")
    hide(native)
    tray.choose("1 request waits")
    native.appears(TITLE)
    window.wait("h1", T("approvals.heading"))
    model.script({"text": "I leave it as it is."})
    back_to_agent(window)
    window.click("[role=alertdialog] button", T("approval.deny"))
    window.wait("main, body", "I leave it as it is.")
    eventually(lambda: "Nothing waits for you" in tray.labels(), "nothing to wait")
    assert tray.label() == ""
    assert MARK not in colours(tray.picture()[1])

    model.script(danger)
    say(window, "Try again")
    eventually(lambda: len(model.requests()) == 3, "the model to be asked")
    hide(native)
    model.release()
    asked = session.wait_for("Mercury wants to use run_command")
    model.script({"text": "Then not."})
    session.press(asked, "deny")
    eventually(lambda: len(model.requests()) == 4, "the model to be told")
    told = model.requests()[-1]["messages"][-1]
    assert told["role"] == "tool" and "denied" in told["content"].lower(), told
    assert not native.windows(TITLE), "a denial needs no window"
    eventually(lambda: "Nothing waits for you" in tray.labels(), "nothing to wait")
    tray.choose("Show Loci")
    window.wait("main, body", "Then not.")
    assert not window.find("[role=alertdialog]")
    window.shot("32-denied-from-notification")


def test_a_second_start_shows_the_first_window_at_its_link(window, display, session, native, env):
    window.wait("h1", T("firstRun.heading"))
    switch(window, "close_to_tray", True)
    hide(native)
    started_with = surroundings(display, env | session.env)

    def start(*args):
        return subprocess.run(
            [program("loci-desktop"), *args], env=started_with, capture_output=True, text=True, timeout=60, check=False,
        )

    second = start("--safe-display", "loci://approvals")
    assert second.returncode == 0, second.stderr
    assert "loci-desktop: " not in second.stderr, "it has nothing to complain about"
    native.appears(TITLE)
    window.wait("h1", T("approvals.heading"))
    assert len(window.pids()) == 1
    assert not (pathlib.Path(env["LOCI_DATA_DIR"]) / "window-starting").exists(), "it was no start that failed"
    # What leads nowhere shows the window all the same.
    hide(native)
    assert start("loci://approvals/allow/all").returncode == 0
    native.appears(TITLE)
    window.wait("h1", T("approvals.heading"))


def test_the_menu_edits_the_text_and_goes_places(window, native, model):
    create_agent(window)
    window.fill(T("composer.label"), "Tea and toast")
    before = "return [document.activeElement.selectionStart, document.activeElement.selectionEnd]"
    assert window.js(before) == [13, 13]
    native.choose(TITLE, menu=1, item=4)
    eventually(lambda: window.js(before) == [0, 13], "all to be selected")
    native.choose(TITLE, menu=1, item=1)
    eventually(lambda: window.js("return document.activeElement.value") == "", "the text to be cut")
    native.choose(TITLE, menu=1, item=3)
    eventually(lambda: window.js("return document.activeElement.value") == "Tea and toast", "the text to be back")
    native.choose(TITLE, menu=2, item=1)
    window.wait("h1", T("approvals.heading"))
    native.key(native.appears(TITLE), "ctrl+comma")
    window.wait("h1", T("settings.heading"))


def test_the_tray_speaks_the_language_that_is_chosen(window, session):
    window.wait("h1", T("firstRun.heading"))
    window.click("nav button", T("rail.settings"))
    choose(window, T("settings.language"), "de")
    eventually(lambda: session.tray().labels() == ["Loci zeigen", "Nichts wartet auf Sie", "Loci beenden"], "German")
    window.shot("33-german-menu")


def test_a_link_out_of_the_window_is_opened_after_its_host_was_shown(display, env, session, native, model, tmp_path):
    opened = tmp_path / "opened"
    programs = tmp_path / "bin"
    programs.mkdir()
    browser = programs / "xdg-open"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{opened}"\n')
    browser.chmod(0o755)
    path = f"{programs}:{clean_env()['PATH']}"
    window = Window(display, env | session.env | {"PATH": path})
    try:
        create_agent(window)
        model.script({"text": "See [the manual](https://docs.example.org/start?page=2) or [mine](file:///etc/passwd)."})
        say(window, "Where is the manual?")
        window.wait("article[data-role=agent] a", "the manual")
        for key, wanted in (("Escape", None), ("Return", ["https://docs.example.org/start?page=2"])):
            window.click("article[data-role=agent] a", "the manual")
            asking = native.appears("Open a web page")
            shot(display, f"34-link-{key.lower()}")
            native.key(asking, key)
            native.goes("Open a web page")
            if wanted:
                assert eventually(lambda: opened.exists() and opened.read_text().splitlines(), "the browser") == wanted
        assert window.js("return location.protocol") == "tauri:"
    finally:
        window.close()
