"""What the scripts of the tour share: one table, one row, and a way to show what came back.

Each script does the same work with its library: create a tab for a guest, find it by the guest's
name, update its total, read it again. The name is hostile, so it must travel as a parameter.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

GUEST = "O'Neill' or true --"
OPENED = datetime(2026, 7, 1, 18, 30, tzinfo=UTC)
TOTAL, NEW_TOTAL = Decimal("12.50"), Decimal("20.00")
WISHES = {"window": True}

POSTGRESQL = """
    create table tabs (
        id int generated always as identity primary key,
        guest text not null, total numeric(8, 2) not null,
        opened timestamptz not null, wishes jsonb not null
    );
    insert into tabs (guest, total, opened, wishes) values ('Ann', 5, now(), '{}')"""

SQLITE = """
    create table tabs (
        id integer primary key,
        guest text not null, total numeric not null,
        opened text not null, wishes text not null
    );
    insert into tabs (guest, total, opened, wishes) values ('Ann', 5, '', '{}')"""


def threads() -> set[threading.Thread]:
    """The threads of this program that are alive now."""
    return set(threading.enumerate())


def show(library: str, new_threads: Iterable[threading.Thread], row: Any) -> None:
    """Print one line for the threads and one for each column: its value and its Python type.

    `row` has the columns guest, total, opened and wishes, as keys or as attributes.
    """
    print(f"{library} {version(library)}: new threads: {len(set(new_threads))}")
    for column in "guest", "total", "opened", "wishes":
        value = getattr(row, column) if hasattr(row, column) else row[column]
        print(f"   {column:6} {type(value).__name__:9} {value!r}")
