"""The submitted file of a lab as an ASGI app, `app`; `bench.practice.submission` serves it.

The app is the file's own, and nothing is changed in it. Around it stands a diary: a file of JSON
lines that tells the checks how far the import came, which line of the submitted code raised what,
and which one held the loop while requests were served. The log of a server is for people; this is
for a program.

Two environment variables name the files: LAB_FILE and LAB_DIARY.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import linecache
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from fastapi.exceptions import ResponseValidationError

from bench.practice.held_loop import watch
from bench.practice.printed_outcomes import NO_APP
from bench.practice.raised_code import NoApp, code_at, entry, entry_of, innermost

FILE = Path(os.environ["LAB_FILE"])
DIARY = Path(os.environ["LAB_DIARY"])

BEAT = "/.well-known/beat"  # answered here, beside the submitted app: does its loop still beat?
LATER = "/.well-known/later"  # so is this, with seconds in the query: the loop's clock runs on
CANCEL = "/.well-known/cancel"  # and this: every request that is under way is cancelled
DEF = re.compile(r"\s*(async )?def ")


def note(**entry: object) -> None:
    with DIARY.open("a", encoding="utf-8") as diary:
        diary.write(json.dumps(entry) + "\n")


def note_error(error: BaseException) -> None:
    """Note what was raised, and the last line of the submitted file on the way there."""
    error = innermost(error)
    if isinstance(error, ResponseValidationError):  # raised after the route has returned
        note(**entry(error, not_its_type(error), route_line(error), FILE))
    else:
        note(**entry_of(error, FILE))


def note_held(line: int) -> None:
    """Note a line that holds the event loop, and waits."""
    note(held=True, line=line, code=code_at(FILE, line))


def not_its_type(error: ResponseValidationError) -> str:
    """What a route returned, and what its return type wants: FastAPI's own text has many lines."""
    first, found = error.errors()[0], error.errors()[0]["input"]
    kind = "None" if found is None else f"a {type(found).__name__}"
    inside = "" if found is error.body else f"a {type(error.body).__name__} with "
    wanted = first["msg"].removeprefix("Input should be a valid ")
    if wanted != first["msg"]:
        wanted = f"Its return type wants a{'n' * wanted.startswith(('i', 'o'))} {wanted}"
    hint = " Is an `await` missing?" if inspect.iscoroutine(found) else ""
    if isinstance(found, asyncio.Future):
        hint = " A task keeps its value: ask for `.result()` when it is done."
    return f"{error.endpoint_path or 'A route'} returned {inside}{kind}. {wanted}.{hint}"


def route_line(error: ResponseValidationError) -> int | None:
    """The line of the route's `def`, if the route is in the submitted file."""
    if error.endpoint_file != str(FILE):
        return None
    if (line := error.endpoint_line) is None:
        return None
    while (code := linecache.getline(str(FILE), line)) and not DEF.match(code):
        line += 1
    return line if code else error.endpoint_line


def load() -> Any:
    """Import the submitted file, with its folder on the path, and return its `app`."""
    note(importing=True)
    sys.path.insert(0, str(FILE.parent))
    try:
        spec = spec_from_file_location(FILE.stem, FILE)
        if spec is None or spec.loader is None:
            raise NoApp(f"{FILE.name} is no file of Python.")
        module = sys.modules[FILE.stem] = module_from_spec(spec)
        spec.loader.exec_module(module)
        if not callable(getattr(module, "app", None)):
            raise NoApp(NO_APP)
    except BaseException as error:
        note_error(error)
        raise
    note(imported=True)
    return module.app


async def put_forward(seconds: float) -> None:
    """Put the loop's clock forward; whatever had a timer for a moment until then has ended."""
    loop = asyncio.get_running_loop()
    time = loop.time
    loop.time = lambda: time() + seconds  # type: ignore[method-assign]  # of this loop alone
    for _ in range(2):  # the first turn finds the timers, and the second one their tasks
        await asyncio.sleep(0)


@contextmanager
def under_way(scope: Any) -> Iterator[None]:
    """The task that runs this block can be cancelled by CANCEL, if it serves a request."""
    if scope["type"] != "http" or not (task := asyncio.current_task()):
        yield
        return
    _under_way.add(task)
    try:
        yield
    finally:
        _under_way.discard(task)


async def beat(send: Any) -> None:
    head = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b""})


_submitted = load()
_watched = False
_under_way: set[asyncio.Task[Any]] = set()


async def app(scope: Any, receive: Any, send: Any) -> None:
    global _watched
    if scope["type"] == "http" and not _watched:  # while the app starts, nobody waits for the loop
        _watched = True
        watch(str(FILE), note_held)
    if scope["type"] == "http" and scope["path"] == BEAT:
        await beat(send)
        return
    if scope["type"] == "http" and scope["path"] == LATER:
        await put_forward(float(scope["query_string"]))
        await beat(send)
        return
    if scope["type"] == "http" and scope["path"] == CANCEL:
        for request in _under_way:
            request.cancel()
        await beat(send)
        return
    try:
        with under_way(scope):
            await _submitted(scope, receive, send)
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        note_error(error)
        raise
