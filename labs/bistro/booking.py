"""Lesson 5: booking a table, committed after the reply or before it.

The two routes share their transaction and differ in one argument. In this table a number is
checked for being unique at the commit, so that two guests can swap their tables in one transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from asyncpg import Connection, UniqueViolationError
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request

from bistro.lease import lease

router = APIRouter(tags=["booking"])

BOOK = "insert into bookings (table_number, guest_id) values ($1, $2)"

Table = Annotated[int, Path(ge=1, le=99)]
Guest = Annotated[int, Query(ge=1, le=60)]


async def transaction(request: Request) -> AsyncIterator[Connection]:
    """A connection inside a transaction, which commits when the dependency ends.

    Raises HTTPException 409 when the commit finds the table taken.
    """
    try:
        async with lease(request.app.state.pool) as window, window.transaction():
            yield window
    except UniqueViolationError:
        raise HTTPException(409, "This table is taken.") from None


Late = Annotated[Connection, Depends(transaction)]
First = Annotated[Connection, Depends(transaction, scope="function")]


@router.post("/book-late/{table}")
async def book_late(table: Table, guest: Guest, window: Late) -> str:
    await window.execute(BOOK, table, guest)
    return "booked"


@router.post("/book/{table}")
async def book(table: Table, guest: Guest, window: First) -> str:
    await window.execute(BOOK, table, guest)
    return "booked"
