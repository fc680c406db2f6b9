"""Numbers with their units: Python and the pages' scripts follow one rule, shown by one table."""

from __future__ import annotations

from bench.units import SCRIPT, counted
from browsers import chromium

WORDS = [
    ("1", "threads", "1 thread"),
    ("2", "threads", "2 threads"),
    ("0", "threads", "0 threads"),
    ("1", "queries", "1 query"),
    ("40", "queries", "40 queries"),
    ("1.5", "round trips", "1.5 round trips"),
    ("1", "round trips", "1 round trip"),
    ("1", "s", "1 s"),
    ("0.1", "s", "0.1 s"),
    ("1", "ms", "1 ms"),
    ("1", "seconds", "1 second"),
    ("1", "%", "1 %"),
    ("3", "", "3"),
]


def test_python_follows_the_table() -> None:
    assert [counted(number, unit) for number, unit, _ in WORDS] == [words for *_, words in WORDS]


def test_the_scripts_follow_the_same_table() -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.add_script_tag(path=SCRIPT)
        said = page.evaluate(
            "rows => rows.map(([number, unit]) => asyncCourse.units.counted(Number(number), unit))",
            [[number, unit] for number, unit, _ in WORDS],
        )
    assert said == [words for *_, words in WORDS]
