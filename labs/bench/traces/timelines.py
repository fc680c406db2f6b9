"""The timeline: one lane per task or request of a trace, its states by pattern and colour."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from bench.figures.drawing import FONT, WIDTH, Drawing, finish, sketch
from bench.figures.marks import BLUE, GREEN, PURPLE, ROOM, VERMILION, draw_guess, frame, limit
from bench.figures.svg import INK
from bench.traces.trace import STATES, check_trace


class Look(NamedTuple):
    """How a state is drawn: colour (None is hollow), its opacity, a hatch of matplotlib."""

    color: str | None
    alpha: float
    hatch: str | None


LOOKS = {
    "running": Look(BLUE, 1.0, None),
    "blocking": Look(VERMILION, 0.75, "xxx"),
    "ready": Look(None, 1.0, None),
    "database": Look(GREEN, 0.4, "////"),
    "pool": Look(PURPLE, 0.5, "\\\\\\\\"),
    "thread": Look(None, 1.0, "||||"),
    "waiting": Look(None, 1.0, "---"),
}
"""No two states share a pattern, so the picture can be read without colour."""

UNITS = WIDTH * 72
SWATCH, KEY_ROW, GUESS_ROW, FOOT, SIDE = 20.0, 18.0, 17.0, 42.0, 6.0
THINNEST = 0.8
"""Units: a step that holds the loop for a microsecond is still seen."""


def timeline(
    trace: Mapping[str, Any],
    guess: float | None = None,
    *,
    label: str | None = None,
    title: str | None = None,
    caption: str | None = None,
    badge: str | None = None,
    xlabel: str | None = None,
) -> Drawing:
    """Swim lanes from a dict in the trace format, for 1 to 60 lanes and more.

    The text alternative is the title and the summary of the trace unless `label` says something
    else. `guess` is in seconds, as are the axis data; below half a second the ticks are shown in
    milliseconds. Of more than 24 lanes some names are left out. Raises `TraceError` for a trace
    that does not follow the format.
    """
    check_trace(trace)
    names = [lane["name"] for lane in trace["lanes"]]
    states = {span["state"] for lane in trace["lanes"] for span in lane["spans"]}
    used = [state for state in STATES if state in states]
    pitch = 22.0 if len(names) <= 6 else 15.0 if len(names) <= 24 else 10.0
    key = _key_places(used)
    head = KEY_ROW * (1 + max((row for _, row in key.values()), default=-1)) + GUESS_ROW
    height = head + pitch * len(names) + FOOT
    shown = {i: name for i, name in enumerate(names) if _named(i, pitch)}
    left = min(SIDE + 6 + max(map(_width, shown.values())), UNITS * 0.4)

    with sketch(height / 72, layout=None) as (fig, ax):
        ax.set_position(
            (
                left / UNITS,
                FOOT / height,
                (UNITS - left - 2 * SIDE) / UNITS,
                pitch * len(names) / height,
            )
        )
        ax.set_xlim(0, limit(trace["duration"], guess, 1.02))
        ax.set_ylim(len(names) - 0.5, -0.5)
        _draw_lanes(ax, trace, used, (UNITS - left - 2 * SIDE))
        in_ms = ax.get_xlim()[1] < 0.5
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        ax.xaxis.set_major_formatter(
            FuncFormatter(lambda second, _: f"{second * 1000 if in_ms else second:g}")
        )
        ax.yaxis.set_major_locator(FixedLocator(list(shown)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda i, _: _fit(shown[i], left - SIDE - 6)))
        frame(ax, xlabel or ("milliseconds" if in_ms else "seconds"), None, grid="x")
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        _draw_key(fig, key, height)
        draw_guess(ax, "x", guess, unit=" s")
        return finish(
            fig,
            ax,
            label=label or f"{trace['title']}. {trace['summary']}",
            guess="x",
            numeric="x",
            title=title,
            caption=caption,
            badge=badge,
        )


def _draw_lanes(ax: Axes, trace: Mapping[str, Any], used: list[str], plot_width: float) -> None:
    """One compound path per state: a timeline of 60 lanes stays light."""
    thinnest = THINNEST * ax.get_xlim()[1] / plot_width
    for state in used:
        outline = []
        for row, lane in enumerate(trace["lanes"]):
            for span in lane["spans"]:
                if span["state"] == state:
                    begin, end = span["from"], max(span["to"], span["from"] + thinnest)
                    outline += [(begin, row - 0.38), (end, row - 0.38), (end, row + 0.38)]
                    outline += [(begin, row + 0.38), (begin, row - 0.38)]
        codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
        for patch in _patches(Path(outline, codes * (len(outline) // 5)), state):
            ax.add_artist(patch)  # not add_patch, which measures every corner for the limits
    for row, lane in enumerate(trace["lanes"]):
        if "error" in lane:
            end = lane["spans"][-1]["to"] if lane["spans"] else 0
            at = {"textcoords": "offset points", "va": "center", "ha": "left"}
            ax.annotate("✗", (end, row), (3, 0), **at)


def _patches(path: Path, state: str) -> list[PathPatch]:
    color, alpha, hatch = LOOKS[state]
    fill = "none" if color is None else to_rgba(color, alpha)
    order = 3 if state in ("running", "blocking") else 2
    edge = fill if state == "running" else INK
    body = PathPatch(path, facecolor=fill, edgecolor=edge, linewidth=0.6, zorder=order)
    body.set_gid(f"state-{state}")
    if hatch is None:
        return [body]
    # A second patch: the opacity of the colour would otherwise fade the pattern as well.
    pattern = PathPatch(path, facecolor="none", edgecolor=INK, hatch=hatch, linewidth=0)
    pattern.set_zorder(order)
    pattern.set_gid(f"state-{state}")
    return [body, pattern]


def _key_places(used: list[str]) -> dict[str, tuple[float, int]]:
    """(left edge, row) of each state's swatch, filled row by row like text."""
    places = {}
    x, row = SIDE, 0
    for state in used:
        width = SWATCH + 5 + _width(STATES[state])
        if x > SIDE and x + width > UNITS - SIDE:
            x, row = SIDE, row + 1
        places[state] = (x, row)
        x += width + 14
    return places


def _draw_key(fig: Figure, key: dict[str, tuple[float, int]], height: float) -> None:
    """A span is too small for words, so the words stand in a row above the lanes."""
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    ax.set_xlim(0, UNITS)
    ax.set_ylim(height, 0)
    for state, (x, row) in key.items():
        top = 3 + row * KEY_ROW
        box = Rectangle((x, top), SWATCH, 11)
        for patch in _patches(box.get_path().transformed(box.get_patch_transform()), state):
            patch.set_gid(None)
            ax.add_artist(patch)
        ax.text(x + SWATCH + 5, top + 10, STATES[state], va="baseline")


def _named(i: int, pitch: float) -> bool:
    """Whether lane i is named: all of them, or the first and every second one."""
    step = 1 if pitch >= ROOM else 2
    return i % step == 0


@cache
def _width(text: str) -> float:
    """Width in units, in matplotlib's own font, which is wider than most fonts of a page."""
    return float(TextPath((0, 0), text, size=FONT).vertices[:, 0].max()) if text.strip() else 0.0


def _fit(text: str, room: float) -> str:
    if _width(text) <= room + 1:
        return text
    while text and _width(text + "…") > room:
        text = text[:-1]
    return text + "…"
