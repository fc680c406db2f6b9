"""Traces: build one from requests that were timed on two sides, and check one from anywhere.

The format is described in `trace.schema.json`; the recorder (`looptrace`), the figures and the
player on the page all use it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Span = tuple[str, float, float]
"""(state, from, to)"""
Request = tuple[str, float, float, Sequence[Span]]
"""(name, sent, done, spans): what the client saw, and what the server did for it."""

STATES: dict[str, str] = {
    "running": "holds the loop",
    "blocking": "blocks the loop",
    "ready": "waits for the loop",
    "database": "waits for the database",
    "pool": "waits for a connection",
    "thread": "waits for a thread",
    "waiting": "waits",
}
"""Every state of the format, with the words a reader sees."""

DIGITS = 6
"""Times in a trace are rounded to a microsecond."""


class TraceError(ValueError):
    """The trace does not follow the format. The message names the place and the reason."""


@cache
def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of the trace format. Do not change the returned value."""
    return json.loads(Path(__file__).with_name("trace.schema.json").read_text(encoding="utf-8"))


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator  # not needed by those who only record

    return Draft202012Validator(schema())


def check_trace(trace: Mapping[str, Any]) -> None:
    """Raise `TraceError` unless `trace` follows the format.

    First the JSON schema; then what a schema cannot say: times are finite, the spans of a lane
    are in order and disjoint, none ends after `duration`, no two lanes share a name.
    """
    from jsonschema.exceptions import best_match

    problem = best_match(_validator().iter_errors(trace))
    if problem is not None:
        raise TraceError(f"{problem.json_path}: {problem.message}")
    if not math.isfinite(trace["duration"]):
        raise TraceError("$.duration: a time must be a finite number")
    names: set[str] = set()
    for i, lane in enumerate(trace["lanes"]):
        if lane["name"] in names:
            raise TraceError(f"$.lanes[{i}]: a second lane is called {lane['name']!r}")
        names.add(lane["name"])
        _check_order(lane["spans"], trace["duration"], f"$.lanes[{i}].spans")


def _check_order(spans: Sequence[Mapping[str, Any]], duration: float, where: str) -> None:
    before = 0.0
    for j, span in enumerate(spans):
        begin, end = span["from"], span["to"]
        if not (math.isfinite(begin) and math.isfinite(end)):
            raise TraceError(f"{where}[{j}]: a time must be a finite number")
        if begin >= end:
            raise TraceError(f"{where}[{j}]: ends at {end}, but begins at {begin}")
        if begin < before:
            raise TraceError(f"{where}[{j}]: begins at {begin}, but the last one ends at {before}")
        before = end
    if before > duration:
        raise TraceError(f"{where}: ends at {before}, after the duration {duration}")


def build_trace(
    lanes: Iterable[tuple[str, Iterable[tuple[str, float, float, str | None]]]],
    *,
    duration: float,
    title: str,
    summary: str,
    source: str = "recorded",
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A checked trace from lanes of (state, from, to, label) in seconds from the start.

    Spans shorter than a microsecond are left out. Raises `TraceError`.
    """
    trace = {
        "schema": "async-course/trace/1",
        "title": title,
        "summary": summary,
        "source": source,
        "about": dict(about or {}),
        "duration": round(duration, DIGITS),
        "lanes": [{"name": name, "spans": _rounded(spans)} for name, spans in lanes],
    }
    check_trace(trace)
    return trace


def _rounded(spans: Iterable[tuple[str, float, float, str | None]]) -> list[dict[str, Any]]:
    result = []
    for state, begin, end, label in spans:
        span = {"state": state, "from": round(begin, DIGITS), "to": round(end, DIGITS)}
        if label:
            span["label"] = label
        if span["from"] != span["to"]:
            result.append(span)
    return result


def requests_to_trace(
    requests: Iterable[Request],
    *,
    title: str,
    summary: str,
    gaps: str = "ready",
    source: str = "recorded",
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A trace of requests from two sides: the client's clock and the server's spans.

    Each request is `(name, sent, done, spans)`, each span `(state, from, to)`. All times are
    `time.perf_counter()` seconds of one machine; on Linux and macOS two processes share that
    clock. The trace starts when the first request is sent. Spans may come in any order; what
    lies outside [sent, done] is cut off, what is left uncovered becomes a span of state `gaps`.
    Before `sent` a lane is empty. Lanes keep the order of `requests`.

    For a handler that blocks the loop use `gaps="ready"` (the request waits for the loop); for a
    `def` handler `gaps="thread"` (it waits for one of the 40 threads).
    Raises `TraceError` for no requests, a time that is not finite, spans of one request that
    overlap, or a request that is done before it is sent.
    """
    rows = [(name, sent, done, list(spans)) for name, sent, done, spans in requests]
    if not rows:
        raise TraceError("there are no requests: give at least one (name, sent, done, spans)")
    for name, sent, done, spans in rows:
        if not all(map(math.isfinite, [sent, done, *(t for span in spans for t in span[1:])])):
            raise TraceError(f"{name}: a time must be a finite number")
        if done <= sent:
            raise TraceError(f"{name}: done at {done}, but sent at {sent}")
    zero = min(sent for _, sent, _, _ in rows)
    return build_trace(
        [(name, _filled(name, sent, done, spans, gaps, zero)) for name, sent, done, spans in rows],
        duration=max(done for _, _, done, _ in rows) - zero,
        title=title,
        summary=summary,
        source=source,
        about=about,
    )


def _filled(
    name: str, sent: float, done: float, spans: Iterable[Span], gaps: str, zero: float
) -> Iterable[tuple[str, float, float, None]]:
    at = sent
    for state, begin, end in sorted(spans, key=lambda span: span[1:]):
        if begin > end:
            raise TraceError(f"{name}: the span {state!r} ends before it begins")
        begin, end = max(begin, sent), min(end, done)
        if begin >= end:
            continue
        if begin < at:
            raise TraceError(f"{name}: the span {state!r} begins before the last one ends")
        if begin > at:
            yield gaps, at - zero, begin - zero, None
        yield state, begin - zero, end - zero, None
        at = end
    if at < done:
        yield gaps, at - zero, done - zero, None
