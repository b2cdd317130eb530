# Runs one call of a person's function inside the confinement and reports what came of it.
# Input: one JSON object on descriptor 0. Output: one JSON object on the descriptor named by argv[1].
# Standard output and error belong to the person's code alone.
import sys


def main():
    import json
    import os

    result_fd = int(sys.argv[1])
    sys.argv = [""]
    warm_up()
    request = json.loads(receive())
    os.environ.update(request["env"])
    if "TZ" in request["env"]:
        import time

        time.tzset()
    line = os.dup(0) if request.get("tools") else None  # not inherited by what the code starts
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.set_inheritable(result_fd, False)
    parent = os.getpid()

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace", line_buffering=True)

    try:
        outcome = run(request, line)
    except BaseException as error:  # SystemExit and KeyboardInterrupt are answers too
        outcome = failure(error)
    if os.getpid() != parent:  # a fork of the person's code came back here
        os._exit(0)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    text = json.dumps(outcome, ensure_ascii=True).encode("ascii")
    view = memoryview(text)
    while view:
        view = view[os.write(result_fd, view):]
    # Threads and exit handlers of the person's code must not hold the answer back.
    os._exit(0)


def warm_up():
    """Loads what every call needs, and while there is no call yet, what many need."""
    import dataclasses, enum, inspect, linecache, types, typing  # noqa: E401,F401
    import select

    if select.select([0], [], [], 0)[0]:
        return
    import asyncio, base64, datetime, decimal, pathlib, traceback, uuid  # noqa: E401,F401


def receive():
    """The request: 8 bytes of length, then so many bytes."""
    import os

    def exactly(count):
        chunks = []
        while count:
            chunk = os.read(0, min(count, 1 << 20))
            if not chunk:
                os._exit(0)  # nobody wants anything of this process any more
            chunks.append(chunk)
            count -= len(chunk)
        return b"".join(chunks)

    return exactly(int.from_bytes(exactly(8), "little"))


FILE = "tool.py"


def failure(error):
    import traceback

    text = "".join(own_frames(error, traceback))
    try:
        message = str(error)
    except Exception:
        message = "(the exception has no readable text)"
    return {"ok": False, "error": type(error).__name__, "message": clean(message), "traceback": clean(text)}


def own_frames(error, traceback):
    """The traceback from the first line of the person's code on; the runner and what it calls are left out."""
    seen = set()
    step = error
    while step is not None and id(step) not in seen:
        seen.add(id(step))
        frame = step.__traceback__
        while frame is not None and frame.tb_frame.f_code.co_filename != FILE:
            frame = frame.tb_next
        step.__traceback__ = frame
        while frame is not None and frame.tb_next is not None:
            if frame.tb_next.tb_frame.f_code.co_filename == "<string>":  # this file
                frame.tb_next = frame.tb_next.tb_next
            else:
                frame = frame.tb_next
        step = step.__cause__ or step.__context__
    try:
        return traceback.format_exception(type(error), error, error.__traceback__, limit=-40)
    except Exception:
        return [type(error).__name__ + "\n"]


def load(source):
    import linecache
    import types

    module = types.ModuleType("tool")
    module.__file__ = FILE
    sys.modules["tool"] = module
    linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)
    return module


def run(request, line):
    sys.path.insert(0, request["work_dir"])
    module = load(request["source"])
    if "client" in request["source"]:
        module.client = client_of(request["env"])
    if line is not None:
        offer(module, line, request["tools"])
    if request["mode"] == "script":
        return run_script(module, request["source"])

    exec(compile(request["source"], FILE, "exec", dont_inherit=True), module.__dict__)
    name = request["function"]
    function = module.__dict__.get(name)
    if not callable(function):
        raise NameError(f"the source defines no function named {name!r}")
    state = AgentState.of(request.get("agent_state"))
    arguments = bind(function, request["arguments"], state, request.get("agent_id"))

    import inspect

    result = function(**arguments)
    if inspect.isawaitable(result):
        result = wait_for(result)
    outcome = {"ok": True, "value": to_json(result)}
    changed = state.changed_blocks() if state is not None else None
    if changed:
        outcome["blocks"] = changed
    return outcome


def client_of(env):
    """The official client, for a tool that was given a key and asked for the package; otherwise None."""
    if not env.get("LETTA_API_KEY"):
        return None
    try:
        from letta_client import Letta
    except ImportError:
        return None
    base_url = env.get("LETTA_BASE_URL")
    return Letta(api_key=env["LETTA_API_KEY"], **({"base_url": base_url} if base_url else {}))


class ToolError(Exception):
    """A tool that was called from code failed or was refused."""


def offer(module, line, tools):
    """Gives the code a function for each tool. A call goes out as one line and comes back as one."""
    import json
    import os
    import threading

    lock = threading.Lock()
    answers = os.fdopen(os.dup(line), "rb")

    def call(name, arguments):
        text = json.dumps({"name": name, "arguments": to_json(arguments)}) + "\n"
        with lock:
            view = memoryview(text.encode("ascii"))
            while view:
                view = view[os.write(line, view):]
            answer = answers.readline()
        if not answer:
            raise ToolError(f"{name} was not answered")
        answer = json.loads(answer)
        if "error" in answer:
            raise ToolError(answer["error"])
        return answer["ok"]

    def function(name, parameters):
        def tool(*given, **named):
            if len(given) > len(parameters):
                raise TypeError(f"{name}() takes {len(parameters)} arguments but {len(given)} were given")
            for parameter, value in zip(parameters, given):
                if parameter in named:
                    raise TypeError(f"{name}() got two values for '{parameter}'")
                named[parameter] = value
            return call(name, named)

        tool.__name__ = tool.__qualname__ = name
        return tool

    module.ToolError = ToolError
    for one in tools:
        setattr(module, one["name"], function(one["name"], one["parameters"]))


def wait_for(awaitable):
    import asyncio

    async def waiting():
        return await awaitable

    return asyncio.run(waiting())


def run_script(module, source):
    """Runs statements; the value of a last expression is shown, as an interactive session would."""
    import ast

    tree = ast.parse(source, FILE)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    module.__dict__["__name__"] = "__main__"
    sys.modules["__main__"] = module
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def evaluate(code):
        result = eval(code, module.__dict__)
        if code.co_flags & 0x80:  # a coroutine, because of await at the top level
            result = wait_for(result)
        return result

    evaluate(compile(tree, FILE, "exec", flags=flags, dont_inherit=True))
    results = []
    if last is not None:
        value = evaluate(compile(last, FILE, "eval", flags=flags, dont_inherit=True))
        if value is not None:
            results.append(clean(repr(value)[:1_000_000]))
    return {"ok": True, "value": results}


# ---- arguments -------------------------------------------------------------------------------------------------


def bind(function, arguments, state, agent_id):
    """Chooses and converts the keyword arguments of one call."""
    import inspect

    signature = inspect.signature(function)
    hints = hints_of(function)
    bound = {}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    for name, value in arguments.items():
        if name == "request_heartbeat" and name not in signature.parameters and not takes_any:
            continue
        bound[name] = coerce(value, hints[name], 0) if name in hints else value
    for name, value in (("agent_state", state), ("agent_id", agent_id)):
        parameter = signature.parameters.get(name)
        if parameter is not None and name not in arguments:
            if value is not None or parameter.default is parameter.empty:
                bound[name] = value
    if "self" in signature.parameters and "self" not in bound:
        bound["self"] = None
    return bound


def hints_of(function):
    import typing

    try:
        return typing.get_type_hints(function, include_extras=False)
    except Exception:
        return {k: v for k, v in getattr(function, "__annotations__", {}).items() if not isinstance(v, str)}


class Unfit(Exception):
    pass


def coerce(value, hint, depth):
    """The value as the annotation wants it; the value itself where that cannot be told."""
    try:
        return fit(value, hint, depth)
    except Unfit:
        return value


def fit(value, hint, depth):
    import dataclasses
    import enum
    import inspect
    import typing

    if depth > 40 or hint is typing.Any or hint is inspect.Parameter.empty or hint is object:
        return value
    origin = typing.get_origin(hint)
    inner = typing.get_args(hint)
    if hint is None or hint is type(None):
        if value is None:
            return None
        raise Unfit
    if origin is typing.Annotated:
        return fit(value, inner[0], depth + 1)
    if origin is typing.Literal:
        if value in inner:
            return value
        raise Unfit
    if origin is typing.Union or type(hint).__name__ == "UnionType":
        if value is None and type(None) in inner:
            return None
        for exact in (True, False):
            for arm in inner:
                try:
                    if exact and not is_plain(value, arm):
                        continue
                    return fit(value, arm, depth + 1)
                except (Unfit, TypeError, ValueError):
                    continue
        raise Unfit
    container = origin or hint
    if container in (list, set, frozenset, tuple) or getattr(container, "__module__", "") == "collections.abc":
        return fit_container(value, container, inner, depth)
    if container is dict:
        if not isinstance(value, dict):
            raise Unfit
        if len(inner) == 2:
            return {coerce(k, inner[0], depth + 1): coerce(v, inner[1], depth + 1) for k, v in value.items()}
        return value
    if not isinstance(hint, type):
        return value
    if isinstance(value, dict):
        if hasattr(hint, "model_validate"):
            return hint.model_validate(value)
        if hasattr(hint, "parse_obj"):
            return hint.parse_obj(value)
        if dataclasses.is_dataclass(hint):
            fields = {field.name for field in dataclasses.fields(hint) if field.init}
            types = hints_of(hint)
            return hint(**{k: coerce(v, types.get(k, object), depth + 1) for k, v in value.items() if k in fields})
        if typing.is_typeddict(hint):
            types = hints_of(hint)
            return {k: coerce(v, types.get(k, object), depth + 1) for k, v in value.items()}
    if issubclass(hint, enum.Enum):
        if isinstance(value, hint):
            return value
        try:
            return hint(value)
        except ValueError:
            if isinstance(value, str) and value in hint.__members__:
                return hint[value]
            raise Unfit from None
    return fit_scalar(value, hint)


def is_plain(value, hint):
    import typing

    container = typing.get_origin(hint) or hint
    if container is bool or isinstance(value, bool):
        return container is bool and isinstance(value, bool)
    return isinstance(container, type) and isinstance(value, container)


def fit_container(value, container, inner, depth):
    import collections.abc

    if not isinstance(value, (list, tuple)):
        if container is collections.abc.Mapping and isinstance(value, dict):
            return value
        raise Unfit
    if container is tuple and inner and not (len(inner) == 2 and inner[1] is ...):
        return tuple(coerce(v, inner[i] if i < len(inner) else object, depth + 1) for i, v in enumerate(value))
    item = inner[0] if inner else object
    items = [coerce(v, item, depth + 1) for v in value]
    return container(items) if container in (set, frozenset, tuple) else items


def fit_scalar(value, hint):
    import datetime
    import decimal
    import pathlib
    import uuid

    if hint is bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        raise Unfit
    if hint is int:
        if isinstance(value, bool):
            raise Unfit
        if isinstance(value, int):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str):
            try:
                return int(value.strip())
            except ValueError:
                raise Unfit from None
        raise Unfit
    if hint is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str):
            try:
                return float(value.strip())
            except ValueError:
                raise Unfit from None
        raise Unfit
    if isinstance(value, hint):
        return value
    if isinstance(value, str):
        if hint is bytes:
            return value.encode()
        try:
            if hint in (datetime.datetime, datetime.date, datetime.time):
                return hint.fromisoformat(value.replace("Z", "+00:00") if hint is not datetime.date else value)
            if hint in (uuid.UUID, decimal.Decimal) or issubclass(hint, pathlib.PurePath):
                return hint(value)
        except (ValueError, ArithmeticError):
            raise Unfit from None
    raise Unfit


# ---- the agent as a tool sees it -------------------------------------------------------------------------------


class AgentState(dict):
    """A copy of the agent: a dict whose keys are attributes too, with its memory blocks under `memory`."""

    @staticmethod
    def of(value):
        if value is None:
            return None
        state = namespace(value)
        blocks = value.get("blocks") or (value.get("memory") or {}).get("blocks") or []
        state["memory"] = Memory(blocks)
        return state

    def changed_blocks(self):
        memory = self.get("memory")
        return memory.changed() if isinstance(memory, Memory) else None

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value


def namespace(value):
    if isinstance(value, dict):
        return AgentState((k, namespace(v)) for k, v in value.items())
    if isinstance(value, list):
        return [namespace(v) for v in value]
    return value


class Memory:
    """The agent's blocks. What is changed here is written back after the call."""

    def __init__(self, blocks):
        self.blocks = [namespace(block) for block in blocks if isinstance(block, dict)]
        self._before = {block.get("label"): block.get("value") for block in self.blocks}

    def list_block_labels(self):
        return [block.get("label") for block in self.blocks]

    def get_blocks(self):
        return list(self.blocks)

    def get_block(self, label):
        for block in self.blocks:
            if block.get("label") == label:
                return block
        raise KeyError(f"no memory block {label!r}; there are: {', '.join(map(str, self.list_block_labels()))}")

    def update_block_value(self, label, value):
        if not isinstance(value, str):
            raise TypeError("the value of a memory block is a str")
        self.get_block(label)["value"] = value

    def changed(self):
        return {
            clean(block.get("label")): clean(block.get("value"))
            for block in self.blocks
            if isinstance(block.get("value"), str) and self._before.get(block.get("label")) != block.get("value")
        }


# ---- results ---------------------------------------------------------------------------------------------------


def to_json(value, depth=0, parents=()):
    """The value by JSON's rules; whatever has none of them becomes its text."""
    import math

    if value is None or isinstance(value, (bool, str)):
        return plain(value)
    if isinstance(value, int):
        return int(value) if -(1 << 63) <= value < (1 << 64) else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if depth > 60 or id(value) in parents:
        return text_of(value)
    parents = parents + (id(value),)

    def inner(item):
        return to_json(item, depth + 1, parents)

    if isinstance(value, dict):
        return {key_of(k): inner(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        if hasattr(value, "_asdict"):
            return {k: inner(v) for k, v in value._asdict().items()}
        return [inner(v) for v in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes_to_json(bytes(value))
    return object_to_json(value, inner)


def plain(value):
    return clean(value) if isinstance(value, str) else value


def clean(text):
    """The text without halves of characters, which JSON cannot carry."""
    return str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def key_of(key):
    import enum

    if isinstance(key, enum.Enum):
        key = key.value
    return clean(key) if isinstance(key, str) else text_of(key)


def bytes_to_json(value):
    import base64

    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")


def object_to_json(value, inner):
    import dataclasses
    import datetime
    import enum

    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, enum.Enum):
        return inner(value.value)
    if isinstance(value, (set, frozenset)):
        items = [inner(v) for v in value]
        try:
            return sorted(items)
        except TypeError:
            return items
    if not isinstance(value, type):
        if hasattr(value, "model_dump"):
            return inner(value.model_dump())
        if dataclasses.is_dataclass(value):
            return {f.name: inner(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if hasattr(value, "__fields__") and hasattr(value, "dict"):
            return inner(value.dict())
        if type(value).__module__.split(".")[0] == "numpy":
            return inner(value.tolist())
    return text_of(value)


def text_of(value):
    try:
        return clean(value)
    except Exception:
        return f"<{type(value).__name__}>"


main()
