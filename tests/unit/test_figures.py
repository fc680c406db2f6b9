"""The figures: same bytes, a text alternative, colours of the page, readable on a phone."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest

from bench.captions import BADGES
from bench.figures.charts import Drawing, bars, cdf, staircase, sweep
from bench.figures.drawing import sketch
from bench.figures.svg import MIN_PX, PHONE, clean, rendered_px
from bench.units import counted

LABEL = "Total seconds for 20, 40 and 60 requests rise in steps of forty"


FIGURES = {
    "staircase": lambda **k: staircase(
        {20: 0.2, 40: 0.22, 60: 0.43}, lambda n: math.ceil(n / 40) * 0.2, label=LABEL, **k
    ),
    "bars": lambda **k: bars({"def": 0.2, "async def": 6.0}, label=LABEL, **k),
    "sweep": lambda **k: sweep(
        [1, 2, 4, 8],
        {"measured": [50, 99, 190, 380], "two cores": [50, 90, 92, 91]},
        lambda c: c / 0.02,
        logx=True,
        label=LABEL,
        **k,
    ),
    "cdf": lambda **k: cdf(
        {"closed": [0.005, 0.006, 0.3], "open": [0.005, 0.1, 0.2]}, label=LABEL, **k
    ),
}
every_figure = pytest.mark.parametrize("name", FIGURES)


@cache
def drawn(name: str, guess: float | None = None) -> Drawing:
    """One of the four, drawn once for all tests that only look at it."""
    return FIGURES[name](guess=guess)


def svg_of(drawing: Drawing) -> ElementTree.Element:
    """The SVG as XML. That it is well-formed is part of what this checks."""
    [text] = re.findall(r"<svg.*?</svg>", drawing._repr_html_(), re.DOTALL)
    return ElementTree.fromstring(text)


class Figure(HTMLParser):
    """What a browser sees: the attributes of <figure> and <svg>, and the element names in order."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, dict] = {}
        self.feed(drawing._repr_html_())

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self.attributes.setdefault(tag, dict(attrs))


class Untrusted(HTMLParser):
    """What JupyterLab leaves of an output before its cell ran: words, some tags, styles."""

    KEPT = frozenset({"figure", "figcaption", "div", "p", "span", "strong"})

    def __init__(self, html_text: str) -> None:
        super().__init__()
        self.hidden: list[bool] = []
        self.words = ""
        self.feed(html_text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag in self.KEPT:
            self.hidden.append("visibility:hidden;font-size:0" in (dict(attrs).get("style") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.KEPT:
            self.hidden.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.hidden):
            self.words += data


def test_the_bar_that_stands_out_has_a_colour_and_a_pattern_of_its_own() -> None:
    plain, marked = (
        bars({"one": 1, "two": 2}, label=LABEL, highlight=name) for name in (None, "two")
    )
    assert "#009e73" not in plain.html.lower()
    assert marked.html.lower().count("#009e73") == 1
    assert marked.html.count("<pattern") == 1
    with pytest.raises(ValueError, match="highlight='three' names no bar"):
        bars({"one": 1}, label=LABEL, highlight="three")


def test_an_axis_of_whole_things_counts_in_ones() -> None:
    texts = [text.text for text in svg_of(bars({"a": 1}, label=LABEL, whole=True)).iter("text")]
    assert [text for text in texts if re.fullmatch(r"[\d.]+", text or "")] == ["0", "1"]


@every_figure
def test_before_the_first_run_a_sentence_stands_in_for_the_drawing(name: str):
    figure = FIGURES[name](title="A title", caption="A caption.")
    words = [line for line in Untrusted(figure._repr_html_()).words.splitlines() if line]
    assert words == ["A title", f"Run this cell to see the figure. {LABEL}", "A caption."]


@every_figure
def test_the_drawing_is_seen_where_its_frame_is_not(name: str):
    assert "visibility:visible" in Figure(drawn(name)).attributes["svg"]["style"]
    assert all("font-size" in text.attrib for text in svg_of(drawn(name)).iter("text"))


@every_figure
def test_one_figure_with_one_svg_and_its_text_alternative(name: str):
    drawing = drawn(name)
    page = Figure(drawing)
    assert repr(drawing) == LABEL
    assert page.tags.count("figure") == page.tags.count("svg") == 1
    assert page.attributes["svg"]["role"] == "img"
    assert page.attributes["svg"]["aria-label"] == LABEL
    assert page.attributes["svg"]["viewbox"].startswith("0 0 360 ")
    assert not {"script", "style", "title", "metadata", "image"} & set(page.tags)
    assert "xmlns" not in drawing.html
    assert "http" not in drawing.html


@every_figure
@pytest.mark.parametrize("label", ["", "seven words are not enough for this", "wide " * 7])
def test_a_short_text_alternative_is_refused(name: str, label: str):
    with pytest.raises(ValueError, match="at least 8 words"):
        labelled(name, label)


def labelled(name: str, label: str) -> Drawing:
    draw = {
        "staircase": lambda: staircase({1: 1.0}, label=label),
        "bars": lambda: bars({"a": 1}, label=label),
        "sweep": lambda: sweep([1, 2], {"a": [1, 2]}, label=label),
        "cdf": lambda: cdf({"a": [1, 2]}, label=label),
    }
    return draw[name]()


def test_the_text_alternative_is_escaped():
    hostile = 'a "quoted" <b>label</b> & more words, so that there are eight'
    drawing = bars({"<i>x</i> & y": 1}, label=hostile, title="<u>", caption="a < b")
    assert repr(drawing) == hostile
    assert Figure(drawing).attributes["svg"]["aria-label"] == hostile
    assert not {"b", "i", "u"} & set(Figure(drawing).tags)


@every_figure
def test_text_axes_and_patterns_take_the_colour_of_the_page(name: str):
    drawing = drawn(name, 0.25)
    root = svg_of(drawing)
    assert root.get("fill") == "currentColor"  # what text inherits
    assert "currentColor" in {node.get("stroke") for node in root.iter()}
    for text in root.iter("text"):
        assert text.get("fill") is None
        assert text.get("font-family") is None
    colours = set(re.findall(r"#[0-9a-fA-F]{6}\b", drawing.html))
    assert colours <= {"#0072b2", "#d55e00", "#009e73", "#cc79a7"}
    assert "rgb(" not in drawing.html


@every_figure
def test_text_is_large_enough_on_a_phone(name: str):
    root = svg_of(drawn(name, 0.25))
    width = float(root.get("viewBox").split()[2])
    sizes = [float(text.get("font-size")) for text in root.iter("text")]
    assert sizes
    assert all(rendered_px(size, width) >= MIN_PX for size in sizes)


def test_smaller_text_is_refused():
    source = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 216">'
        '<text style="font-size: 12px">small</text></svg>'
    )
    with pytest.raises(ValueError, match=r"8\.9 px on a phone is too small"):
        clean(source, LABEL)


@every_figure
def test_text_stays_inside_the_figure(name: str):
    root = svg_of(drawn(name, 0.25))
    _, _, width, height = map(float, root.get("viewBox").split())
    for text in root.iter("text"):
        assert 0 <= float(text.get("x")) <= width
        assert 0 <= float(text.get("y")) <= height


@every_figure
def test_ids_are_used_and_belong_to_one_figure(name: str):
    def ids(drawing: Drawing) -> list[str]:
        return re.findall(r' id="([^"]+)"', drawing.html)

    one, other = drawn(name), drawn(name, 0.25)
    assert ids(one)
    assert len(ids(one)) == len(set(ids(one)))
    assert not set(ids(one)) & set(ids(other))
    for drawing in (one, other):
        assert set(re.findall(r'(?:url\(|href=")#([^")]+)', drawing.html)) == set(ids(drawing))


def test_same_bytes_in_two_processes(tmp_path: Path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_figures import FIGURES\n"
        "for draw in FIGURES.values(): print(draw(guess=0.25).html)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed in ("1", "2")
    ]
    outputs = []
    for run in runs:
        out, err = run.communicate()
        assert (run.returncode, err) == (0, b"")
        outputs.append(out)
    assert len(outputs[0]) > 10_000
    assert outputs[0] == outputs[1]


@every_figure
def test_the_settings_of_the_reader_change_nothing_and_are_kept(name: str, capsys):
    before = FIGURES[name]().html
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert FIGURES[name]().html == before
        assert matplotlib.rcParams["font.size"] == 30
    assert capsys.readouterr() == ("", "")


def place(axis: dict, value: float) -> float:
    """What the page's script computes, from the description in bench/figures/drawing.py."""
    f = math.log if axis["scale"] == "log" else float
    (p0, v0), (p1, v1) = axis["at"]
    return p0 + (p1 - p0) * (f(value) - f(v0)) / (f(v1) - f(v0))


@pytest.mark.parametrize(
    ("name", "guess", "axis"),
    [
        ("staircase", 0.3, "y"),
        ("sweep", 123.0, "y"),
        ("cdf", 0.05, "x"),
    ],
)
def test_the_axis_data_lead_to_the_line_of_the_guess(name: str, guess: float, axis: str):
    drawing = drawn(name, guess)
    data = json.loads(Figure(drawing).attributes["figure"]["data-axes"])
    assert data == drawing.axes
    assert data["guess"] == axis
    [line] = [n for n in svg_of(drawing).iter("path") if n.get("stroke-width") == "2.2"]
    x0, y0, x1, y1 = map(float, re.findall(r"-?[\d.]+", line.get("d")))
    found = [x0, x1] if axis == "x" else [y0, y1]
    assert found == [pytest.approx(place(data[axis], guess), abs=0.05)] * 2
    left, top, right, bottom = data["plot"]
    assert 0 <= left < right <= data["view"][0]
    assert 0 <= top < bottom <= data["view"][1]


def test_the_axis_data_lead_to_the_ends_of_bars():
    drawing = drawn("bars")
    ends = []
    for node in svg_of(drawing).iter("path"):
        if node.get("fill") == "#0072b2":
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", node.get("d"))]
            ends.append((max(numbers[0::2]), sum(numbers[1:8:2]) / 4))
    rows = drawing.axes["rows"]
    assert ends == [
        (pytest.approx(place(drawing.axes["x"], value), abs=0.05), pytest.approx(row, abs=0.05))
        for value, row in zip([0.2, 6.0], rows.values(), strict=True)
    ]
    assert list(rows) == ["def", "async def"]


def test_a_guess_about_one_bar_crosses_that_bar_alone():
    drawing = FIGURES["bars"](guess=3, guess_row="async def", guess_from="04/pooled-call")
    [line] = [n for n in svg_of(drawing).iter("path") if n.get("stroke-width") == "2.2"]
    heights = [float(n) for n in re.findall(r"-?[\d.]+", line.get("d"))[1::2]]
    rows = drawing.axes["rows"]
    assert rows["def"] < min(heights) < rows["async def"] < max(heights)
    assert 'data-guess-row="async def"' in drawing.html
    assert "data-guess-row" not in drawn("bars").html


def test_one_of_something_is_singular():
    drawing = bars({"a": 1, "b": 2, "c": 1.5}, unit="round trips", label=LABEL)
    assert re.findall(r">([\d.]+ round [a-z]+)<", drawing.html) == [
        *("1 round trip", "2 round trips", "1.5 round trips")
    ]
    assert [counted("1", unit) for unit in ("s", "ms", "queries", "")] == [
        *("1 s", "1 ms", "1 query", "1")
    ]


@every_figure
def test_the_guess_is_named_and_drawn_dashed(name: str):
    assert "your guess" not in drawn(name).html
    drawing = drawn(name, 0.25)
    assert ">your guess<" in drawing.html
    assert "stroke-dasharray" in drawing.html
    far = drawn(name, 1e6)
    assert re.search(r"your guess: 1e\+06[^<]* [→↑]<", far.html)


def test_the_bound_of_a_staircase_holds_up_to_and_with_its_number():
    bound = {40: 0.2, 41: 0.4}
    drawing = staircase({40: 0.21, 41: 0.41}, bound, label=LABEL)
    [line] = [n for n in svg_of(drawing).iter("path") if n.get("stroke-width") == "1.3"]
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", line.get("d"))]
    at_40 = place(drawing.axes["x"], 40)
    heights = {y for x, y in zip(numbers[0::2], numbers[1::2], strict=True) if abs(x - at_40) < 0.1}
    low, high = (place(drawing.axes["y"], bound[n]) for n in (40, 41))
    assert sorted(heights) == [pytest.approx(high, abs=0.1), pytest.approx(low, abs=0.1)]


def test_title_caption_and_badge():
    plain = bars({"a": 1}, label=LABEL)
    assert "figcaption" not in plain.html
    assert "bench-badge" not in plain.html
    for key, words in BADGES.items():
        full = bars({"a": 1}, label=LABEL, title="Sixty guests", caption="One run.", badge=key)
        assert f">{words}</span>" in full.html
        assert "<strong>Sixty guests</strong>" in full.html
        assert "<figcaption>One run.</figcaption>" in full.html
    with pytest.raises(ValueError, match="use one of runs, recorded"):
        bars({"a": 1}, label=LABEL, badge="fresh")


def test_names_at_the_lines_do_not_touch():
    same = {name: [1, 2, 3] for name in ("one", "two", "three", "four")}
    drawing = sweep([1, 2, 3], same, lambda x: x, label=LABEL)
    names = [t for t in svg_of(drawing).iter("text") if t.text in {*same, "model"}]
    places = sorted(float(t.get("y")) for t in names)
    assert len(places) == 5
    assert all(b - a >= 12 for a, b in pairwise(places))
    dashes = {n.get("stroke-dasharray") for n in svg_of(drawing).iter("path")}
    assert len(dashes - {None}) == 4  # three series and the model; the first line is solid


NAN = math.nan


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (lambda: staircase({}, label=LABEL), "nothing to draw"),
        (lambda: staircase({20: NAN}, label=LABEL), "number 1 is nan"),
        (lambda: staircase({20: 1}, lambda n: NAN, label=LABEL), "model"),
        (lambda: staircase({20: 1}, label=LABEL, guess=NAN), "guess: number 1 is nan"),
        (lambda: bars({}, label=LABEL), "nothing to draw"),
        (lambda: bars({"a": 1, "b": NAN}, label=LABEL), "number 2 is nan"),
        (lambda: bars({"a": -1}, label=LABEL), "below 0"),
        (lambda: bars({"a": 1}, label=LABEL, guess_row="b"), "names no bar"),
        (lambda: sweep([], {"a": []}, label=LABEL), "nothing to draw"),
        (lambda: sweep([1], {}, label=LABEL), "1 to 4 series"),
        (lambda: sweep([1], {name: [1] for name in "abcde"}, label=LABEL), "1 to 4 series"),
        (lambda: sweep([1, 2], {"a": [1]}, label=LABEL), "a has 1 values for 2 xs"),
        (lambda: sweep([1, math.inf], {"a": [1, 2]}, label=LABEL), "number 2 is inf"),
        (lambda: sweep([0, 1], {"a": [1, 2]}, logx=True, label=LABEL), "logarithmic axis"),
        (lambda: cdf({}, label=LABEL), "1 to 4 series"),
        (lambda: cdf({"a": []}, label=LABEL), "a: there is nothing to draw"),
        (lambda: cdf({"a": [1, NAN]}, label=LABEL), "number 2 is nan"),
        (lambda: cdf({"a": [0, 1]}, label=LABEL), "number 1 is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(draw, reason: str):
    with pytest.raises(ValueError, match=reason):
        draw()


def test_pyplot_is_not_used():
    with sketch() as (fig, _):
        assert not hasattr(fig, "number")  # pyplot numbers the figures it keeps


def test_an_empty_text_is_no_mistake() -> None:
    empty = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PHONE:g} 9"><text/></svg>'
    assert clean(empty, LABEL).endswith("><text/></svg>")
