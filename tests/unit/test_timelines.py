"""A notebook's timeline: the figure of the page, complete in itself."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.captions import BADGES
from bench.traces.building import build_trace
from bench.traces.lanes import Timeline, figure
from bench.traces.looks import CROSS, LANE, STATES, STYLE, TALLEST
from bench.traces.timelines import timeline
from bench.traces.trace import Trace, TraceError

SUMMARY = "Every lane shows each of the seven states of the format."
LABEL = "Two lanes that show each of the seven states, one after the other"


def trace(lanes: int = 2) -> Trace:
    def spans(row: int) -> list[tuple[str, float, float, None]]:
        return [(state, row + i, row + i + 0.9, None) for i, state in enumerate(STATES)]

    rows = [(f"guest {i + 1}", spans(i)) for i in range(lanes)]
    return build_trace(rows, duration=lanes + len(STATES), title="All states", summary=SUMMARY)


def short(*spans: tuple[str, float, float, None]) -> Trace:
    return build_trace([("one", spans)], duration=spans[-1][2], title="One lane", summary=SUMMARY)


def svg_of(html: str) -> ElementTree.Element:
    """The figure as XML. That it is well-formed is part of what this checks."""
    [text] = re.findall(r'<svg class="timeline-svg.*?</svg>', html, re.DOTALL)
    return ElementTree.fromstring(text)


def bars(html: str) -> list[ElementTree.Element]:
    """The spans that are drawn, without the patterns that fill them."""
    return [r for r in svg_of(html).findall("rect") if r.get("fill", "").startswith("url(#")]


def test_it_is_the_figure_of_the_page():
    drawn = timeline(trace(), label=LABEL)
    [key] = set(re.findall(r'<pattern id="(t\w+)-running"', drawn.html))
    assert figure(Timeline(trace(), key, label=LABEL)) in drawn.html


def test_it_is_one_figure_with_a_text_alternative_and_no_script():
    drawn = timeline(trace(), label=LABEL)
    assert repr(drawn) == LABEL
    assert drawn._repr_html_() == drawn.html
    assert drawn.html.count("<figure") == drawn.html.count('role="img"') == 1
    assert svg_of(drawn.html).get("aria-label") == LABEL
    assert STYLE.read_text(encoding="utf-8") in drawn.html
    assert "<script" not in drawn.html
    assert "http" not in drawn.html


def test_it_speaks_with_the_summary_of_its_trace():
    assert repr(timeline(trace())) == f"All states. {SUMMARY}"


@pytest.mark.parametrize("label", ["short", "seven words are not enough for this", "wide " * 7])
def test_a_short_text_alternative_is_refused(label: str):
    with pytest.raises(ValueError, match="at least 8 words"):
        timeline(trace(), label=label)


def test_words_of_the_reader_are_escaped():
    hostile = 'a "quoted" <b>label</b> & more words, so that there are eight'
    drawn = timeline(trace(), label=hostile, title="<u>", caption="a < b")
    assert svg_of(drawn.html).get("aria-label") == hostile
    assert "<u>" not in drawn.html
    assert "<figcaption>a &lt; b</figcaption>" in drawn.html


def test_title_caption_and_badge():
    plain = timeline(trace()).html
    assert "figcaption" not in plain
    assert "bench-badge" not in plain
    for key, words in BADGES.items():
        full = timeline(trace(), title="Two guests", caption="One run.", badge=key).html
        assert f">{words}</span>" in full
        assert "<strong>Two guests</strong>" in full
        assert "<figcaption>One run.</figcaption>" in full
    with pytest.raises(ValueError, match="use one of runs, recorded"):
        timeline(trace(), badge="fresh")


def test_ids_are_used_and_belong_to_one_figure():
    def ids(html: str) -> list[str]:
        return re.findall(r' id="([^"]+)"', html)

    one, other = timeline(trace()).html, timeline(trace(), guess=0.25).html
    assert len(ids(one)) == len(set(ids(one))) == 2 * len(STATES)  # in the figure and its key
    assert not set(ids(one)) & set(ids(other))
    for html in (one, other):
        assert set(re.findall(r"url\(#([^)]+)", html)) == set(ids(html))


def test_same_bytes_in_two_processes_and_no_matplotlib():
    script = (
        "import sys\nfrom bench import timeline\n"
        "from bench.traces.building import build_trace\n"
        "t = build_trace([('one', [('pool', 0, 1, None)])], duration=1, title='One lane',"
        f" summary={SUMMARY!r})\n"
        "print(timeline(t, guess=0.5).html)\nassert 'matplotlib' not in sys.modules\n"
    )
    run = [sys.executable, "-c", script]
    one, other = (subprocess.run(run, capture_output=True, check=True).stdout for _ in range(2))
    assert len(one) > 3000
    assert one == other


def test_the_axis_leads_to_the_line_of_the_guess():
    html = timeline(trace(), guess=2.25).html
    [axis] = re.findall(r'data-axis-max="([\d.]+)"', html)
    [line] = [n for n in svg_of(html).iter("line") if n.get("class") == "timeline-guess"]
    assert line.get("x1") == line.get("x2") == f"{100 * 2.25 / float(axis):.3f}%"


def test_the_guess_is_named_and_the_axis_holds_it():
    assert "your guess" not in timeline(trace()).html
    html = timeline(trace(), guess=0.25).html
    assert ">your guess 0.25 s</text>" in html
    assert svg_of(html).get("aria-label").endswith("The figure also shows your guess 0.25 s.")
    assert 'data-axis-max="1000000.0"' in timeline(trace(), guess=1e6).html


@pytest.mark.parametrize("guess", [math.nan, math.inf, -1.0])
def test_a_guess_that_is_no_time_is_refused(guess: float):
    with pytest.raises(ValueError, match="no number of seconds"):
        timeline(trace(), guess=guess)


def test_a_lane_that_ended_with_an_error_has_a_cross():
    failed = trace().to_json()
    failed["lanes"][1]["error"] = "InterfaceError"
    assert timeline(failed).html.count(CROSS) == 1
    assert CROSS not in timeline(trace()).html


def test_every_state_is_drawn_and_said():
    html = timeline(trace()).html
    assert {r.get("class") for r in bars(html)} == {f"timeline-{state}" for state in STATES}
    for look in STATES.values():
        assert f"</svg> {look.words}</li>" in html


def test_only_the_states_that_occur_are_shown():
    html = timeline(short(("pool", 0, 1, None))).html
    assert {r.get("class") for r in bars(html)} == {"timeline-pool"}
    assert STATES["blocking"].words not in html


@pytest.mark.parametrize("lanes", [1, 2, 20, 24, 25, 60])
def test_lanes_are_named_without_touching(lanes: int):
    named = [
        text
        for text in svg_of(timeline(trace(lanes)).html).iter("text")
        if (text.text or "").startswith("guest")
    ]
    assert named[0].text == "guest 1"
    assert len(named) == (lanes if lanes * LANE <= TALLEST else math.ceil(lanes / 2))
    places = [float(text.get("y", "")) for text in named]
    assert all(b - a >= 12 for a, b in pairwise(places))


def test_a_step_of_a_microsecond_is_still_seen():
    drawn = timeline(short(("running", 0, 1e-6, None), ("pool", 1e-6, 1, None)))
    [step] = [r for r in bars(drawn.html) if r.get("class") == "timeline-running"]
    assert float(step.get("width", "").rstrip("%")) > 0  # then its border is drawn


def test_short_timelines_show_milliseconds_and_keep_seconds_in_their_data():
    html = timeline(short(("pool", 0, 0.004, None)), guess=0.002).html
    assert re.findall(r">([\d.]+ m?s)</text>", html) == [
        f"{n}.0 ms".replace(".0", "") for n in range(5)
    ]
    assert ">your guess 2.0 ms</text>" in html
    assert 'data-axis-max="0.004"' in html


def test_a_trace_that_breaks_the_format_is_refused():
    broken: dict[str, Any] = trace().to_json()
    broken["lanes"][0]["spans"][0]["state"] = "sleeping"
    with pytest.raises(TraceError, match="'sleeping' is not one of"):
        timeline(broken)
