"""The words around a figure or a timeline: its text alternative, and where it comes from."""

from __future__ import annotations

import html

BADGES = {"runs": "runs here", "recorded": "recorded, repeat in JupyterLab"}

_BADGE = "font-size:.85em;border:1px solid;border-radius:1em;padding:0 .6em;white-space:nowrap"


def check_label(label: str) -> str:
    """The text alternative with single spaces. Raises ValueError below eight words."""
    words = label.split()
    if len(words) < 8:
        raise ValueError(
            f"label={label!r} has {len(words)} words: say in at least 8 words what is drawn and "
            "what it shows, for readers who do not see the figure."
        )
    return " ".join(words)


def head(title: str | None, badge: str | None) -> str:
    """Title and badge in a line of HTML; empty without both. ValueError for an unknown badge."""
    if badge is not None and badge not in BADGES:
        raise ValueError(f"badge={badge!r} is unknown: use one of {', '.join(BADGES)}.")
    words = f"<strong>{html.escape(title)}</strong>" if title else ""
    if badge:
        words += f' <span class="bench-badge bench-badge-{badge}" style="{_BADGE}">'
        words += f"{BADGES[badge]}</span>"
    return f'<p class="bench-figure-head" style="margin:0">{words.strip()}</p>' if words else ""
