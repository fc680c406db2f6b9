"""A trace as one SVG that every width and both themes can show, with its legend.

x is in per cent and y in pixels, without a viewBox: text keeps its size from phone to desk.
The book's pages, a notebook's `recorded` and its `timeline` all show this figure.
`book/_static/timeline/lanes.js` draws the same when the reader's guess lies beyond the axis or
the simulator has a new result; `tests/browser/test_timeline.py` holds the two against each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from bench.traces.looks import (
    AXIS,
    CROSS,
    LANE,
    LONGEST,
    SHORT,
    SIMULATOR_PLOT,
    STATES,
    TALLEST,
    THINNEST,
    StateName,
)
from bench.traces.trace import Lane, Trace, check_trace


@dataclass(frozen=True)
class Timeline:
    """What one figure shows. A dict in the trace format is read; raises `TraceError` otherwise.

    `key` is unique on its page. `label` replaces the figure's own text alternative. `axis` is the
    least length of the time axis in seconds; it never becomes shorter than the trace. Figures of
    one `group` share the longest axis among them. `guess` is the id of the quiz item whose answer
    the page draws as a line, `guess_at` a number of seconds that is drawn at once. With
    `simulator` the reader can change the parameters that the simulator wrote into `about`.
    """

    trace: Trace
    key: str
    axis: float = 0.0
    group: str = ""
    guess: str = ""
    simulator: bool = False
    guess_at: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "trace", check_trace(self.trace))

    @property
    def states(self) -> list[StateName]:
        """The states that occur, in the order in which a reader sees them."""
        used = {span.state for lane in self.trace.lanes for span in lane.spans}
        return [state for state in STATES if state in used]

    @property
    def reach(self) -> float:
        """Where the time axis ends, in seconds."""
        return max(self.axis, self.trace.duration, self.guess_at or 0.0)


def fixed(value: float, digits: int) -> str:
    """Like JavaScript's `toFixed` after rounding halves up, so that script and build agree."""
    return f"{math.floor(value * 10**digits + 0.5) / 10**digits:.{digits}f}"


def seconds(value: float, axis: float) -> str:
    """A moment with its unit, as fine as the axis allows: `2.03 s`, `0.103 s` or `1.094 ms`."""
    if axis < SHORT:
        return f"{fixed(value * 1000, 3)} ms"
    return f"{fixed(value, 2 if axis >= 1 else 3)} s"


def ticks(axis: float) -> list[float]:
    """At most five steps of 1, 2 or 5 from zero to the end of the axis."""
    power = 10.0 ** math.floor(math.log10(axis / 5))
    step = next(power * k for k in (1, 2, 5, 10) if axis / (power * k) <= 5 + 1e-9)
    return [k * step for k in range(math.floor(axis / step + 1e-9) + 1)]


def tick_label(value: float, step: float, axis: float) -> str:
    """A moment on an axis whose marks are `step` apart."""
    factor, unit = (1000, "ms") if axis < SHORT else (1, "s")
    digits = max(0, -math.floor(math.log10(step * factor) + 1e-9))
    return f"{fixed(value * factor, digits)} {unit}"


def patterns(states: list[StateName], key: str) -> str:
    return "".join(
        f'<pattern id="{key}-{state}" class="timeline-{state}" width="8" height="8" '
        f'patternUnits="userSpaceOnUse">{STATES[state].tile}</pattern>'
        for state in states
    )


def figure(timeline: Timeline) -> str:
    """The SVG: x in per cent of its width, y in pixels, so text keeps its size on every screen."""
    trace, axis, guess = timeline.trace, timeline.reach, timeline.guess_at
    lanes, top = trace.lanes, 4 if not timeline.guess and guess is None else 22
    height = SIMULATOR_PLOT if timeline.simulator else min(LANE * len(lanes), TALLEST)
    step = min(LANE + 4 if timeline.simulator else LANE, height / len(lanes))
    every = math.ceil(14 / step)
    dense = step < 10  # no gaps and no borders: they would hide the patterns
    bar = fixed(step if dense else step - 3, 2)

    def x(value: float) -> str:
        return fixed(100 * value / axis, 3) + "%"

    label = timeline.label
    if not label:
        over = seconds(trace.duration, axis)
        label = f"Timeline of {len(lanes)} lanes over {over}. {trace.summary}"
    if guess is not None:
        label += f" The figure also shows {_said(guess, axis)}."
    parts = [
        f'<svg class="timeline-svg{" timeline-dense" if dense else ""}" role="img" '
        f'aria-label="{escape(label)}" '
        f'width="100%" height="{top + height + AXIS}">'
        f"<defs>{patterns(timeline.states, timeline.key)}</defs>"
    ]
    marks = ticks(axis)
    for value in marks:
        parts.append(
            f'<line class="timeline-grid" x1="{x(value)}" x2="{x(value)}" y1="{top}" '
            f'y2="{top + height + 4}"></line><text x="{x(value)}" y="{top + height + 18}" '
            f'text-anchor="middle">{tick_label(value, marks[1], axis)}</text>'
        )
    for row, lane in enumerate(lanes):
        y = top + row * step
        if row % every == 0:
            name = lane.name if len(lane.name) <= LONGEST else lane.name[: LONGEST - 1] + "…"
            parts.append(
                f'<text class="timeline-name" x="-8" y="{fixed(y + step / 2 + 4, 2)}">'
                f"{escape(name, quote=False)}</text>"
            )
        for span in lane.spans:
            width = fixed(max(100 * (span.end - span.begin) / axis, THINNEST), 3) + "%"
            parts.append(
                f'<rect class="timeline-{span.state}" x="{x(span.begin)}" '
                f'y="{fixed(y if dense else y + 1, 2)}" width="{width}" height="{bar}" '
                f'fill="url(#{timeline.key}-{span.state})"></rect>'
            )
        if lane.error:
            parts.append(
                f'<text class="timeline-error" x="{x(lane.end)}" dx="3" '
                f'y="{fixed(y + step / 2 + 4, 2)}">{CROSS}</text>'
            )
    if guess is not None:
        side, away = ("end", -5) if guess > axis / 2 else ("start", 5)
        parts.append(
            f'<line class="timeline-guess" x1="{x(guess)}" x2="{x(guess)}" y1="4" '
            f'y2="{top + height + 4}"></line><text class="timeline-guess-text" x="{x(guess)}" '
            f'dx="{away}" y="14" text-anchor="{side}">{_said(guess, axis)}</text>'
        )
    return "".join(parts) + "</svg>"


def _said(guess: float, axis: float) -> str:
    """A reader's number in the words of the page's script."""
    factor, unit = (1000, "ms") if axis < SHORT else (1, "s")
    return f"your guess {float(round(guess * factor, 3))!r} {unit}"


def at_the_end(trace: Trace, axis: float) -> str:
    """The sentence below the figure when the trace is over; lanes.js writes the same."""
    total = len(trace.lanes)
    failed = sum(lane.error is not None for lane in trace.lanes)
    done = (
        f"{total - failed} done, {failed} with an error {CROSS}" if failed else f"all {total} done"
    )
    return f"{seconds(trace.duration, axis)}: {done}"


def legend(timeline: Timeline) -> str:
    """One entry per state that occurs: its pattern and what it means."""
    key = f"{timeline.key}-key"
    swatches = "".join(
        f'<li><svg width="28" height="14" aria-hidden="true"><defs>{patterns([state], key)}</defs>'
        f'<rect class="timeline-{state}" x="1" y="1" width="26" height="12" '
        f'fill="url(#{key}-{state})"></rect></svg> {STATES[state].words}</li>'
        for state in timeline.states
    )
    return swatches


def gutter(lanes: list[Lane]) -> int:
    """Pixels to the left of the lanes for the longest name shown."""
    return 16 + 7 * max(min(len(lane.name), LONGEST) for lane in lanes)
