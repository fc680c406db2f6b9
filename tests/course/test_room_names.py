"""A line knows its room from the room's name: no name stands for two things."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from bench.course import BOOK, LABS

EXTENSIONS = sorted((BOOK / "_ext").glob("*.py"))
BENCH = [path for path in sorted((LABS / "bench").rglob("*.py")) if path.name[0] != "_"]


def given_by(module: Path) -> set[str]:
    """The functions and classes that a module gives to others."""
    body = ast.parse(module.read_text(encoding="utf-8")).body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {one.name for one in body if isinstance(one, kinds) and one.name[0] != "_"} - {"setup"}


def test_no_two_modules_share_a_name() -> None:
    names = Counter(path.stem for path in [*BENCH, *EXTENSIONS])
    assert len(names) > 30
    assert [name for name, count in names.items() if count > 1] == []


def test_no_module_shares_its_name_with_what_it_gives() -> None:
    assert [path.name for path in [*BENCH, *EXTENSIONS] if path.stem in given_by(path)] == []


def test_an_extension_gives_no_name_that_bench_gives() -> None:
    taken = set[str]().union(*map(given_by, BENCH))
    assert "timeline" in taken
    found = {path.name: given_by(path) & taken for path in EXTENSIONS}
    assert {name: both for name, both in found.items() if both} == {}
