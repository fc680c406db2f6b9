"""A test stands in the folder of what it needs, so that a quick folder stays quick."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.course import COURSE

TESTS = COURSE / "tests"
FILES = sorted(TESTS.glob("*/test_*.py"))
CHROMIUM = {"playwright", "browsers"}
BOOK = {"building", "small_book"}
SERVERS = {"Postgres", "RoundTrips", "serve", "bench.servers", "asyncpg", "psycopg"}
FORBIDDEN = {
    "unit": CHROMIUM | BOOK | SERVERS,
    "servers": CHROMIUM | BOOK,
    "course": CHROMIUM | SERVERS - {"serve"},  # that is also the book's own server
    "browser": SERVERS,
}


def imported(source: str) -> Iterator[str]:
    """Each name that the file imports, and each module with the packages around it."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        modules = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            yield from modules  # these are names of that module
            modules = [node.module or ""]
        for module in modules:
            parts = module.split(".")
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_test_needs_no_more_than_its_folder_says(file: Path):
    needs = set(imported(file.read_text("utf-8"))) & FORBIDDEN[file.parent.name]
    assert not needs, f"tests/{file.parent.name} does without {', '.join(sorted(needs))}"


def test_each_folder_says_what_its_tests_need():
    folders = {path.parent for path in TESTS.glob("*/*.py")} - {
        TESTS / "support",
        TESTS / "visited",
    }
    for folder in folders:
        said = ast.get_docstring(ast.parse((folder / "conftest.py").read_text("utf-8")))
        assert said.startswith("What these tests need: "), folder.name


def test_the_name_of_a_file_of_tests_is_given_once():
    """The ledger names a test as `test_x.py::test_y`, without its folder."""
    assert [name for name, count in Counter(f.name for f in FILES).items() if count > 1] == []


def test_what_a_file_imports_is_seen():
    source = "import a.b\nfrom c.d import e\n\ndef f():\n    import g as h\n"
    assert list(imported(source)) == ["a", "a.b", "e", "c", "c.d", "g"]
