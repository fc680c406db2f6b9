"""`from bench import …`: what is looked up late, what type checkers read, and where names live."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import bench

STUB = ast.parse(Path(bench.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))


def test_type_checkers_find_each_name_in_the_home_that_python_finds() -> None:
    typed = {
        name.asname or name.name: f"{line.module}.{name.name}"
        for line in STUB.body
        if isinstance(line, ast.ImportFrom)
        for name in line.names
    }
    assert typed == {name: f"bench.{home}.{name}" for name, home in bench._HOME.items()}


def test_type_checkers_and_python_offer_the_same_names() -> None:
    (offered,) = [line.value for line in STUB.body if isinstance(line, ast.Assign)]
    assert sorted(ast.literal_eval(offered)) == sorted(bench.__all__) == dir(bench)


@pytest.mark.parametrize("name", bench.__all__)
def test_each_name_is_made_in_its_home(name: str) -> None:
    value, home = getattr(bench, name), f"bench.{bench._HOME[name]}"
    assert getattr(value, "__module__", home) == home


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(AttributeError, match=r"no instrument called 'Gates'; it has Postgres, "):
        bench.Gates  # noqa: B018 (looking it up is the test)


@pytest.mark.parametrize("package", ["bench", "bistro"])
def test_both_packages_say_that_they_are_typed(package: str) -> None:
    assert (Path(bench.__file__).parents[1] / package / "py.typed").is_file()
