"""Numbers with their units: "2 threads", but "1 thread"."""

from __future__ import annotations


def counted(number: str, unit: str) -> str:
    """`number` and `unit`, which is a symbol ("s", "ms") or a plural: "threads", "queries".

    One of something is written in the singular. cards.js and guesses.js follow the same rule.
    """
    if number == "1" and len(unit) > 2 and unit.endswith("s"):
        unit = unit[:-3] + "y" if unit.endswith("ies") else unit[:-1]
    return f"{number} {unit}".strip()
