"""A trace as HTML that needs no script: summary, controls, figure, table.

`book/_static/timeline/timeline.js` makes the controls work. Without it they are hidden.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from bench.assets import LAB_KEYS as KEYS
from bench.course import SIMULATOR_ERRORS
from bench.traces.lanes import Timeline, at_the_end, figure, fixed, gutter, legend
from bench.traces.looks import CROSS, STATES
from bench.traces.trace import Lane

# JupyterLab strips an output that it does not trust. There this line is seen, since `hidden` is
# gone, and the controls stay away, since only within <async-timeline> a style shows them.
ASLEEP = '<p class="timeline-asleep" hidden>Run this cell: then you can play the recording.</p>'
KINDS = {
    "await": "async def, awaited query",
    "block": "async def, blocking query",
    "thread": "def, blocking query in a thread",
}


def table(timeline: Timeline) -> str:
    """Per lane: the moment when it is done, and its seconds in every state."""
    head = "".join(f'<th scope="col">{STATES[state].words}</th>' for state in timeline.states)
    digits = 3 if timeline.trace.duration >= 1 else 4
    rows = []
    for lane in timeline.trace.lanes:
        cells = [lane.end] + [
            sum(s.end - s.begin for s in lane.spans if s.state == state)
            for state in timeline.states
        ]
        rows.append(
            f'<tr><th scope="row">{escape(lane.name, quote=False)}{_cross(lane)}</th>'
            + "".join(f"<td>{fixed(cell, digits)}</td>" for cell in cells)
            + "</tr>"
        )
    return (
        "<caption>Seconds in each state</caption>"
        f'<thead><tr><th scope="col">lane</th><th scope="col">done at</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody>"
    )


def _cross(lane: Lane) -> str:
    return f" {CROSS} {escape(lane.error, quote=False)}" if lane.error else ""


def origin(timeline: Timeline) -> str:
    """Where the trace comes from: how to repeat it, or how far the simulator is from a server."""
    about = timeline.trace.about
    if timeline.trace.source == "simulated":
        errors = json.loads(SIMULATOR_ERRORS.read_text(encoding="utf-8"))
        worst = errors["worst"]
        return (
            f"Simulated, not measured. Beside a real server, in {len(errors['cases'])} cases: half "
            f"of the times are at most {errors['median']:.1%} off, the worst is "
            f"{abs(worst['error']):.0%} off ({worst['requests']} guests, {KINDS[worst['kind']]}, "
            f"{worst['seconds']} s, {worst['pool']} connections). "
            f"Repeat it: <code>{escape(errors['about']['command'])}</code>"
        )
    words = ["Recorded"]
    if "date" in about:
        words.append(f"on {escape(str(about['date']))}")
    if "versions" in about:
        words.append(f"with {escape(str(about['versions']))}")
    line = " ".join(words) + "."
    if "command" in about:
        line += f" Repeat it: <code>{escape(str(about['command']))}</code>"
    return line


def _form(key: str, parameters: dict[str, Any]) -> str:
    def number(name: str, label: str, most: int, value: int) -> str:
        return (
            f'<label for="{key}-set-{name}">{label}</label><input id="{key}-set-{name}" '
            f'name="{name}" type="number" inputmode="numeric" min="1" max="{most}" step="1" '
            f'value="{value}" {KEYS}>'
        )

    options = "".join(
        f'<option value="{kind}"{" selected" if kind == parameters["kind"] else ""}>{text}</option>'
        for kind, text in KINDS.items()
    )
    fields = [
        f'<label for="{key}-set-kind">handler</label>'
        f'<select id="{key}-set-kind" name="kind" {KEYS}>{options}</select>',
        number("requests", "guests", 200, parameters["requests"]),
        number("time", "query in ms", 5000, round(parameters["seconds"] * 1000)),
        number("pool", "connections", 200, parameters["pool"]),
    ]
    return (
        '<form class="timeline-form" aria-label="What to simulate">'
        + "".join(f"<div>{one}</div>" for one in fields)
        + "</form>"
    )


def render(timeline: Timeline) -> str:
    """The whole element. Without a script it is a figure with its summary and its table."""
    trace, key = timeline.trace, timeline.key
    axis = timeline.reach
    data = json.dumps(trace.to_json(), ensure_ascii=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )
    attributes = {
        "data-group": timeline.group,
        "data-guess": timeline.guess,
        "data-axis-max": repr(axis) if timeline.axis else "",
        "data-simulator": "yes" if timeline.simulator else "",
    }
    named = "".join(f' {name}="{escape(text)}"' for name, text in attributes.items() if text)
    title, margin = escape(trace.title, quote=False), gutter(trace.lanes)
    form = _form(key, trace.about) if timeline.simulator else ""
    return f"""<async-timeline id="{key}" role="group" aria-labelledby="{key}-title"{named}>
<script type="application/json">{data}</script>
<p class="timeline-summary"><strong id="{key}-title">{title}</strong>
<span>{escape(trace.summary, quote=False)}</span></p>
{ASLEEP}
{form}<div class="timeline-controls" style="display: none">
<button type="button" data-do="play" {KEYS}>Play</button>
<label class="timeline-stop">Stop at <input type="text" inputmode="decimal" {KEYS}> s</label>
<button type="button" data-do="back" {KEYS}>Step back</button>
<button type="button" data-do="next" {KEYS}>Step forward</button>
<input type="range" aria-label="Moment in time" min="0" max="1000" step="10" value="1000"
{KEYS}></div>
<ul class="timeline-key" aria-label="What the patterns mean">{legend(timeline)}</ul>
<div class="timeline-plot" style="--timeline-gutter:{margin}px">{figure(timeline)}</div>
<p class="timeline-now">{at_the_end(trace, axis)}</p>
<p class="timeline-live" role="status"></p>
<p class="timeline-problem" hidden></p>
<details class="timeline-data"><summary {KEYS}>The same as a table</summary>
<div class="timeline-table" role="region" aria-labelledby="{key}-title" tabindex="0" {KEYS}>
<table>{table(timeline)}</table></div><p class="timeline-about">{origin(timeline)}</p></details>
</async-timeline>
"""
