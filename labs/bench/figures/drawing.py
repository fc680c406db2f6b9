"""What every figure is made with: an empty one in the style of the course, and its way to HTML.

**Axis data.** The figure carries them as JSON:

    <figure data-axes='{"view": [360, 216], "plot": [left, top, right, bottom], "guess": "x",
                        "x": {"scale": "linear", "at": [[70.5, 0], [350.1, 6]]}, "y": …}'>

`at` holds two positions in viewBox units, each with its value. `scale` is "linear" or "log" (then
interpolate the logarithm of the value). Positions grow to the right and downwards. "guess" names
the axis a reader's number belongs to. An axis of names has no entry; bars
have "rows" instead, the height of the middle of each bar by its name. The place of a value is:

    const {scale, at: [[p0, v0], [p1, v1]]} = axes.x, f = scale == "log" ? Math.log : v => v;
    const position = p0 + (p1 - p0) * (f(value) - f(v0)) / (f(v1) - f(v0));
"""

from __future__ import annotations

import html
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from matplotlib import rc_context, rcParams, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.captions import check_label, head
from bench.figures.svg import INK, clean

WIDTH = 5.0
"""Inches; 72 units of the viewBox each."""
FONT = 12.0

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "async-course",
    "font.size": FONT,
    "axes.labelsize": FONT,
    "axes.titlesize": FONT,
    "xtick.labelsize": FONT,
    "ytick.labelsize": FONT,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "text.parse_math": False,
}


UNSEEN = "visibility:hidden;font-size:0"
"""JupyterLab takes <svg> from the outputs of a notebook that was not run yet, but leaves the words
of its axes: this style hides them, and the drawing itself takes both back. <template>, which no
browser shows, becomes the sentence that stands there instead."""


class Drawing:
    """What a notebook shows: `_repr_html_` is the figure, `repr` its text alternative."""

    def __init__(self, html_text: str, label: str, axes: dict[str, Any]) -> None:
        self.html = html_text
        self.label = label
        self.axes = axes

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.label


@contextmanager
def sketch(height: float = 3.0) -> Iterator[tuple[Figure, Axes]]:
    """An empty figure in the style of the course; the reader's own settings have no effect.

    No pyplot: nothing is registered, no window, no `<Figure size …>` in the output.
    """
    private = ("backend", "interactive", "toolbar", "webagg", "tk.", "timezone", "datapath")
    changed: dict[Any, Any] = {
        name: value
        for name, value in rcParamsDefault.items()
        if not name.startswith(private) and rcParams[name] != value
    }
    with rc_context(changed | STYLE):
        fig = Figure(figsize=(WIDTH, height), layout="constrained")
        yield fig, fig.add_subplot()


def finish(
    fig: Figure,
    axes: Axes,
    *,
    label: str,
    guess: str,
    title: str | None = None,
    caption: str | None = None,
    badge: str | None = None,
    guess_from: str | None = None,
    guess_row: str | None = None,
    numeric: str = "xy",
    rows: Mapping[str, float] | None = None,
) -> Drawing:
    """Turn a finished figure into a `Drawing`. `guess` and `numeric` name axes: "x", "y", "xy";
    `rows` are the y values of an axis of names. `guess_from` is the question whose answer the
    page's script (book/_static/guesses.js) draws into the figure, across the bar `guess_row` alone
    if there is one.

    Raises ValueError for a text alternative that is too short, text that would be too small on a
    phone, or an unknown badge. Call it inside `rc_context(STYLE)`, as `sketch` gives it.
    """
    label = check_label(label)
    words = head(title, badge)
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", metadata={"Date": None})
    svg = clean(buffer.getvalue(), label)
    data = axis_data(fig, axes, guess, numeric, rows or {})
    parts = [
        f'<figure class="bench-figure" style="margin:0;max-width:30rem" '
        f'data-axes="{html.escape(json.dumps(data))}"'
        + (f' data-guess="{html.escape(guess_from)}"' if guess_from else "")
        + (f' data-guess-row="{html.escape(guess_row)}">' if guess_row else ">"),
        words,
        f"<template><p>Run this cell to see the figure. {html.escape(label)}</p></template>",
        f'<div style="{UNSEEN}">{svg}</div>',
        f"<figcaption>{html.escape(caption)}</figcaption>" if caption else "",
        "</figure>",
    ]
    return Drawing("\n".join(filter(None, parts)), label, data)


def axis_data(
    fig: Figure, axes: Axes, guess: str, numeric: str, rows: Mapping[str, float]
) -> dict[str, Any]:
    """Where the values are, in viewBox units; see the top of this module."""
    width, height = (float(side) * 72 for side in fig.get_size_inches())
    box = axes.get_position()
    left, right = box.x0 * width, box.x1 * width
    top, bottom = (1 - box.y1) * height, (1 - box.y0) * height
    places = {"x": (left, right, axes.get_xlim()), "y": (bottom, top, axes.get_ylim())}
    data: dict[str, Any] = {
        "view": [round(width, 2), round(height, 2)],
        "plot": [round(float(side), 2) for side in (left, top, right, bottom)],
        "guess": guess,
    }
    for name in numeric:
        first, last, values = places[name]
        scale = axes.get_xscale() if name == "x" else axes.get_yscale()
        at = [
            [round(float(p), 2), float(f"{v:.9g}")]
            for p, v in zip((first, last), values, strict=True)
        ]
        data[name] = {"scale": scale, "at": at}
    if rows:
        first, last = axes.get_ylim()
        scale = (top - bottom) / (last - first)
        data["rows"] = {
            name: round(float(bottom + (row - first) * (top - bottom) / (last - first)), 2)
            for name, row in rows.items()
        }
    return data
