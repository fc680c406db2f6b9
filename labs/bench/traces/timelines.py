"""The timeline of a notebook: the figure that the book's pages show, without a player."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

from bench.captions import check_label, head
from bench.traces.lanes import Timeline, figure, gutter, legend
from bench.traces.looks import STYLE
from bench.traces.picture import Picture
from bench.traces.trace import Trace, check_trace


def timeline(
    trace: Trace | Mapping[str, Any],
    guess: float | None = None,
    guess_from: str = "",
    *,
    label: str | None = None,
    title: str | None = None,
    caption: str | None = None,
    badge: str | None = None,
) -> Picture:
    """Swim lanes from a trace, or a dict in its format, for 1 to 60 lanes and more.

    The text alternative is the title and the summary of the trace unless `label` says something
    else, in 8 words at least. `guess` is the reader's number in seconds, drawn as a dashed line;
    of the question `guess_from` ("01/one-word") the book's page draws the reader's answer in;
    below 0.05 s the axis shows milliseconds. Of many lanes some names are left out. `title`,
    `caption` and `badge` are those of the charts (`bench.figures.charts`).

    The figure brings its style and needs no script. Where a value lies: at
    100 · value / `data-axis-max` per cent of the width of the SVG.

    Raises `TraceError` for a trace that does not follow the format, ValueError for a label that is
    too short, an unknown badge, or a guess that is no number of seconds.
    """
    checked = check_trace(trace)
    if guess is not None and not (math.isfinite(guess) and guess >= 0):
        raise ValueError(f"guess={guess} is no number of seconds.")
    said = check_label(label or f"{checked.title}. {checked.summary}")
    drawn = Timeline(checked, "", guess_at=guess, guess=guess_from, label=said)
    seed = f"{said} {checked.model_dump_json()} {guess}"
    drawn = replace(drawn, key="t" + hashlib.sha256(seed.encode()).hexdigest()[:10])
    asked = f' data-guess="{escape(guess_from)}"' if guess_from else ""
    parts = [
        f'<figure class="timeline-figure"{asked} data-axis-max="{drawn.reach!r}">',
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>",
        head(title, badge),
        f'<ul class="timeline-key" aria-label="What the patterns mean">{legend(drawn)}</ul>',
        f'<div class="timeline-plot" style="--timeline-gutter:{gutter(checked.lanes)}px">'
        f"{figure(drawn)}</div>",
        f"<figcaption>{escape(caption)}</figcaption>" if caption else "",
        "</figure>",
    ]
    return Picture(said, "\n".join(filter(None, parts)))
