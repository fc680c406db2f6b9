"""Recorded timelines: the same HTML from a notebook's cell and from the book's directive.

A trace is a file in `book/traces/`; its format is `bench.traces.trace`.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from bench.assets import LAB_KEYS, Assets
from bench.course import TRACES
from bench.traces.lanes import Timeline
from bench.traces.looks import ASSETS, SCRIPTS, STYLE
from bench.traces.picture import Picture
from bench.traces.player import render
from bench.traces.trace import Trace, TraceError, check_trace


def recorded(
    name: str, *, reveal: str = "", beside: str = "", guess: str = "", axis: float = 0.0
) -> Picture:
    """The recorded trace `name`, for the last line of a notebook's cell.

    With `reveal`, it is closed behind these words, so that a reader can predict first. `beside`
    names other traces, with spaces between; all of them share one time axis. `guess` is the quiz
    item whose answer is drawn in; `axis` is the least length of the axis in seconds.
    Raises `bench.traces.trace.TraceError` for a trace that is missing or malformed.
    """
    options = {"beside": beside, "guess": guess, "axis": axis}
    html = page_html(name, f"timeline-{name}", options)
    if reveal:
        summary = f"<summary {LAB_KEYS}>{escape(reveal, quote=False)}</summary>"
        html = f'<details class="timeline-reveal">{summary}\n{html}</details>'
    return Picture(load(name).summary, html)


def timeline_setup() -> Assets:
    """Style and scripts of the timelines, shown once by a notebook's cell (tag: remove-cell)."""
    says = "The timelines of this notebook can be played now."
    return Assets(says, (STYLE, ASSETS / "timeline.css", *SCRIPTS))


def load(name: str) -> Trace:
    """The trace of that name; raises `TraceError` when there is none or when it is malformed."""
    path = TRACES / f"{name}.json"
    try:
        return check_trace(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise TraceError(f"There is no trace {name}.json in book/traces.") from None
    except json.JSONDecodeError as error:
        raise TraceError(f"book/traces/{name}.json is not JSON: {error}") from None


def page_html(name: str, key: str, options: dict[str, Any]) -> str:
    """The HTML of one timeline with the options of the directive `{timeline}`.

    `key` must be unique on its page. Raises `TraceError`.
    """
    trace, beside = load(name), options.get("beside", "").split()
    if "simulator" in options and "kind" not in trace.about:
        raise TraceError("the simulator needs a trace that the simulator wrote")
    lengths = [load(other).duration for other in beside] + [options.get("axis", 0.0)]
    return render(
        Timeline(
            trace,
            key,
            axis=max(*lengths, trace.duration) if any(lengths) else 0.0,
            group=" ".join(sorted([name, *beside])) if beside else "",
            guess=options.get("guess", ""),
            simulator="simulator" in options,
        )
    )
