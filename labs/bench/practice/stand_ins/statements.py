"""The statements of labs 1, 2 and 6: what each of them waits for, and which rows answer it.

Needs the standard library alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from bench.practice.stand_ins.kitchen import Line, UnknownToTheStandIn, Wait, now
from bench.practice.stand_ins.replayed_threads import once

Row = tuple[Any, ...]

TABLES = "bookings", "dishes", "guests", "looks", "orders", "reservations"
COOK = re.compile(r"select cook\((.+)\)")
LOCK = re.compile(r'lock table "?(\w+)"? in access exclusive mode')
READS = {  # a statement of the labs, the number that answers it, and the tables that it reads
    "select coalesce(sum(dishes.price_cents * orders.portions), 0)::int from orders join dishes "
    "on dishes.id = orders.dish_id": ("takings", {"orders", "dishes"}),
    "select sum(portions_left)::int from dishes": ("portions", {"dishes"}),
    "select sum(credit_cents)::int from guests": ("credit", {"guests"}),
}
NAME = re.compile(r"select name from dishes where id = (\$1|\d+)")
DISHES = {1: "Onion soup"}
NOTE = "insert into looks default values"
SETTING = "select source from pg_settings where name = 'statement_timeout'"


def plain(sql: str) -> str:
    return " ".join(sql.lower().split()).rstrip(";")


def wait_of(sql: str, line: Line) -> Wait:
    """What the statement waits for. Raises UnknownToTheStandIn."""
    sql = plain(sql)
    if COOK.fullmatch(sql):
        return Wait(line, gate=True)
    if sql in READS:
        return Wait(line, frozenset(READS[sql][1]))
    if NAME.fullmatch(sql):
        return Wait(line, frozenset({"dishes"}))
    if sql == NOTE:
        return Wait(line, frozenset({"looks"}))
    if sql in ("select 1", SETTING):
        return Wait(line)
    raise UnknownToTheStandIn(f"the statement `{sql}`")


def rows_of(sql: str, args: Sequence[object], connection: Connection) -> list[Row]:
    """The rows that answer the statement, which can go on."""
    sql, kitchen = plain(sql), now.kitchen
    if sql == NOTE:
        if kitchen.full:
            raise connection.refusal("new row violates a check constraint")
        connection.notes += 1
        return []
    if sql in READS:
        return [(getattr(kitchen, READS[sql][0]),)]
    if name := NAME.fullmatch(sql):
        number = args[0] if name[1] == "$1" else int(name[1])
        return [(DISHES[number],)] if number in DISHES else []
    if sql == SETTING:
        return [("client",)]
    return [(1,)]


class Connection:
    """What the connections of both drivers share: notes that are not committed yet."""

    refusal: type[Exception]

    def __init__(self, dsn: str) -> None:
        self.line = now.kitchen.line(dsn)
        self.notes = 0
        self.asks: object = None  # whoever asks at the moment

    def commit_notes(self) -> None:
        now.kitchen.looks += self.notes
        self.notes = 0

    async def answer(self, sql: str, args: Sequence[object] = ()) -> list[Row]:
        wait = wait_of(sql, self.line)
        self.line.trips += 1
        await now.kitchen.passes(wait)
        if cook := COOK.fullmatch(plain(sql)):
            await asyncio.sleep(seconds_of(cook[1]))
        return rows_of(sql, args, self)

    def answer_blocking(self, sql: str) -> list[Row]:
        def call() -> list[Row]:
            me = now.thread or self
            wait = wait_of(sql, self.line)
            wait.until = lambda: self.asks in (None, me)
            self.line.trips += 1
            if not now.kitchen.free(wait):
                if wait.until():
                    self.asks = me
                now.kitchen.passes_or_blocks(wait)
            if self.asks:
                self.asks = None
                now.kitchen.changed()
            return rows_of(sql, (), self)

        return once(call)


def seconds_of(argument: str) -> float:
    """The seconds that `cook` is told; a parameter counts as a tenth."""
    try:
        return float(argument)
    except ValueError:
        return 0.1
