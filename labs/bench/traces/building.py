"""Build a trace: from spans, or from requests that were timed on two sides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.traces.trace import Trace, TraceError, check_trace

Spans = Iterable[tuple[str, float, float, str | None]]
"""(state, from, to, label), in seconds from the start of the trace."""
ServerSpan = tuple[str, float, float]
"""(state, from, to), as `time.perf_counter()` gave them."""
Request = tuple[str, float, float, Sequence[ServerSpan]]
"""(name, sent, done, spans): what the client saw, and what the server did for it."""

DIGITS = 6
"""Times in a trace are rounded to a microsecond."""


def build_trace(
    lanes: Iterable[tuple[str, Spans]],
    *,
    duration: float,
    title: str,
    summary: str,
    source: str = "recorded",
    about: Mapping[str, Any] | None = None,
) -> Trace:
    """A trace from lanes of (state, from, to, label) in seconds from the start.

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
    return check_trace(trace)


def _rounded(spans: Spans) -> list[dict[str, Any]]:
    result = []
    for state, begin, end, label in spans:
        span: dict[str, Any] = {
            "state": state,
            "from": round(begin, DIGITS),
            "to": round(end, DIGITS),
        }
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
) -> Trace:
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
    name: str, sent: float, done: float, spans: Iterable[ServerSpan], gaps: str, zero: float
) -> Spans:
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
