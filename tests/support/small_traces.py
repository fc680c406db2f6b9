"""Traces in round numbers, those of the hook, and a build of one page that plays one."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench.course import COURSE
from mentions import telling_words
from stated_numbers import stated

TRACES = COURSE / "book" / "traces"
HOOK = {name: json.loads((TRACES / f"01-{name}.json").read_text()) for name in ("async-def", "def")}


def trace_of(lanes: list[list[tuple[str, float, float]]], **more: Any) -> dict[str, Any]:
    return {
        "schema": "async-course/trace/1",
        "title": "A <small> test & more",
        "summary": 'Two guests & a "quote".',
        "source": "recorded",
        "about": {"date": "2026-01-01", "versions": "Python 3", "command": "python x.py"},
        "duration": max(to for spans in lanes for _, _, to in spans),
        "lanes": [
            {"name": f"guest {n}", "spans": [{"state": s, "from": a, "to": b} for s, a, b in spans]}
            for n, spans in enumerate(lanes, start=1)
        ],
    } | more


# Everything in round numbers: what happens when can be read off.
SMALL = trace_of(
    [
        [("running", 0, 0.1), ("database", 0.1, 0.5), ("running", 0.5, 0.6)],
        [("ready", 0, 0.1), ("blocking", 0.1, 0.3), ("pool", 0.3, 0.9), ("database", 0.9, 1.0)],
    ]
)


def most_in(trace: dict[str, Any], *states: str) -> int:
    changes = sorted(
        change
        for lane in trace["lanes"]
        for span in lane["spans"]
        if span["state"] in states
        for change in ((span["from"], 1), (span["to"], -1))
    )
    return max(accumulate(step for _, step in changes))


def numbers_in(trace: dict[str, Any]) -> set[float]:
    """What a summary may state of its trace: how many of what, and when lanes end (in s, in ms).

    Beside them the numbers in its title, its names and labels, and what a simulation was given.
    """
    lanes, found = trace["lanes"], set()
    spans = [[span["state"] for span in lane["spans"]] for lane in lanes]
    errors = sum("error" in lane for lane in lanes)
    for state in {state for states in spans for state in states}:
        found |= {states.count(state) for states in spans} | {most_in(trace, state)}
        having = sum(state in states for states in spans)
        found |= {having, len(lanes) - having}
    for lane in lanes:
        lasting = [span["to"] - span["from"] for span in lane["spans"]]
        if lasting:
            end, begin = lane["spans"][-1]["to"], lane["spans"][0]["from"]
            found |= {round(end, 1), round(end, 2), round(end * 1000), round(end - begin, 2)}
            found |= {round(min(lasting), 1)}
    said = [trace["title"], *(lane["name"] for lane in lanes)]
    said += [span.get("label", "") for lane in lanes for span in lane["spans"]]
    given = {float(value) for value in trace["about"].values() if not isinstance(value, str)}
    counts = {len(lanes), errors, len(lanes) - errors, round(trace["duration"], 2)}
    return found | counts | given | stated(" ".join(said))


def faults_of_summary(trace: dict[str, Any]) -> list[str]:
    """What is wrong with the summary, which is the text alternative of the timeline."""
    summary, numbers = trace["summary"], stated(trace["summary"])
    found = [f"the trace has no {number:g}" for number in sorted(numbers - numbers_in(trace))]
    if len(numbers) < 2:
        found.append("it states less than two numbers")
    if "the last" in summary and f"{trace['duration']:.2f}" not in summary:
        found.append("it does not say when the last one ends")
    names = " ".join([trace["title"], *(lane["name"] for lane in trace["lanes"])])
    if not telling_words(summary) & telling_words(names):
        found.append("it shares no word with the title and the lanes")
    return found


PROJECT = """
import sys
sys.path.insert(0, {ext!r})
extensions = ["timeline_pages"]
html_theme = "basic"
"""


def build_a_page(folder: Path, page: str) -> tuple[int, str]:
    """Build in a process of its own: Sphinx warns of what an earlier build left in this one."""
    source = folder / "source"
    source.mkdir()
    (source / "conf.py").write_text(PROJECT.format(ext=str(COURSE / "book" / "_ext")))
    (source / "index.rst").write_text("Start\n=====\n\n.. toctree::\n\n   played\n")
    (source / "played.rst").write_text(f"Played\n======\n\n{page}\n")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-b",
        "html",
        str(source),
        str(folder / "html"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stderr
