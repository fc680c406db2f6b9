"""The answers to the running question as one SVG, which the page's script draws guesses into.

x in per cent and y in pixels, so that text keeps its size on every screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from answers_numbers import RowAnswer

LINE, TOP, FOOT = 60, 24, 30  # px: a row, the words above a panel, its axis below


def log_place(value: float) -> float:
    return 100 * math.log(value / 0.05) / math.log(20 / 0.05)


def guest_place(value: float) -> float:
    return 100 * value / 66


PANELS: tuple[tuple[str, str, Callable[[float], float], tuple[float, ...]], ...] = (
    ("s", "seconds until the last guest is served", log_place, (0.1, 1, 10)),
    ("guests", "guests who get an answer, of sixty", guest_place, (0, 20, 40, 60)),
)


def draw_answers(found: Sequence[RowAnswer]) -> str:
    """One SVG with two panels. The script finds a row by its `data-question`."""
    parts, y = [], 0
    for unit, words, place, ticks in PANELS:
        rows = [answer for answer in found if answer.unit == unit]
        bottom = y + TOP + LINE * len(rows)
        parts.append(f'<text class="answers-panel" x="0" y="{y + 14}">{words}</text>')
        for tick in ticks:
            x = f"{place(tick):.2f}%"
            label = f"{tick:g}{' s' * (unit == 's')}"
            anchor = "start" if place(tick) < 5 else "middle"
            parts.append(
                f'<line class="answers-grid" x1="{x}" x2="{x}" y1="{y + TOP}" y2="{bottom}"/>'
                f'<text x="{x}" y="{bottom + 16}" text-anchor="{anchor}">{label}</text>'
            )
        for number, answer in enumerate(rows):
            parts.append(row_svg(answer, place, y + TOP + LINE * number))
        y = bottom + FOOT
    label = "The answers to the running question, lesson by lesson: " + "; ".join(
        f"{answer.row.lesson.lstrip('0')}, {answer.row.change}: {answer.said}" for answer in found
    )
    return (
        f'<figure class="answers-figure"><svg role="img" aria-label="{escape(label)}" '
        f'width="100%" height="{y}">{"".join(parts)}</svg></figure>'
    )


def row_svg(answer: RowAnswer, place: Callable[[float], float], y: int) -> str:
    at = place(answer.value)
    name = f"{answer.row.lesson.lstrip('0')} · {answer.row.change}"
    # The words stand beside the dot; where there is no room, above it.
    shift, anchor, line = ("6", "end", y + 14) if at > 55 else ("10", "start", y + 31)
    scale = "log" if answer.unit == "s" else "linear"
    data = f'data-scale="{scale}" data-unit="{answer.unit}" data-y="{y}"'
    question = f' data-question="{answer.row.question}"' if answer.row.asked else ""
    return (
        f'<g class="answers-row" {data}{question}>'
        f'<text class="answers-name" x="0" y="{y + 14}">{escape(name)}</text>'
        f'<line class="answers-track" x1="0" x2="{at:.2f}%" y1="{y + 27}" y2="{y + 27}"/>'
        f'<circle cx="{at:.2f}%" cy="{y + 27}" r="6"/>'
        f'<text class="answers-value" x="{at:.2f}%" dx="{shift}" y="{line}" '
        f'text-anchor="{anchor}">{escape(answer.said)}</text></g>'
    )
