"""Numbers with their units: "2 threads", but "1 thread"."""

from __future__ import annotations

from pathlib import Path

SCRIPT = Path(__file__).with_name("units.js")
"""The same rule for the scripts of a page; tests/browser/test_units.py compares the two."""


def counted(number: str, unit: str) -> str:
    """`number` and `unit`, which is a symbol ("s", "ms") or a plural: "threads", "queries".

    One of something is written in the singular.
    """
    if number == "1" and len(unit) > 2 and unit.endswith("s"):
        unit = unit[:-3] + "y" if unit.endswith("ies") else unit[:-1]
    return f"{number} {unit}".strip()
