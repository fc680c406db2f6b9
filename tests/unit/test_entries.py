"""YAML files as typed models: whatever is wrong in a file is told with its place and its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from bench.entries import Entry, Id, Prose, Text, load


class Window(Entry):
    id: Id
    cook: Text
    says: Prose = ""


class Stove(Entry):
    kind: Literal["gas", "wood"]
    windows: tuple[Window, ...] = ()


class Kitchen(Entry):
    stoves: tuple[Stove, ...]
    open: bool | str = True


class Refused(ValueError):
    pass


def kitchen(folder: Path, text: str, **how: bool) -> Kitchen:
    file = folder / "kitchen.yml"
    file.write_text(text, encoding="utf-8")
    return load(file, Kitchen, Refused, **how)


def test_a_file_becomes_its_model_and_stays_as_it_is(tmp_path: Path) -> None:
    read = kitchen(tmp_path, "stoves: [{kind: gas, windows: [{id: left, cook: Ada}]}]\nopen: yes")
    assert read.stoves[0].windows[0].cook == "Ada"
    assert read.open is True
    with pytest.raises(ValueError, match="frozen"):
        read.open = False  # type: ignore[misc]  # refused when it runs, too


def test_as_texts_a_yes_is_a_word(tmp_path: Path) -> None:
    assert kitchen(tmp_path, "stoves: []\nopen: yes", texts=True).open == "yes"


def test_every_mistake_has_a_line_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        kitchen(
            tmp_path,
            """
            stoves:
              - {kind: oil}
              - kind: gas
                windows:
                  - {id: left, cook: no}
                  - {cook: Ada, hat: white}
                  - Ada
              - {kind: wood, windows: two}
            open: [yes]
            chef: Ada
            """,
        )
    assert str(refused.value).splitlines() == [
        "kitchen.yml: stove 1: kind is 'oil'; it must be gas or wood",
        "kitchen.yml: stove 2: window 'left': cook is False; "
        "YAML reads a bare yes or no so: put it in quotes",
        "kitchen.yml: stove 2: window 2: id is missing",
        "kitchen.yml: stove 2: window 2: unknown field hat",
        "kitchen.yml: stove 2: window 3 is 'Ada'; write named fields",
        "kitchen.yml: stove 3: windows is 'two'; write a list",
        "kitchen.yml: open is [True]: Input should be a valid boolean",
        "kitchen.yml: open is [True]: Input should be a valid string",
        "kitchen.yml: unknown field chef",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "kitchen.yml is None; write named fields"),
        ("- gas", "kitchen.yml is ['gas']; write named fields"),
        ("stoves: [", "kitchen.yml: not YAML at line"),
        ("stoves: []\nstoves: []", "kitchen.yml: the entry at line 1 has the field 'stoves' twice"),
    ],
)
@pytest.mark.parametrize("texts", [False, True])
def test_a_file_that_is_no_entry_is_refused(
    tmp_path: Path, text: str, told: str, texts: bool
) -> None:
    with pytest.raises(Refused) as refused:
        kitchen(tmp_path, text, texts=texts)
    assert str(refused.value).startswith(told)


def test_a_file_that_is_missing_is_told_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=rf"kitchen.yml: there is no such file in {tmp_path.name}/"):
        load(tmp_path / "kitchen.yml", Kitchen, Refused)
