"""A trace as one SVG that every width and both themes can show, with its legend.

x is in per cent and y in pixels, without a viewBox: text keeps its size from phone to desk.
`book/_static/timeline/timeline.js` draws the same figure when the reader's guess lies beyond the
axis or the simulator has a new result; `tests/browser/test_timeline.py` holds the two against each
other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Any

from bench.traces.trace import STATES, check_trace

# What fills a state: a second cue beside the colour, the same as in bench.traces.timelines.
TILES = {
    "running": '<rect width="8" height="8"/>',
    "blocking": '<rect width="8" height="8" opacity=".3"/><path d="M0 0L8 8M8 0L0 8"/>',
    "ready": '<rect width="8" height="8" opacity=".2"/>',
    "database": '<rect width="8" height="8" opacity=".3"/><path d="M-2 2L2-2M0 8L8 0M6 10L10 6"/>',
    "pool": '<rect width="8" height="8" opacity=".3"/><path d="M-2 6L2 10M0 0L8 8M6-2L10 2"/>',
    "thread": '<path d="M2 0V8M6 0V8"/>',
    "waiting": '<path d="M0 2H8M0 6H8"/>',
}

LANE, TALLEST, AXIS = 16, 480, 24  # px: one lane, all lanes, the axis below them
SIMULATOR_PLOT = 320


@dataclass(frozen=True)
class Timeline:
    """What one figure shows. Raises `bench.traces.trace.TraceError` for a malformed trace.

    `axis` is the least length of the time axis in seconds; it never becomes shorter than the trace.
    Figures of one `group` share the longest axis among them. `guess` is the id of the quiz item
    whose answer is drawn as a line. With `simulator` the reader can change the parameters that the
    simulator wrote into `about`.
    """

    trace: dict[str, Any]
    key: str
    axis: float = 0.0
    group: str = ""
    guess: str = ""
    simulator: bool = False
    states: list[str] = field(init=False)

    def __post_init__(self) -> None:
        check_trace(self.trace)
        used = {span["state"] for lane in self.trace["lanes"] for span in lane["spans"]}
        object.__setattr__(self, "states", [state for state in STATES if state in used])


def fixed(value: float, digits: int) -> str:
    """Like JavaScript's `toFixed` after rounding halves up, so that script and build agree."""
    return f"{math.floor(value * 10**digits + 0.5) / 10**digits:.{digits}f}"


def seconds(value: float, axis: float) -> str:
    """A moment with its unit, as fine as the axis allows: `2.03 s` or `0.103 s`."""
    return f"{fixed(value, 2 if axis >= 1 else 3)} s"


def ticks(axis: float) -> list[float]:
    """At most five steps of 1, 2 or 5 from zero to the end of the axis."""
    power = 10.0 ** math.floor(math.log10(axis / 5))
    step = next(power * k for k in (1, 2, 5, 10) if axis / (power * k) <= 5 + 1e-9)
    return [k * step for k in range(math.floor(axis / step + 1e-9) + 1)]


def tick_label(value: float, step: float) -> str:
    return f"{fixed(value, max(0, -math.floor(math.log10(step) + 1e-9)))} s"


def end_of(lane: dict[str, Any]) -> float:
    return lane["spans"][-1]["to"] if lane["spans"] else 0.0


def patterns(states: list[str], key: str) -> str:
    return "".join(
        f'<pattern id="{key}-{state}" class="timeline-{state}" width="8" height="8" '
        f'patternUnits="userSpaceOnUse">{TILES[state]}</pattern>'
        for state in states
    )


def figure(timeline: Timeline) -> str:
    """The SVG: x in per cent of its width, y in pixels, so text keeps its size on every screen."""
    trace, axis = timeline.trace, max(timeline.axis, timeline.trace["duration"])
    lanes, top = trace["lanes"], 22 if timeline.guess else 4
    height = SIMULATOR_PLOT if timeline.simulator else min(LANE * len(lanes), TALLEST)
    step = min(LANE + 4 if timeline.simulator else LANE, height / len(lanes))
    every = math.ceil(14 / step)
    dense = step < 10  # no gaps and no borders: they would hide the patterns
    bar = fixed(step if dense else step - 3, 2)

    def x(value: float) -> str:
        return fixed(100 * value / axis, 3) + "%"

    label = f"Timeline of {len(lanes)} lanes over {seconds(trace['duration'], axis)}. "
    parts = [
        f'<svg class="timeline-svg{" timeline-dense" if dense else ""}" role="img" '
        f'aria-label="{escape(label + trace["summary"])}" '
        f'width="100%" height="{top + height + AXIS}">'
        f"<defs>{patterns(timeline.states, timeline.key)}</defs>"
    ]
    marks = ticks(axis)
    for value in marks:
        parts.append(
            f'<line class="timeline-grid" x1="{x(value)}" x2="{x(value)}" y1="{top}" '
            f'y2="{top + height + 4}"></line><text x="{x(value)}" y="{top + height + 18}" '
            f'text-anchor="middle">{tick_label(value, marks[1])}</text>'
        )
    for row, lane in enumerate(lanes):
        y = top + row * step
        if row % every == 0:
            name = lane["name"] if len(lane["name"]) <= 14 else lane["name"][:13] + "…"
            parts.append(
                f'<text class="timeline-name" x="-8" y="{fixed(y + step / 2 + 4, 2)}">'
                f"{escape(name, quote=False)}</text>"
            )
        for span in lane["spans"]:
            width = fixed(100 * (span["to"] - span["from"]) / axis, 3) + "%"
            parts.append(
                f'<rect class="timeline-{span["state"]}" x="{x(span["from"])}" '
                f'y="{fixed(y if dense else y + 1, 2)}" width="{width}" height="{bar}" '
                f'fill="url(#{timeline.key}-{span["state"]})"></rect>'
            )
        if "error" in lane:
            parts.append(
                f'<text class="timeline-error" x="{x(end_of(lane))}" dx="3" '
                f'y="{fixed(y + step / 2 + 4, 2)}">✗</text>'
            )
    return "".join(parts) + "</svg>"


def at_the_end(trace: dict[str, Any], axis: float) -> str:
    """The sentence below the figure when the trace is over; timeline.js writes the same."""
    total = len(trace["lanes"])
    failed = sum("error" in lane for lane in trace["lanes"])
    done = f"{total - failed} done, {failed} with an error ✗" if failed else f"all {total} done"
    return f"{seconds(trace['duration'], axis)}: {done}"


def legend(timeline: Timeline) -> str:
    """One entry per state that occurs: its pattern and what it means."""
    key = f"{timeline.key}-key"
    swatches = "".join(
        f'<li><svg width="28" height="14" aria-hidden="true"><defs>{patterns([state], key)}</defs>'
        f'<rect class="timeline-{state}" x="1" y="1" width="26" height="12" '
        f'fill="url(#{key}-{state})"></rect></svg> {STATES[state]}</li>'
        for state in timeline.states
    )
    return swatches


def gutter(lanes: list[dict[str, Any]]) -> int:
    """Pixels to the left of the lanes for the longest name shown."""
    return 16 + 7 * max(min(len(lane["name"]), 14) for lane in lanes)
