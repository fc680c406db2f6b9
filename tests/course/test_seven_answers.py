"""The last page: every number is a key of a quiz or a stored run."""

from __future__ import annotations

from pathlib import Path

import answers_numbers
import pytest


def test_the_answers_are_those_of_the_course() -> None:
    found = answers_numbers.find_answers()
    assert [(one.row.lesson, one.value, one.unit) for one in found] == [
        ("01", 6.0, "s"),
        ("01", 0.2, "s"),
        ("02", 0.1, "s"),
        ("03", 1.0, "guests"),
        ("04", 0.6, "s"),
        ("05", 6.0, "s"),
        ("06", 30.0, "guests"),
        ("07", 0.1, "s"),
    ]


def test_no_stored_run_is_quicker_than_its_answer() -> None:
    for one in answers_numbers.find_answers():
        if one.unit == "s":
            assert one.measured >= 0.95 * one.value, one.row
        else:
            assert one.measured == one.value, one.row


def test_a_run_that_says_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in answers_numbers.ROWS:
        (tmp_path / row.lesson).mkdir(exist_ok=True)
        (tmp_path / row.lesson / "sixty_guests.txt").write_text("nothing\n")
    monkeypatch.setattr(answers_numbers, "EVIDENCE", tmp_path)
    with pytest.raises(ValueError, match="sixty_guests"):
        answers_numbers.find_answers()
