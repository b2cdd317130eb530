"""The window where most Linux desktops are: on Wayland, where it draws its own frame and nobody tells it where it is."""

import pathlib
import subprocess

import pytest
from page import create_agent, say, switch, words
from support.native import Native
from support.programs import program
from support.waiting import eventually
from support.wayland import Compositor
from support.window import Window, surroundings

T = words()


@pytest.fixture
def compositor(display):
    shown = Compositor(display)
    yield shown
    shown.close()


def shown(window):
    return window.js("return document.visibilityState") == "visible"


def test_a_window_begins_with_the_size_it_had(compositor, env):
    shape = "return [window.innerWidth, window.innerHeight]"
    data = pathlib.Path(env["LOCI_DATA_DIR"])
    sizes = []
    for _ in range(3):
        window = Window(compositor, env)
        try:
            window.wait("h1", T("firstRun.heading"))
            eventually(lambda: not (data / "window-starting").exists(), "the mark of a start to go")
            sizes.append(window.js(shape))
        finally:
            window.end()
    assert sizes[1:] == sizes[:1] * 2, "it grows by its frame, or shrinks"
    assert (data / "window.json").exists()


def test_the_window_lives_in_the_tray_and_a_second_start_finds_it(compositor, display, env, session, model):
    native = Native(display)
    own = env | session.env
    window = Window(compositor, own)
    try:
        create_agent(window)
        model.script({"text": "Here, on Wayland."})
        say(window, "Where are you?")
        window.wait("main, body", "Here, on Wayland.")
        window.shot("50-wayland")
        switch(window, "close_to_tray", True)

        native.type("ctrl+w")
        eventually(lambda: not shown(window), "the window to be put away")
        session.tray().choose("Show Loci")
        eventually(lambda: shown(window), "the window to come back")

        native.type("ctrl+w")
        eventually(lambda: not shown(window), "the window to be put away")
        second = subprocess.run(
            [program("loci-desktop"), "loci://approvals"], env=surroundings(compositor, own),
            capture_output=True, text=True, timeout=60, check=False,
        )
        assert second.returncode == 0, second.stderr
        eventually(lambda: shown(window), "the window to come back")
        window.wait("h1", T("approvals.heading"))
        assert len(window.pids()) == 1
        assert not (pathlib.Path(env["LOCI_DATA_DIR"]) / "window-starting").exists(), "it was no start that failed"

        # Its own menu, too, is where the keys look for it.
        native.type("ctrl+comma")
        window.wait("h1", T("settings.heading"))
        switch(window, "close_to_tray", False)
        native.type("ctrl+w")
        eventually(lambda: not window.pids(), "the program to end")
        window.session = None
    finally:
        window.close()
