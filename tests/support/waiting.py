"""Waiting for what comes about by itself."""

import socket
import threading
import time


def eventually(check, what, seconds=30):
    """The first true answer of `check`; says what it waited for."""
    deadline = time.monotonic() + seconds
    waiter = threading.Event()
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        waiter.wait(0.05)


def listens(path):
    """Whether somebody takes connections at a socket's path: it is there a moment before that."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
