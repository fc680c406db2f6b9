"""The charts of the course. Each returns a `Drawing`: inline SVG that follows the theme.

Common to all: `label` is the text alternative (at least 8 words: what is drawn, what it shows);
`title`, `caption`, `xlabel`, `ylabel` are text; `guess` is the reader's number, drawn as a dashed
line named "your guess"; `badge` is "runs" (runs here) or "recorded" (recorded, repeat in
JupyterLab); `guess_from` is a question, "01/hundred-guests", whose answer the book's page draws in.
ValueError with one clear sentence for missing, infinite or NaN numbers. Nothing is
printed. How a script finds a value in the figure: see `bench.figures.drawing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypedDict, Unpack

from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from bench.figures.drawing import Drawing, finish, sketch
from bench.figures.marks import (
    MODEL,
    Style,
    draw_guess,
    finite,
    frame,
    labels_at_right,
    limit,
    style_of,
)
from bench.figures.svg import INK
from bench.palette import BLUE, GREEN
from bench.units import counted

Model = Callable[[float], float] | Mapping[float, float]


class Frame(TypedDict, total=False):
    """The texts around a figure."""

    title: str | None
    caption: str | None
    badge: str | None
    guess_from: str | None


def staircase(
    points: Mapping[int, float] | Iterable[tuple[int, float]],
    model: Model | None = None,
    *,
    label: str,
    xlabel: str = "requests at the same time",
    ylabel: str = "seconds until the last one is served",
    model_name: str = "bound",
    guess: float | None = None,
    **text: Unpack[Frame],
) -> Drawing:
    """Measured total per number of requests; several points may have the same number.

    `model` is a function of the number of requests, drawn as a dashed step line for every whole
    number up to the largest, or a mapping of some of them. The guess is on the y axis.
    """
    pairs = sorted(points.items() if isinstance(points, Mapping) else points)
    ns = finite((n for n, _ in pairs), "staircase", least=0)
    totals = finite((total for _, total in pairs), "staircase", least=0)
    steps = _model(model, range(1, int(max(ns)) + 1), "staircase: model")
    with sketch() as (fig, ax):
        ax.set_xlim(0, max(ns) * 1.04)
        ax.set_ylim(0, limit(max([*totals, *steps.values()]), guess))
        labels = [(totals[-1], "measured")]
        if steps:
            # A step line that changes after n says: the bound of n holds up to and with n.
            ax.step(
                [0, *steps], [next(iter(steps.values())), *steps.values()], where="pre", **MODEL
            )
            labels.append((list(steps.values())[-1], model_name))
        ax.plot(ns, totals, linestyle="none", marker="o", markersize=7, color=BLUE)
        if len(set(ns)) <= 7:
            ax.xaxis.set_major_locator(FixedLocator(_spaced(sorted(set(ns)))))
        frame(ax, xlabel, ylabel)
        labels_at_right(ax, labels)
        draw_guess(ax, "y", guess)
        return finish(fig, ax, label=label, guess="y", **text)


def bars(
    values: Mapping[str, float],
    *,
    label: str,
    unit: str = "s",
    xlabel: str | None = None,
    digits: int = 3,
    guess: float | None = None,
    guess_row: str | None = None,
    highlight: str | None = None,
    whole: bool = False,
    **text: Unpack[Frame],
) -> Drawing:
    """Horizontal bars in the order given, each name above its bar and each value at its end.

    Values are written with `digits` significant digits and `unit`. The guess is on the x axis;
    with `guess_row`, the name of a bar, it is drawn across that bar alone. The bar that `highlight`
    names is green and hatched; its name has to say why. With `whole` the axis counts in ones.
    """
    if guess_row is not None and guess_row not in values:
        raise ValueError(f"bars: guess_row={guess_row!r} names no bar: use one of {[*values]}.")
    if highlight is not None and highlight not in values:
        raise ValueError(f"bars: highlight={highlight!r} names no bar: use one of {[*values]}.")
    names, numbers = list(values), finite(values.values(), "bars", least=0)
    with sketch(0.75 + 0.52 * len(names)) as (fig, ax):
        ax.set_xlim(0, limit(max(numbers), guess, 1.3))
        ax.set_ylim(len(names) - 0.35, -0.75)
        drawn = ax.barh(range(len(names)), numbers, height=0.42, color=BLUE)
        if highlight is not None:
            drawn[names.index(highlight)].set(facecolor=GREEN, hatch="//", edgecolor=INK)
        for row, (name, number) in enumerate(zip(names, numbers, strict=True)):
            at: Style = {"textcoords": "offset points", "ha": "left"}
            ax.annotate(name, (0, row - 0.21), (1, 2), va="bottom", **at)
            end = number
            if guess is not None and number <= guess < number + 0.17 * ax.get_xlim()[1]:
                end = guess  # the line of the guess must not cross the value
            shown = counted(f"{number:.{digits}g}", unit)
            ax.annotate(shown, (end, row), (5, 0), va="center", **at)
        ax.yaxis.set_major_locator(NullLocator())
        if whole:
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        frame(ax, xlabel or unit, None, grid="x")
        rows = {name: row for row, name in enumerate(names)}
        across = [rows[guess_row]] if guess_row else [*rows.values()]
        draw_guess(ax, "x", guess, unit=f" {unit}", rows=across)
        return finish(
            fig, ax, label=label, guess="x", numeric="x", guess_row=guess_row, rows=rows, **text
        )


def sweep(
    xs: Sequence[float],
    series: Mapping[str, Sequence[float]],
    model: Model | None = None,
    *,
    label: str,
    xlabel: str = "pool size",
    ylabel: str = "requests per second",
    model_name: str = "model",
    logx: bool = False,
    guess: float | None = None,
    **text: Unpack[Frame],
) -> Drawing:
    """One to four lines over `xs`, named at their right ends; `model` as a dashed line.

    Every series has one value per x. The guess is on the y axis.
    """
    xs = finite(xs, "sweep: xs")
    styles = style_of(series, "sweep")
    lines = {name: finite(ys, f"sweep: {name}", least=0) for name, ys in series.items()}
    for name, ys in lines.items():
        if len(ys) != len(xs):
            raise ValueError(f"sweep: {name} has {len(ys)} values for {len(xs)} xs.")
    modelled = _model(model, xs, "sweep: model")
    with sketch() as (fig, ax):
        if logx:
            finite(xs, "sweep: xs on a logarithmic axis", least=1e-12)
            ax.set_xscale("log")
            ax.xaxis.set_minor_locator(NullLocator())
        if len(xs) <= 8:
            ax.xaxis.set_major_locator(FixedLocator(xs))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        top = max(y for ys in [*lines.values(), modelled.values()] for y in ys)
        ax.set_ylim(0, limit(top, guess))
        labels = []
        if modelled:
            ax.plot(list(modelled), list(modelled.values()), **MODEL)
            labels.append((list(modelled.values())[-1], model_name))
        for (name, ys), style in zip(lines.items(), styles, strict=True):
            ax.plot(xs, ys, linewidth=2, markersize=6, **style)
            labels.append((ys[-1], name))
        frame(ax, xlabel, ylabel)
        labels_at_right(ax, labels)
        draw_guess(ax, "y", guess)
        return finish(fig, ax, label=label, guess="y", **text)


def cdf(
    series: Mapping[str, Sequence[float]],
    *,
    label: str,
    xlabel: str = "seconds, logarithmic",
    ylabel: str = "share of requests served by then, %",
    logx: bool = True,
    guess: float | None = None,
    **text: Unpack[Frame],
) -> Drawing:
    """How many per cent of the samples are at most x: a step line of all samples per series.

    One to four series. With `logx` every sample must be above 0. The guess is on the x axis.
    """
    styles = style_of(series, "cdf")
    least = 1e-12 if logx else 0
    samples = {n: sorted(finite(v, f"cdf: {n}", least=least)) for n, v in series.items()}
    first, last = min(v[0] for v in samples.values()), max(v[-1] for v in samples.values())
    with sketch() as (fig, ax):
        if logx:
            ax.set_xscale("log")
            few = last / first < 100
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
            ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.set_xlim(first / 1.3 if logx else 0, limit(last, guess, 1.25))
        ax.set_ylim(0, 104)
        # The slowest series is named at the foot, the fastest at the top: leaders cross least.
        slowest_first = sorted(samples, key=lambda name: -samples[name][len(samples[name]) // 2])
        style = dict(zip(samples, styles, strict=True))
        labels = []
        for rank, name in enumerate(slowest_first):
            values = samples[name]
            line = {key: style[name][key] for key in ("color", "linestyle")}
            shares = [100 * (i + 1) / len(values) for i in range(len(values))]
            left, right = ax.get_xlim()
            ax.step([left, *values, right], [0, *shares, 100], where="post", linewidth=2, **line)
            level = 100 * (rank + 0.75) / (len(samples) + 0.5)
            at = next(v for v, share in zip(values, shares, strict=True) if share >= level)
            ax.plot([at], [level], markersize=7, **style[name])
            ax.plot([at, right], [level, level], color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
            labels.append((level, name))
        frame(ax, xlabel, ylabel)
        labels_at_right(ax, labels)
        draw_guess(ax, "x", guess, above=False)
        return finish(fig, ax, label=label, guess="x", **text)


def _spaced(ns: list[float]) -> list[float]:
    """Those numbers that can be written side by side on the axis."""
    kept = ns[:1]
    for n in ns[1:]:
        if n - kept[-1] >= 0.08 * ns[-1]:
            kept.append(n)
    return kept


def _model(model: Model | None, xs: Iterable[float], what: str) -> dict[float, float]:
    """The values of the model by x, in order of x."""
    if model is None:
        return {}
    values = dict(model) if isinstance(model, Mapping) else {x: model(x) for x in xs}
    finite(values.values(), what)
    return dict(sorted(values.items()))
