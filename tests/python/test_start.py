"""Starting on data that cannot be opened: a sentence that says what to do, and nothing is changed. And what is left
when Loci ends."""

import shutil
import socket
import sqlite3
import subprocess

import pytest
from letta_client import Letta
from support.programs import TOKEN, Server, clean_env, program


def start(data, *args):
    return subprocess.run(
        [program("loci"), "serve", "--data", str(data), "--token", TOKEN, *(args or ["--port", "0"])],
        env=clean_env(), capture_output=True, text=True, timeout=60, check=False,
    )


def newer(file):
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 999")
    database.close()


def overwritten(first, count):
    """Other bytes where pages of the database were."""
    def damage(file):
        with file.open("r+b") as database:
            database.seek(4096 * first)
            database.write(b"\xa5" * 4096 * count)

    return damage


def foreign(file):
    file.unlink()
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    database.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (newer, ["schema version 999", "use a newer Loci", "was not touched"]),
        (overwritten(0, 1), ["damaged or not Loci's", "left as it is", "`backups`"]),
        (overwritten(5, 100), ["damaged or not Loci's", "left as it is", "`backups`"]),
        (foreign, ["another program's database", "left as it is"]),
    ],
    ids=["written by a newer program", "without its beginning", "damaged inside", "another program's"],
)
def test_data_that_cannot_be_opened_is_left_as_it_is(server, tmp_path, harm, said):
    server.close()
    data = tmp_path / "harmed"
    shutil.copytree(server.data, data)
    file = data / "loci.db"
    harm(file)
    before = file.read_bytes()
    done = start(data)
    assert done.returncode == 2
    assert done.stderr.count(str(file)) == 1, f"named once: {done.stderr}"
    for part in said:
        assert part in done.stderr
    assert "panicked" not in done.stderr
    assert file.read_bytes() == before
    assert not [each.name for each in data.iterdir() if "before" in each.name], "no copy of what was not changed"


def test_a_folder_that_cannot_be_written_is_named_once_with_a_way_out(tmp_path):
    (tmp_path / "file").touch()
    done = start(tmp_path / "file" / "data")
    assert done.returncode == 2
    assert done.stderr.count("os error") == 1, done.stderr
    assert "LOCI_DATA_DIR" in done.stderr


def test_data_in_use_and_a_port_in_use_say_what_to_do(server, tmp_path):
    done = start(server.data)
    assert done.returncode == 2
    assert "in use by another running Loci" in done.stderr
    assert "Close that one first" in done.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = start(tmp_path / "untouched", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert not (tmp_path / "untouched").exists()


def test_one_file_has_everything_when_loci_has_ended(server, client, model, tmp_path):
    agent = client.agents.create(name="Mercury", model="openai/gpt-4.1")
    model.script({"text": "Hello."})
    client.agents.messages.create(agent.id, input="Hi")
    server.close()
    copied = tmp_path / "copied"
    copied.mkdir()
    shutil.copy(server.data / "loci.db", copied)
    second = Server(copied, model)
    try:
        again = Letta(base_url=second.url, api_key=TOKEN, max_retries=0, timeout=30)
        texts = [str(message.content) for message in again.agents.messages.list(agent.id) if hasattr(message, "content")]
        assert any("Hello." in text for text in texts), texts
    finally:
        second.close()
