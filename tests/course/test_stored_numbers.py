"""What the book shows of a run keeps the bounds that its claims state, and a figure its own axis.

No experiment runs here. That a stored number is the one that a run prints, `test_evidence.py` and
nbval compare, except for what is measured. Of a measured number only the bound can be held.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

import nbformat
import pytest

from bench.course import COURSE, experiments, output_of
from stated_numbers import least_seconds

NOTEBOOKS = sorted((COURSE / "notebooks").glob("*.ipynb"))
OF_A_TEXT = 4.56  # pixels from the middle of a text of an axis to its base line
BESIDE_A_BAR = 5.0  # pixels from the end of a bar to its number
SECONDS = re.compile(r"(?<![\d.])(\d+\.\d+)(?! [×+])")


def outputs(cell: nbformat.NotebookNode) -> str:
    """All that a cell shows: text, and HTML."""
    shown = (one.get("text") or one.get("data", {}).get("text/html", "") for one in cell.outputs)
    return "\n".join(shown)


def shown_together() -> Iterator[tuple[str, str]]:
    """Where, and what is shown there together: by one script, or between two headings."""
    for script in experiments():
        if script.suffix == ".py":
            yield script.name, output_of(script).read_text(encoding="utf-8")
    for notebook in NOTEBOOKS:
        parts = [""]
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                parts[-1] += outputs(cell)
            elif re.search(r"^#", cell.source, re.MULTILINE):
                parts.append("")
        yield from ((notebook.name, part) for part in parts)


def test_a_stored_time_is_not_below_the_bound_that_its_claim_states():
    held = 0
    for where, shown in shown_together():
        claims = re.findall(r"^holds: .*", shown, re.MULTILINE)
        rest = re.sub(r"^holds: .*|<svg.*?</svg>", "", shown, flags=re.MULTILINE | re.DOTALL)
        bounds = [(least_seconds(claim), claim) for claim in claims]
        for least, claim in bounds:
            if least is not None:
                held += 1
                times = [float(number) for number in SECONDS.findall(rest)]
                assert max(times, default=0) >= 0.95 * least, f"{where}: {claim} It shows {times}"
    assert held >= 6, "the sentences with a bound are found"


# -- figures ---------------------------------------------------------------------------------------


@dataclass
class Drawn(HTMLParser):
    """What a stored figure says: its axes, its texts with their places, and its paths."""

    axes: dict = field(default_factory=dict)
    texts: list[tuple[float, float, str, str]] = field(default_factory=list)  # x, y, anchor, text
    paths: list[dict[str, str]] = field(default_factory=list)
    marks: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._at: tuple[float, float, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._at = None
        if tag == "figure":
            self.axes = json.loads(found["data-axes"])
        elif tag == "text":
            self._at = float(found["x"]), float(found["y"]), found["text-anchor"]
        elif tag == "path":
            self.paths.append(found)
        elif tag == "use" and found.get("fill") != "currentColor":
            self.marks.append((float(found["x"]), float(found["y"])))

    def handle_data(self, data: str) -> None:
        if self._at and data.strip():
            self.texts.append((*self._at, data.strip()))
            self._at = None

    def place(self, axis: str, value: float) -> float:
        (p0, v0), (p1, v1) = self.axes[axis]["at"]
        return p0 + (p1 - p0) * (value - v0) / (v1 - v0)


def figures() -> Iterator[tuple[str, Drawn]]:
    """Each figure that a notebook stores, and the first line of the cell that draws it."""
    for notebook in NOTEBOOKS:
        for cell in nbformat.read(notebook, as_version=4).cells:
            shown = outputs(cell) if cell.cell_type == "code" else ""
            for html in re.findall(r'<figure class="bench-figure".*?</figure>', shown, re.DOTALL):
                drawn = Drawn()
                drawn.feed(html)
                yield f"{notebook.stem[:2]} {cell.source.partition('(')[0]} {len(html)}", drawn


FIGURES = list(figures())


@pytest.mark.parametrize("drawn", [d for _, d in FIGURES], ids=[name for name, _ in FIGURES])
def test_the_numbers_at_an_axis_stand_where_the_axis_has_them(drawn: Drawn):
    left, _, _, bottom = drawn.axes["plot"]
    at_x = [(x, text) for x, y, anchor, text in drawn.texts if anchor == "middle" and y > bottom]
    at_y = [(y, text) for x, y, anchor, text in drawn.texts if anchor == "end" and x < left]
    numbers = 0
    for axis, places, offset in ("x", at_x, 0.0), ("y", at_y, OF_A_TEXT):
        for place, text in places:
            if re.fullmatch(r"[\d.]+", text):
                numbers += 1
                assert place - offset == pytest.approx(drawn.place(axis, float(text)), abs=0.1)
    assert numbers >= 3


BARS = [(name, drawn) for name, drawn in FIGURES if "rows" in drawn.axes]


@pytest.mark.parametrize("drawn", [d for _, d in BARS], ids=[name for name, _ in BARS])
def test_a_bar_ends_at_the_number_beside_it(drawn: Drawn):
    ends = [
        max(float(number) for number in re.findall(r"-?[\d.]+", path["d"])[0::2])
        for path in drawn.paths
        if path.get("fill", "").startswith("#")
    ]
    _, _, _, bottom = drawn.axes["plot"]
    said = [
        (x - BESIDE_A_BAR, float(text.partition(" ")[0]))
        for x, y, anchor, text in drawn.texts
        if anchor == "start" and y < bottom and re.match(r"[\d.]+ ", text)
    ]
    assert len(ends) == len(said) == len(drawn.axes["rows"])
    for end, (place, number) in zip(ends, said, strict=True):
        assert place == pytest.approx(end, abs=0.1)
        assert place == pytest.approx(drawn.place("x", number), abs=0.5)


WITH_A_BOUND = [(name, d) for name, d in FIGURES if "bound" in [text for *_, text in d.texts]]


@pytest.mark.parametrize(("name", "drawn"), WITH_A_BOUND, ids=[name for name, _ in WITH_A_BOUND])
def test_no_measured_point_is_beyond_the_bound_that_is_drawn(name: str, drawn: Drawn):
    """Times stand above their staircase, and rates below their line; y grows downwards."""
    [bound] = [path["d"] for path in drawn.paths if path.get("stroke-dasharray") == "5.2,3.9"]
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", bound)]
    corners = list(zip(numbers[0::2], numbers[1::2], strict=True))
    assert drawn.marks
    for x, y in drawn.marks:
        here = [
            y0 + (y1 - y0) * (x - x0) / (x1 - x0)
            for (x0, y0), (x1, y1) in pairwise(corners)
            if x0 < x1 and x0 - 0.1 <= x <= x1 + 0.1
        ]
        assert y <= max(here) + 0.1 if "staircase" in name else y >= min(here) - 0.1
