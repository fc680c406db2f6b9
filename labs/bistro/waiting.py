"""Lesson 1: the same blocking query, once in a `def` route and once in an `async def` route.

The two differ in one word. Their JSON replies tell who waited and when:

- `began`, `ended`: `time.perf_counter()` seconds in the server, just before and after the query;
- `thread`: the operating system's id of the thread that waited.
"""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Annotated

import psycopg
from fastapi import APIRouter, Query
from pydantic import BaseModel

from bistro.database import dsn

router = APIRouter(tags=["waiting"])
mine = threading.local()

Seconds = Annotated[float, Query(ge=0, le=5)]


class Cooked(BaseModel):
    began: float
    ended: float
    thread: int

    @classmethod
    def since(cls, began: float) -> Cooked:
        """A query of this thread that began at `began` and ends now."""
        return cls(began=began, ended=perf_counter(), thread=threading.get_native_id())


def kitchen_window() -> psycopg.Connection:
    """This thread's own connection, opened when the thread first asks for it.

    It commits after each query: a transaction left open would keep its locks.
    """
    window = getattr(mine, "window", None)
    if window is None or window.closed:
        window = mine.window = psycopg.connect(
            dsn(), autocommit=True, application_name="bistro-waiting"
        )
    return window


@router.get("/def")
def order_def(seconds: Seconds = 0.1) -> Cooked:
    window = kitchen_window()
    began = perf_counter()
    window.execute("select cook(%s)", [seconds])
    return Cooked.since(began)


@router.get("/async-def")
async def order_async_def(seconds: Seconds = 0.1) -> Cooked:
    window = kitchen_window()
    began = perf_counter()
    window.execute("select cook(%s)", [seconds])
    return Cooked.since(began)


@router.get("/ping")
async def ping() -> str:
    return "pong"
