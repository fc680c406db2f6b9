"""How a repair or a fault is written down: what is malformed is named before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import repairs
from bench.practice.folders import Lab, check_titles, find
from edits import edited

EDIT = {"replace": "async def health()", "with": "def health()"}
ENTRY = {"name": "mine", "why": "Because.", "edits": [EDIT]}


def test_an_edit_wants_its_text_exactly_once() -> None:
    assert edited("one two", "two", "2", "here") == "one 2"
    for text, times in ("one", 0), ("two two", 2):
        with pytest.raises(ValueError, match=f"here: the text to replace occurs {times} times"):
            edited(text, "two", "2", "here")


def test_an_entry_is_an_edit_of_the_solution_or_of_the_starter() -> None:
    of_solution = repairs.of_entry(find("01"), ENTRY | {"fails": "test_x"})
    assert of_solution.fails == "test_x"
    assert of_solution.source == find("01").solution().replace("async def health", "def health")
    edit = {"replace": "async def report()", "with": "def report()"}
    of_starter = repairs.of_entry(
        find("01"), ENTRY | {"of": "starter", "passes": True, "edits": [edit]}
    )
    assert of_starter.fails is None
    assert of_starter.source.count("async def") == 0


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (ENTRY, "are not its fields"),
        (ENTRY | {"fails": "test_x", "passes": True}, "are not its fields"),
        (ENTRY | {"fails": "test_x", "because": "it is"}, "are not its fields"),
        (ENTRY | {"passes": False}, "names the check that it fails"),
        (ENTRY | {"passes": True, "edits": [EDIT, EDIT]}, "occurs 0 times"),
    ],
)
def test_a_malformed_entry_is_named(entry: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=f"01-health-check/repairs.yml, mine.*{problem}"):
        repairs.of_entry(find("01"), entry)


def test_a_check_without_a_title_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "test_lab.py").write_text('def test_a():\n    """A."""\n\n\ndef test_b(): ...\n')
    assert check_titles(Lab(tmp_path)) == {"test_a": "A.", "test_b": "test_b"}
