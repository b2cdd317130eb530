"""Two servers: one is the person's own, the other runs elsewhere and is reached through the first."""

import http.server
import json
import pathlib
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from letta_client import Letta

from support.programs import TOKEN, Process, Server, program

OTHER_TOKEN = "token-of-the-other-server-0123456789"


class Elsewhere(Server):
    """A server with a token of its own, that comes back at the port it had."""

    port = "0"

    def start(self):
        self.process = Process(
            [program("loci"), "serve", "--port", self.port, "--data", str(self.data), "--token", OTHER_TOKEN],
            self.env, r"ready at (http://127\.0\.0\.1:\d+)",
        )
        self.url = self.process.ready.group(1)
        self.port = self.url.rsplit(":", 1)[1]


class Desk:
    """The workbench's page as it speaks to its server."""

    def __init__(self, server):
        self.server = server

    def __call__(self, method, path, body=None, named="selected", token=TOKEN):
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        if named:
            headers["x-loci-connection"] = named
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, self._read(answer)
        except urllib.error.HTTPError as error:
            return error.code, self._read(error)

    @staticmethod
    def _read(answer):
        text = answer.read().decode()
        kind = answer.headers.get("content-type", "")
        if "text/event-stream" in kind:
            frames = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
            return [json.loads(frame) for frame in frames if frame.startswith("{")]
        return json.loads(text) if text else None

    def ok(self, method, path, body=None, **how):
        status, answer = self(method, path, body, **how)
        assert status == 200, (status, answer)
        return answer


@pytest.fixture
def here(tmp_path, model):
    server = Server(tmp_path / "here", model, "--secrets", "file")
    yield server
    server.close()


@pytest.fixture
def there(tmp_path, model):
    server = Elsewhere(tmp_path / "there", model)
    yield server
    server.close()


@pytest.fixture
def desk(here):
    return Desk(here)


def connect(desk, url, key=OTHER_TOKEN, **more):
    made = desk.ok("POST", "/workbench/connections", {"name": "Elsewhere", "base_url": url, "key": key, **more})
    desk.ok("POST", f"/workbench/connections/{made['id']}/select")
    return made["id"]


def test_the_page_works_there_and_programs_here(here, there, desk, model):
    connection = connect(desk, there.url)
    checked = desk.ok("POST", f"/workbench/connections/{connection}/check")
    assert checked["health"]["ok"] is True, checked
    assert checked["selected"] is True

    agent = desk.ok("POST", "/v1/agents/", {
        "name": "Venus", "model": "openai/gpt-4.1", "memory_blocks": [{"label": "human", "value": "Ada"}],
    })
    theirs = Letta(base_url=there.url, api_key=OTHER_TOKEN)
    assert [one.name for one in theirs.agents.list()] == ["Venus"]
    ours = Letta(base_url=here.url, api_key=TOKEN)
    assert list(ours.agents.list()) == [], "a program that asks this server gets this server"

    model.script({"text": "Good evening."})
    frames = desk.ok("POST", f"/v1/agents/{agent['id']}/messages", {
        "input": "Hello", "streaming": True, "stream_tokens": True,
    })
    assert "".join(f["content"] for f in frames if f["message_type"] == "assistant_message") == "Good evening."
    assert frames[-1]["message_type"] == "usage_statistics"

    # The choice and the key survive; neither the answer nor a file others can read shows the key.
    here.restart()
    status, all_of_them = desk("GET", "/workbench/connections")
    assert OTHER_TOKEN not in json.dumps(all_of_them)
    assert [one["selected"] for one in all_of_them] == [False, True]
    assert [one["name"] for one in desk.ok("GET", "/v1/agents/")] == ["Venus"]
    secrets = pathlib.Path(here.data / "secrets.json")
    assert secrets.stat().st_mode & 0o077 == 0
    assert OTHER_TOKEN not in pathlib.Path(here.data / "loci.db").read_bytes().decode("latin-1")

    desk.ok("POST", "/workbench/connections/local/select")
    assert desk.ok("GET", "/v1/agents/") == []
    assert [a["name"] for a in desk.ok("GET", "/v1/agents/", named=connection)] == ["Venus"], "named by the page"


def test_a_wrong_key_is_said_by_the_check(there, desk):
    connection = connect(desk, there.url, key="not-the-right-key")
    health = desk.ok("POST", f"/workbench/connections/{connection}/check")["health"]
    assert (health["ok"], health["code"]) == (False, "KEY_REFUSED")
    assert "does not accept the key" in health["said"]["message"]
    status, _ = desk("GET", "/v1/agents/")
    assert status == 401, "its own answer passes through"


def test_a_server_that_goes_away_is_said_and_comes_back(there, desk):
    connect(desk, there.url)
    assert desk.ok("GET", "/v1/agents/") == []
    there.kill()
    status, body = desk("GET", "/v1/agents/")
    assert status == 502
    assert body["detail"]["code"] == "CONNECTION_UNREACHABLE"
    assert "Elsewhere" in body["detail"]["message"]
    assert desk.ok("GET", "/workbench/status")["version"], "the desk itself answers"
    there.start()
    assert desk.ok("GET", "/v1/agents/") == []


@pytest.fixture
def own_certificate(tmp_path):
    """A server behind a certificate it signed itself, as people make them at home."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=home",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=60,
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer = {"version": "0.16.8", "status": "ok"} if self.path == "/v1/health" else []
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", certificate
    server.shutdown()
    server.server_close()


def test_a_certificate_of_ones_own_is_trusted_only_when_named(desk, own_certificate, tmp_path):
    url, certificate = own_certificate
    refused = desk.ok("POST", "/workbench/connections/try", {"base_url": url})
    assert (refused["ok"], refused["code"]) == (False, "CONNECTION_CERTIFICATE")
    fine = desk.ok("POST", "/workbench/connections/try", {"base_url": url, "ca_file": str(certificate)})
    assert fine["ok"] is True, fine
    connection = connect(desk, url, ca_file=str(certificate))
    assert desk.ok("GET", "/v1/agents/") == []
    certificate.unlink()
    desk.ok("PATCH", f"/workbench/connections/{connection}", {"name": "Home"})
    status, body = desk("GET", "/v1/agents/")
    assert status == 503 and "cannot be read" in body["detail"], "a file that is gone is said, not passed over"
