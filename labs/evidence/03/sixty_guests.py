"""The question of every lesson: sixty guests, 0.1 s each. Today they share one connection."""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg

from bench import Postgres, claim
from bistro.database import prepare

GUESTS, SECONDS = 60, 0.1


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        window = await asyncpg.connect(pg.dsn)
        orders = [window.fetchval("select cook($1)", SECONDS) for _ in range(GUESTS)]
        answers = await asyncio.gather(*orders, return_exceptions=True)
        await window.close()
    outcomes = Counter(
        "an answer" if answer == SECONDS else f"{type(answer).__name__}: {answer}"
        for answer in answers
    )
    for outcome, guests in outcomes.items():
        print(f"{guests:2} of {GUESTS} guests: {outcome}")
    claim(
        "sixty-on-one-connection",
        "Sixty guests on one asyncpg connection: one answer, 59 errors.",
        sorted(outcomes.values()) == [1, 59],
    )


if __name__ == "__main__":
    asyncio.run(main())
