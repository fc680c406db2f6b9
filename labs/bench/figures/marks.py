"""What several figures share: checks, line styles, labels at the lines, the guess."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from matplotlib.axes import Axes

from bench.figures.svg import INK
from bench.palette import BLUE, GREEN, PURPLE, VERMILION

Style = dict[str, Any]
"""Keyword arguments of matplotlib."""

LINES: list[Style] = [
    {"color": BLUE, "marker": "o", "linestyle": "-"},
    {"color": VERMILION, "marker": "s", "linestyle": (0, (6, 2))},
    {"color": GREEN, "marker": "^", "linestyle": (0, (2, 1.5))},
    {"color": PURPLE, "marker": "D", "linestyle": (0, (7, 2, 1.5, 2))},
]
MODEL: Style = {"color": INK, "linestyle": (0, (4, 3)), "linewidth": 1.3}
GUESS: Style = {
    "color": PURPLE,
    "linewidth": 2.2,
    "linestyle": (0, (5, 2.5)),
    "clip_on": False,
    "zorder": 5,
}
ROOM = 14.0
"""Units between two lines of text."""


def finite(values: Iterable[float], what: str, *, least: float = -math.inf) -> list[float]:
    """`values` as floats. ValueError if none, or one is NaN, infinite or below `least`."""
    numbers = [float(value) for value in values]
    if not numbers:
        raise ValueError(f"{what}: there is nothing to draw; give at least one number.")
    for place, number in enumerate(numbers):
        if not math.isfinite(number):
            raise ValueError(
                f"{what}: number {place + 1} is {number}; every number must be finite."
            )
        if number < least:
            raise ValueError(f"{what}: number {place + 1} is {number}, below {least}.")
    return numbers


def style_of(series: Mapping[str, Sequence[float]], what: str) -> list[Style]:
    """One line style per series. ValueError if there are none, or more than can be told apart."""
    if not 1 <= len(series) <= len(LINES):
        raise ValueError(f"{what}: draw 1 to {len(LINES)} series in a figure, not {len(series)}.")
    return LINES[: len(series)]


def frame(ax: Axes, xlabel: str | None, ylabel: str | None, grid: Literal["x", "y"] = "y") -> None:
    """Axis names (the one of y lies above the axis, so it needs no rotation) and a faint grid."""
    if xlabel:
        ax.set_xlabel(textwrap.fill(xlabel, 48))
    if ylabel:
        ax.set_title(textwrap.fill(ylabel, 44), loc="left", pad=8)
    ax.grid(axis=grid, color=INK, alpha=0.15, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=3)


def limit(top: float, guess: float | None, room: float = 1.08) -> float:
    """Where an axis from 0 ends: the data fit, and a guess up to twice the largest value."""
    if guess is not None:
        top = max(top, min(finite([guess], "guess", least=0)[0], 2 * top))
    return top * room if top > 0 else 1.0


def labels_at_right(ax: Axes, labels: Sequence[tuple[float, str]], height: float = 150) -> None:
    """Write each text right of the plot at its y value, with room between them.

    `height` is about that of the plot, in units. Call it when the limits are final.
    """
    rows = sorted((_fraction(ax, y), textwrap.fill(text, 13)) for y, text in labels)
    halves = [ROOM / height * (text.count("\n") + 1) / 2 for _, text in rows]
    places = [y for y, _ in rows]
    for i in range(1, len(rows)):  # upwards, each above the one before
        places[i] = max(places[i], places[i - 1] + halves[i - 1] + halves[i])
    ceiling = 1.08
    for i in reversed(range(len(rows))):  # and down again, if that went over the top
        places[i] = min(places[i], ceiling - halves[i])
        ceiling = places[i] - halves[i]
    for place, (_, text) in zip(places, rows, strict=True):
        ax.text(1.02, place, text, transform=ax.transAxes, va="center", ha="left")


def _fraction(ax: Axes, y: float) -> float:
    return float(ax.transAxes.inverted().transform(ax.transData.transform((0, y)))[1])


def draw_guess(
    ax: Axes,
    axis: str,
    guess: float | None,
    *,
    unit: str = "",
    above: bool = True,
    rows: Sequence[float] = (),
) -> None:
    """The reader's number as a dashed line named "your guess". Call it when the limits are final.

    A guess beyond the axis is drawn at its end, with the number and an arrow. `above`: the text of
    a vertical line stands over the plot, otherwise at its foot. With `rows` the vertical line is
    drawn only across the bars at these y values, so that it crosses no text.
    """
    if guess is None:
        return
    guess = finite([guess], "guess", least=0)[0]
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    place = min(max(guess, low), high)
    text = "your guess"
    if guess != place:
        arrow = ("→" if guess > high else "←") if axis == "x" else ("↑" if guess > high else "↓")
        text += f": {guess:g}{unit} {arrow}"
    at: Style = {"textcoords": "offset points"}
    if axis == "y":
        ax.axhline(place, **GUESS)
        below = _fraction(ax, place) > 0.85  # above it stands the name of the axis
        at |= {"xycoords": ("axes fraction", "data"), "va": "top" if below else "bottom"}
        ax.annotate(text, (0, place), (4, -4 if below else 3), ha="left", **at)
        return
    if rows:
        ax.vlines([place] * len(rows), [y - 0.24 for y in rows], [y + 0.3 for y in rows], **GUESS)
    else:
        ax.axvline(place, **GUESS)
    share = ax.transAxes.inverted().transform(ax.transData.transform((place, 0)))[0]
    side, shift = ("left", 4) if share < 0.6 else ("right", -4)
    at |= {"xycoords": ("data", "axes fraction"), "va": "bottom", "ha": side}
    ax.annotate(text, (place, 1 if above else 0), (0 if above else shift, 3), **at)
