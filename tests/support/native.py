"""What a person does to windows themselves, with mouse and keys that the toolkit hears: the page's driver only
reaches the page."""

import os
import subprocess

from .waiting import eventually


class Native:
    """The windows of a display."""

    def __init__(self, display):
        self.env = os.environ | {"DISPLAY": display.name}

    def _xdotool(self, *args):
        done = subprocess.run(["xdotool", *args], env=self.env, capture_output=True, text=True, check=False)
        return done.stdout.split()

    def windows(self, title):
        """Those on the screen whose title says this."""
        return self._xdotool("search", "--onlyvisible", "--name", title)

    def appears(self, title):
        return eventually(lambda: self.windows(title), f"a window {title!r} on the screen")[-1]

    def goes(self, title):
        eventually(lambda: not self.windows(title), f"the window {title!r} to leave the screen")

    def key(self, window, *keys):
        """Keys as typed into this window."""
        self._xdotool("windowfocus", "--sync", window)
        self.type(*keys)

    def type(self, *keys):
        """Keys as typed into whatever has the focus."""
        self._xdotool("key", *keys)

    def choose(self, title, menu, item):
        """Chooses in the window's menu: which of its menus from the left, counted from 0, and which item from 1."""
        self._xdotool("windowfocus", "--sync", self.appears(title))
        # F10 is how a menu bar is reached without a mouse.
        self._xdotool("key", "F10", *["Right"] * menu, *["Down"] * item, "Return")
