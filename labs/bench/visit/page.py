"""A visit as one HTML file that needs no network: the findings, and all guests on the timeline."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from bench.traces.building import build_trace
from bench.traces.lanes import Timeline
from bench.traces.looks import ASSETS, SCRIPTS, STYLE
from bench.traces.player import render
from bench.traces.trace import Trace
from bench.visit.account import Account
from bench.visit.report import explained, told
from bench.visit.visits import Visit

MOST = 40  # lanes: more cannot be read
PAGE_STYLE = """
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root {
    --pst-color-text-muted: #b4bdc9; --pst-color-border: #7d8896; --pst-color-background: #121212;
    --pst-color-surface: #2a2f36; --pst-color-link: #6cb7ee;
  }
}
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid; font-size: .85rem; }
code { overflow-wrap: anywhere; }
li { margin: .75rem 0; }
"""


def painted(guest: Account) -> list[tuple[str, float, float]]:
    """What the request did at each moment; a later layer covers an earlier one.

    What nothing covers is a wait for something that nobody watched. After a reply of the database
    until its next step, the request waits for the loop.
    """
    steps = sorted((one.begin, one.end) for one in guest.holds)
    ends = [trip.end for trip in guest.trips if trip.end]
    ready = [(end, min((a for a, _ in steps if a >= end), default=end)) for end in ends]
    misplaced = {id(trip) for trip in guest.misplaced}
    layers = [
        [("pool", lease.asked, lease.got) for lease in guest.leases],
        [("ready", a, b) for a, b in ready],
        [("database", t.begin, t.end or t.begin) for t in guest.trips if id(t) not in misplaced],
        [("running", a, b) for a, b in steps],
        [("blocking", t.begin, t.end or t.begin) for t in guest.trips if id(t) in misplaced],
    ]
    begin, end = guest.begin, max(guest.end, guest.replied)
    cuts = {begin, end} | {
        moment for layer in layers for _, a, b in layer for moment in (a, b) if begin < moment < end
    }
    found: list[tuple[str, float, float]] = []
    for a, b in pairwise(sorted(cuts)):
        over = (state for layer in reversed(layers) for state, x, y in layer if x <= a and b <= y)
        state = next(over, "waiting")
        if found and found[-1][0] == state:
            found[-1] = state, found[-1][1], b
        else:
            found.append((state, a, b))
    return found


def trace_of(visit: Visit) -> Trace:
    """All measured requests on one axis, as the course's timelines are."""
    zero = min(guest.begin for guest in visit.guests)
    lanes = []
    for guest in visit.guests[:MOST]:
        spans = [(state, a - zero, b - zero, None) for state, a, b in painted(guest)]
        failed = f" ({guest.status})" if guest.status >= 400 else ""
        lanes.append((f"{guest.visit}{failed}", spans))
    duration = max(max(guest.end, guest.replied) for guest in visit.guests) - zero
    count = len(visit.guests)
    return build_trace(
        lanes,
        duration=duration + 1e-6,
        title=str(visit.plan.request),
        summary=f"{count} × {visit.plan.request}: the last one is done after {duration:.3f} s.",
        about={"command": "python -m bench.visit"},
    )


def offline(visit: Visit) -> str:
    """The whole file."""
    styles = "\n".join(
        path.read_text(encoding="utf-8") for path in (STYLE, ASSETS / "timeline.css")
    )
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    items = "".join(
        f"<li><strong>{escape(one.kind)}</strong>: {escape(one.says)}"
        + f"<br><code>{escape(one.at)}</code>" * bool(one.at)
        + f"<br>{escape(one.do)}<br>Why: {escape(explained(one))}</li>"
        for one in visit.findings
    )
    found = f"<ol>{items}</ol>" if items else "<p>Nothing found.</p>"
    title = escape(f"Visit: {visit.plan.request}")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{PAGE_STYLE}{styles}</style></head>
<body><main><h1>{title}</h1>
<h2>Findings</h2>{found}
<h2>All guests</h2>{render(Timeline(trace_of(visit), "visit"))}
<h2>In detail</h2><pre tabindex="0">{escape(told(visit))}</pre>
</main><script>{scripts}</script></body></html>
"""
