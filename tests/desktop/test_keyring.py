"""Keys are in the keyring and nowhere else; without one, or with one nobody unlocks, everything else goes on."""

import contextlib
import os
import pathlib
import stat
import threading

import httpx
import pytest
from page import choose, create_agent, say, words
from support.programs import TOKEN, Server
from support.waiting import eventually
from support.window import Window

T = words()
PROVIDER_KEY = "sk-provider-QqT7-only-in-the-keyring"
CONNECTION_KEY = "connection-7hXz-only-in-the-keyring"


@pytest.fixture
def kept(env, session):
    """The program as people start it: nobody says where keys are to be kept."""
    chosen = env | session.env | {"RUST_LOG": "trace"}
    del chosen["LOCI_SECRETS"]
    return chosen


def anywhere(key, *folders):
    """Files below the folders that hold the key, in one of the forms it could have on a disk."""
    forms = [key.encode(), key.encode("utf-16-le"), key.encode().hex().encode()]
    found = []
    for folder in folders:
        for file in pathlib.Path(folder).rglob("*"):
            if file.is_file() and not file.is_symlink():
                data = file.read_bytes()
                found += [file for form in forms if form in data]
    return found


def show_models(window, tab):
    window.click("nav button", T("rail.models"))
    window.click("[role=tab]", T(tab))


def add_provider(window, model, name="Mine"):
    show_models(window, "models.tab")
    window.wait("form", T("models.add"))
    window.fill(T("models.name"), name)
    window.fill(T("models.baseUrl"), model.url + "/v1")
    window.fill(T("models.key"), PROVIDER_KEY)
    window.click("button", T("models.addSubmit"))
    window.wait("li", name)


def add_connection(window, url, key, name="Elsewhere"):
    show_models(window, "connections.tab")
    window.fill(T("connections.address"), url)
    window.fill(T("connections.name"), name)
    window.fill(T("connections.key"), key)
    window.click("button", T("connections.addSubmit"))
    window.wait("li", name)


def told(window):
    """Everything the page was told since it asked to note it, and what it shows."""
    return window.js("return window.noted.join('\\n') + document.documentElement.outerHTML + JSON.stringify({...localStorage})")


def note_answers(window):
    """From now on the page notes every answer of the program: whole ones as they are read, streams by the piece."""
    window.js(
        """
        window.noted = [];
        const decode = TextDecoder.prototype.decode;
        TextDecoder.prototype.decode = function (...given) {
          const text = decode.apply(this, given);
          window.noted.push(text);
          return text;
        };
        for (const name of ['text', 'json']) {
          const read = Response.prototype[name];
          Response.prototype[name] = async function () {
            const bytes = await this.clone().arrayBuffer();
            window.noted.push(decode.call(new TextDecoder(), bytes));
            return read.call(this);
          };
        }
        """
    )


def test_keys_are_in_the_keyring_and_nowhere_else(display, kept, session, model, tmp_path):
    session.keyring()
    remote = Server(tmp_path / "remote", model)
    ours = [kept["LOCI_DATA_DIR"], kept["XDG_DATA_HOME"], kept["XDG_CACHE_HOME"], session.runtime]
    window = Window(display, kept)
    try:
        window.wait("h1", T("firstRun.heading"))
        note_answers(window)
        add_provider(window, model)
        add_connection(window, remote.url, TOKEN)
        add_connection(window, remote.url, CONNECTION_KEY, "Refused")
        secrets = sorted(secret for _, secret in session.secrets())
        assert secrets == sorted([PROVIDER_KEY, TOKEN, CONNECTION_KEY])
        assert all(attributes["service"] == "Loci" for attributes, _ in session.secrets())
        window.click("li[aria-label=Elsewhere] button", T("connections.check"))
        window.wait("li[aria-label=Elsewhere]", "version")
        for key in (PROVIDER_KEY, CONNECTION_KEY, TOKEN):
            assert key not in told(window)
            assert anywhere(key, *ours) == []
        assert '"has_key":true' in window.js("return window.noted.join('')"), "the answers were noted"
        window.shot("40-keyring")
    finally:
        window.end()

    # They are there at the next start, are used, and go when one says so.
    window = Window(display, kept)
    try:
        show_models(window, "connections.tab")
        window.click("li[aria-label=Elsewhere] button", T("connections.use"))
        window.wait("li[aria-label=Elsewhere]", T("connections.inUse"))
        create_agent(window, "Hermes")
        with httpx.Client(headers={"authorization": f"Bearer {TOKEN}"}) as there:
            assert [agent["name"] for agent in there.get(f"{remote.url}/v1/agents/").json()] == ["Hermes"]
        show_models(window, "connections.tab")
        for name in ("Elsewhere", "Refused"):
            window.click(f"li[aria-label={name}] button", T("connections.removeNamed", name=name))
            window.click("[role=alertdialog] button", T("connections.removeSubmit"))
            window.gone(f"li[aria-label={name}]")
        assert [secret for _, secret in session.secrets()] == [PROVIDER_KEY]
        show_models(window, "models.tab")
        window.click("button", T("models.deleteNamed", name="Mine"))
        window.click("[role=alertdialog] button", T("models.deleteSubmit"))
        eventually(lambda: session.secrets() == [], "the key to be deleted")
        for key in (PROVIDER_KEY, CONNECTION_KEY, TOKEN):
            assert anywhere(key, *ours) == []
    finally:
        window.close()
        remote.close()


def test_without_a_keyring_it_is_said_and_a_file_is_offered(display, kept, session, model):
    window = Window(display, kept)
    file = pathlib.Path(kept["LOCI_DATA_DIR"]) / "secrets.json"
    try:
        window.wait("h1", T("firstRun.heading"))
        add_provider(window, model)
        window.wait("[role=status]", T("models.keysNotKept"))
        assert anywhere(PROVIDER_KEY, kept["LOCI_DATA_DIR"]) == [], "this session only: nothing is written unasked"
        window.click("nav button", T("rail.settings"))
        window.wait("dd", T("settings.stores.memory"))
        window.shot("41-no-keyring")
        choose(window, T("settings.secretsElsewhere"), "file")
        window.wait("dd", T("settings.stores.file"))
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        assert PROVIDER_KEY in file.read_text()
        show_models(window, "models.tab")
        window.gone("[role=status]", T("models.keysNotKept"))
        window.click("nav button", T("rail.settings"))
        choose(window, T("settings.secretsElsewhere"), "memory")
        window.wait("dd", T("settings.stores.memory"))
        assert not file.exists()
    finally:
        window.close()


def test_a_keyring_nobody_unlocks_freezes_nothing(display, kept, session, model):
    keyring = session.keyring()
    window = Window(display, kept)
    try:
        window.wait("h1", T("firstRun.heading"))
        add_provider(window, model)
    finally:
        window.end()
    session.stop(keyring)
    prompts = session.keyring(unlocked=False)
    window = Window(display, kept)
    try:
        eventually(lambda: session.prompts, "the person to be asked for the keyring")
        create_agent(window)
        model.script({"text": "Here all the same."})
        say(window, "Are you there?")
        window.wait("main, body", "Here all the same.")
        show_models(window, "models.tab")
        window.wait("li", "Mine")
        window.wait("li", "keyring", 20)
        window.shot("42-locked-keyring")
        assert len(session.prompts) == 1, "one is asked once"
    finally:
        window.end()
    assert prompts.poll() is None


def test_a_server_keeps_them_there_as_well(session, model, tmp_path):
    session.keyring()
    server = Server(tmp_path / "data", None, "--secrets", "keyring", env=session.env | {"RUST_LOG": "trace"})
    auth = {"authorization": f"Bearer {TOKEN}"}
    heard, following = [], threading.Event()

    def listen():
        # Until the server is killed.
        with contextlib.suppress(httpx.HTTPError), httpx.stream(
            "GET", f"{server.url}/workbench/events", headers=auth, timeout=30,
        ) as events:
            following.set()
            for line in events.iter_lines():
                heard.append(line)

    try:
        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        assert following.wait(30)
        with httpx.Client(base_url=server.url, headers=auth, timeout=30) as desk:
            provider = desk.post("/workbench/providers", json={
                "provider_type": "openai", "name": "mine", "base_url": model.url + "/v1", "api_key": PROVIDER_KEY,
            }).json()
            connection = desk.post("/workbench/connections", json={
                "name": "there", "base_url": server.url, "key": CONNECTION_KEY,
            }).json()
            assert sorted(secret for _, secret in session.secrets()) == sorted([PROVIDER_KEY, CONNECTION_KEY])
            said = "".join(desk.get(path).text for path in (
                "/workbench/providers", "/workbench/connections", "/workbench/status", "/workbench/secrets", "/v1/providers/",
            ))
            eventually(lambda: any("provider.changed" in line for line in heard), "the change to be told")
            server.restart()
            desk.base_url = server.url
            assert desk.post(f"/workbench/providers/{provider['id']}/test").json()["ok"], "the key is there after a kill"
            log = "\n".join(server.process.stdout + server.process.stderr)
            for key in (PROVIDER_KEY, CONNECTION_KEY):
                assert key not in said + log + "\n".join(heard)
                assert anywhere(key, tmp_path / "data") == []
            desk.delete(f"/workbench/providers/{provider['id']}").raise_for_status()
            desk.delete(f"/workbench/connections/{connection['id']}").raise_for_status()
            assert session.secrets() == []
    finally:
        server.close()


def test_a_server_answers_and_ends_while_the_keyring_waits(session, model, tmp_path):
    keyring = session.keyring()
    options = ["--secrets", "keyring"]
    auth = {"authorization": f"Bearer {TOKEN}"}
    server = Server(tmp_path / "data", model, *options, env=session.env)
    httpx.post(f"{server.url}/workbench/providers", headers=auth, json={
        "provider_type": "openai", "name": "mine", "base_url": model.url + "/v1", "api_key": PROVIDER_KEY,
    }).raise_for_status()
    server.close()
    session.stop(keyring)
    session.keyring(unlocked=False)
    server = Server(tmp_path / "data", model, *options, env=session.env)
    try:
        eventually(lambda: session.prompts, "the person to be asked for the keyring")
        models = httpx.get(f"{server.url}/v1/models/", headers=auth).json()
        assert any(model["handle"].startswith("openai/") for model in models), "those of the environment are there"
        listed = httpx.get(f"{server.url}/workbench/providers", headers=auth, timeout=20).json()
        assert "keyring" in next(one for one in listed if one["name"] == "mine")["problem"]["message"]
        assert len(session.prompts) == 1, "one is asked once"
    finally:
        # It ends although a call to the keyring still waits.
        assert server.process.stop() == 0
