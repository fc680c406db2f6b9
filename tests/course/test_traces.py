"""The recorded traces say what their summaries say, and a build refuses what is no trace."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import timeline_pages

from bench.traces.player import Timeline
from bench.traces.trace import TraceError, check_trace
from small_traces import HOOK, SMALL, TRACES, build_a_page, faults_of_summary, most_in


@pytest.mark.parametrize("name", HOOK)
def test_hook_summary_has_the_numbers_of_its_trace(name: str) -> None:
    trace = HOOK[name]
    check_trace(trace)
    assert trace["source"] == "recorded"
    assert len(trace["lanes"]) == 20
    most = most_in(trace, "blocking", "database")
    said = {1: "one query runs"}.get(most, f"{most} queries run")
    assert said in trace["summary"]
    waits = [lane["spans"][-1]["to"] - lane["spans"][0]["from"] for lane in trace["lanes"]]
    assert f"{max(waits):.2f} s." in trace["summary"]


@pytest.mark.parametrize(
    ("name", "at_once"),
    [("01-async-def", 1), ("01-def", 15), ("02-one-session", 1), ("02-session-each", 5)],
)
def test_summary_beside_a_lesson_has_the_numbers_of_its_trace(name: str, at_once: int) -> None:
    path = TRACES / f"with-sqlalchemy-{name}.json"
    trace = check_trace(json.loads(path.read_text("utf-8")))
    assert most_in(trace.to_json(), "blocking", "database") == at_once
    assert trace.summary.endswith(f" after {trace.duration:.2f} s.")


STORED = sorted(TRACES.glob("*.json"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_summary_states_what_its_trace_has(path: Path) -> None:
    assert faults_of_summary(json.loads(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("summary", "faults"),
    [
        ("2 guests: one query runs at a time, and the last guest is served after 1.00 s.", 0),
        ("This is a figure that shows what was recorded here in this run.", 2),
        ("9 guests: one query runs at a time, and the last guest is served after 1.00 s.", 1),
        ("2 guests: one query runs at a time, and the last guest is served after 0.60 s.", 1),
        ("2 guests: one query runs at a time, and a guest is served after 0.70 s.", 1),
        ("2 of these: one runs.", 1),
    ],
)
def test_a_wrong_summary_is_seen(summary: str, faults: int) -> None:
    assert len(faults_of_summary(SMALL | {"title": "Orders", "summary": summary})) == faults


def test_build_refuses_a_malformed_trace() -> None:
    broken = copy.deepcopy(SMALL)
    broken["lanes"][1]["spans"][2]["from"] = 0.2
    with pytest.raises(TraceError):
        Timeline(broken, "one")
    with pytest.raises(TraceError, match=r"no trace nobody\.json"):
        timeline_pages.page_html("nobody", "one", {})
    with pytest.raises(TraceError, match="simulator"):
        timeline_pages.page_html("01-def", "one", {"simulator": None})


def test_a_wrong_name_fails_the_build_by_name(tmp_path: Path) -> None:
    _, log = build_a_page(tmp_path, ".. timeline:: 09-nothing")
    assert "ERROR" in log
    assert "09-nothing" in log
