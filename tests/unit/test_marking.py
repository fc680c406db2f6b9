"""Many outcomes of labs become a table: the last line of each learner counts, nothing runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from bench.practice import commands
from bench.practice.folders import find
from bench.practice.marking import COLUMNS, marked_line, table_of
from bench.practice.printed_outcomes import NotAttempted

LINE = {
    "lab": "01-health-check",
    "track": "",
    "outcome": "incorrect",
    "passed": 2,
    "checks": 5,
    "failing": "test_all_wait",
    "hints": 1,
    "course": "0.1.0",
}


def written(path: Path, *rows: dict, encoding: str = "utf-8") -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding=encoding)
    return path


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_last_line_of_each_learner_lab_and_track_is_a_row(tmp_path: Path) -> None:
    ada, bo = LINE | {"learner": "Ada"}, LINE | {"learner": "Bo"}
    done = {"outcome": "correct", "passed": 5, "failing": None}
    first = written(tmp_path / "1.jsonl", ada, ada | done, bo, ada | {"lab": "04-twenty"})
    second = written(tmp_path / "2.jsonl", ada | {"lab": "04-twenty", "track": "sqlalchemy"}, LINE)
    table, problems = table_of([str(first), str(second)])
    assert problems == []
    assert table.splitlines()[0] == ",".join(COLUMNS)
    rows = rows_of(table)
    assert [(row["learner"], row["lab"][:2], row["track"], row["outcome"]) for row in rows] == [
        ("", "01", "", "incorrect"),
        ("Ada", "01", "", "correct"),
        ("Ada", "04", "", "incorrect"),
        ("Ada", "04", "sqlalchemy", "incorrect"),
        ("Bo", "01", "", "incorrect"),
    ]
    assert (rows[1]["passed"], rows[1]["checks"], rows[1]["failing"]) == ("5", "5", "")
    assert table_of([str(tmp_path)])[0] == table, "a folder stands for its files"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_powershell_is_read_as_well(encoding: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", LINE | {"learner": "Zoë"}, encoding=encoding)
    assert [row["learner"] for row in rows_of(table_of([str(path)])[0])] == ["Zoë"]


def test_a_name_survives_a_shell_with_another_encoding(tmp_path: Path) -> None:
    name = "Łucja\u2028Zoë"
    line = marked_line(find("02"), NotAttempted("02-dashboard", "The starter."), name)
    assert line.isascii()
    path = tmp_path / "a.jsonl"
    for text in line, json.dumps(json.loads(line), ensure_ascii=False):
        path.write_text(text, encoding="utf-8")
        table, problems = table_of([str(path)])
        assert problems == []
        assert [row["learner"] for row in rows_of(table)] == [name]


def test_a_name_is_no_formula_for_a_spreadsheet(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", LINE | {"learner": "=HYPERLINK(1)"})
    assert rows_of(table_of([str(path)])[0])[0]["learner"] == "'=HYPERLINK(1)"


def test_lines_that_are_no_outcome_are_named_and_the_others_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "bo.jsonl", LINE)
    with path.open("a", encoding="utf-8") as file:
        file.write('\nnot json\n[1]\n{"lab": "01"}\n' + "[" * 100_000 + "\n")
    assert commands.main(["table", str(path)]) == 1
    said = capsys.readouterr()
    assert len(rows_of(said.out)) == 1
    assert said.err.splitlines() == [
        f"bo.jsonl, line {number}: this is no outcome of a lab." for number in (3, 4, 5, 6)
    ]


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["table", str(tmp_path / "nobody.jsonl")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "nobody.jsonl: No such file" in said.err
