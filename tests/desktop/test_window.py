"""The desktop program in the real webview: the whole way of a first user, on one data folder."""

import journeys
from support.window import Window


class Desk:
    """The program on this display; a kill is a crash of the app."""

    def __init__(self, display, env):
        self.display, self.env, self.window = display, env, None

    def open(self):
        self.window = Window(self.display, self.env)
        return self.window

    def kill(self):
        self.window.kill()
        self.window = None

    def close(self):
        if self.window:
            self.window.close()


def test_the_whole_way_from_the_first_page_to_an_agent_on_another_server(display, env, model, tmp_path):
    desk = Desk(display, env)
    try:
        journeys.the_whole_way(desk, model, tmp_path)
    finally:
        desk.close()
