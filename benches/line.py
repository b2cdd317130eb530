"""A connection to a server that is measured. Whoever uses it has put `tests` on the path."""

import http.client
import json
import urllib.parse

from support.programs import TOKEN

HEADERS = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


class Line:
    """One kept-open connection, with as little of Python in the way as possible."""

    def __init__(self, url):
        at = urllib.parse.urlparse(url)
        self.connection = http.client.HTTPConnection(at.hostname, at.port, timeout=120)

    def __call__(self, method, path, body=None):
        self.connection.request(method, path, None if body is None else json.dumps(body), HEADERS)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else None
