"""Fixtures shared by all black-box tests: a fake model, a server on it, and the official SDK's client."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support.programs import TOKEN, FakeModel, Server  # noqa: E402


@pytest.fixture(scope="session")
def model_process():
    fake = FakeModel()
    yield fake
    fake.close()


@pytest.fixture
def model(model_process):
    model_process.reset()
    return model_process


@pytest.fixture
def server(tmp_path, model):
    running = Server(tmp_path / "data", model)
    yield running
    running.close()


@pytest.fixture
def client(server):
    from letta_client import Letta

    return Letta(base_url=server.url, api_key=TOKEN, max_retries=0, timeout=30)


@pytest.fixture
def http(server):
    import httpx

    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30) as plain:
        yield plain


@pytest.fixture
def agent(client):
    """An agent with the two classic blocks."""
    return client.agents.create(
        name="Mercury",
        model="openai/gpt-4.1",
        memory_blocks=[
            {"label": "human", "value": "Name: Timber."},
            {"label": "persona", "value": "I am calm."},
        ],
    )
