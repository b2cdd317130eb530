"""Cuts the published OpenAPI document down to the operations Loci implements and the schemas they use.

    python3 tests/contract/trim.py PUBLISHED.json > tests/contract/published.json

The result is data we are measured against; nothing is generated from it.
"""

import json
import pathlib
import sys

OPERATIONS = pathlib.Path(__file__).with_name("operations.txt")


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.rsplit("/", 1)[-1]
            elif key == "mapping":
                for target in value.values():
                    yield target.rsplit("/", 1)[-1]
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def without_prose(node):
    if isinstance(node, dict):
        return {
            key: without_prose(value)
            for key, value in node.items()
            if not (key in ("description", "summary", "title", "example", "examples") and isinstance(value, (str, list)))
        }
    if isinstance(node, list):
        return [without_prose(value) for value in node]
    return node


def main():
    published = json.load(open(sys.argv[1]))
    paths = {}
    for line in OPERATIONS.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        method, path = line.split()
        paths.setdefault(path, {})[method.lower()] = without_prose(published["paths"][path][method.lower()])
    schemas, waiting = {}, list(references(paths))
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = without_prose(published["components"]["schemas"][name])
            waiting += references(schemas[name])
    document = {"openapi": published["openapi"], "paths": paths, "components": {"schemas": dict(sorted(schemas.items()))}}
    json.dump(document, sys.stdout, indent=0, separators=(",", ":"))
    print()


main()
