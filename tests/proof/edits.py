"""An edit of a text: how a seeded fault and a repair of a lab are written down."""

from __future__ import annotations


def edited(text: str, replace: str, becomes: str, where: str) -> str:
    """`text` with that part replaced; ValueError, naming `where`, unless it occurs exactly once."""
    if (count := text.count(replace)) != 1:
        raise ValueError(f"{where}: the text to replace occurs {count} times: {replace!r}")
    return text.replace(replace, becomes)
