"""The engine of live cells without its buttons: programs go straight to the worker of a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from live_pins import is_whole
from live_site import put_fetched, put_own

from answering import PATH, answering

PATIENCE = 180
"""Seconds for all programs together: enough for a machine that is busy with other tests."""

ASK = """
const { preload, programs } = %s;
const worker = new Worker("live/live-worker.mjs", { type: "module" });
const messages = [];
const began = performance.now();
const finish = () => fetch("%s", { method: "POST", body: JSON.stringify(messages) });
let next = 0;
worker.onerror = (event) => {
  messages.push({ type: "fatal", text: event.message });
  finish();
};
worker.onmessage = ({ data }) => {
  messages.push({ ...data, at: performance.now() - began });
  if (data.type === "fatal") finish();
  if (data.type !== "ready" && data.type !== "done") return;
  if (next === programs.length) finish();
  else worker.postMessage({ type: "run", id: next, name: `cell-${next + 1}`, ...programs[next] });
  next += 1;
};
worker.postMessage({ type: "start", preload, of: 0 });
"""


class Outcome(NamedTuple):
    """What the worker said about one program."""

    ok: bool
    printed: str
    shown: list[tuple[str, str]]
    """(mime, data)"""
    messages: list[dict[str, Any]]


class Run(NamedTuple):
    ready: dict[str, Any]
    outcomes: list[Outcome]
    messages: list[dict[str, Any]]
    sizes: dict[str, int]
    """{path: bytes} that the worker fetched"""


def run_in_worker(
    folder: Path,
    programs: Sequence[dict[str, Any]],
    opened: Callable[[str], AbstractContextManager[Any]],
    preload: Sequence[str] = (),
) -> Run:
    """Run `programs` ({code, script}) one after the other in one worker of one page.

    `folder` becomes the site; `opened(address)` shows the page in a browser.
    """
    assert is_whole(), "Live cells have nothing to run on: `make live-assets` fetches it."
    put_own(folder / "live")
    put_fetched(folder / "live")
    asked = json.dumps({"preload": list(preload), "programs": list(programs)})
    page = "<!doctype html><title>The engine of live cells</title>"
    (folder / "engine.html").write_text(page, encoding="utf-8")
    script = ASK % (asked.replace("<", "\\\\u003c"), PATH)
    with answering(folder, script) as served, opened(f"{served.address}engine.html"):
        messages = served.answers.get(timeout=PATIENCE)
    fatal = [message["text"] for message in messages if message["type"] == "fatal"]
    assert not fatal, fatal
    [ready] = [message for message in messages if message["type"] == "ready"]
    outcomes = [outcome(messages, number) for number in range(len(programs))]
    sizes = {path: size for path, size in served.sizes.items() if path.startswith("/live/")}
    return Run(ready, outcomes, messages, sizes)


def outcome(messages: list[dict[str, Any]], number: int) -> Outcome:
    mine = [message for message in messages if message.get("id") == number]
    printed = "".join(one["text"] for one in mine if one["type"] == "stream")
    shown = [(one["mime"], one["data"]) for one in mine if one["type"] == "display"]
    return Outcome(mine[-1]["ok"], printed, shown, mine)
