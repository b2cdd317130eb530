"""A display for all, and for each test a window on data of its own."""

import pytest
from support.native import Native
from support.programs import Server
from support.session import DesktopSession
from support.window import Display, Window, browse


@pytest.fixture(scope="session")
def display():
    shown = Display()
    yield shown
    shown.close()


@pytest.fixture
def env(tmp_path, model):
    return {
        "LOCI_DATA_DIR": str(tmp_path / "data"), "LOCI_SECRETS": "memory",
        "OPENAI_API_KEY": "sk-fake-openai-key", "OPENAI_BASE_URL": model.url + "/v1",
        # What the page keeps by itself, drafts and layout, is the test's own as well.
        "XDG_DATA_HOME": str(tmp_path / "share"), "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


@pytest.fixture
def session():
    begun = DesktopSession()
    yield begun
    begun.close()


@pytest.fixture
def native(display):
    return Native(display)


@pytest.fixture
def window(display, env):
    opened = Window(display, env)
    yield opened
    opened.close()


@pytest.fixture
def served(tmp_path, model):
    """The same pages for a browser."""
    server = Server(tmp_path / "data", model, "--ui", env={"LOCI_SECRETS": "memory"})
    yield server
    server.close()


@pytest.fixture
def page(served):
    """They in Chromium, let in."""
    opened = browse(served)
    yield opened
    opened.close()
