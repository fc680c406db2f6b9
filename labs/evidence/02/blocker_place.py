"""Five tasks start together and one of them blocks. Who begins late depends on its place."""

from __future__ import annotations

import asyncio
import time

from bench import claim

TASKS = 5


async def late_beginners(place: int) -> int:
    """How many tasks begin only after the blocker at this place has ended."""
    said: list[str] = []

    async def task(number: int) -> None:
        said.append("begins")
        if number == place:
            time.sleep(0.02)  # noqa: ASYNC251 -- it is the blocker
            said.append("the blocker has ended")
        else:
            await asyncio.sleep(0.01)

    await asyncio.gather(*(task(number) for number in range(1, TASKS + 1)))
    return said[said.index("the blocker has ended") :].count("begins")


async def main() -> None:
    late = {place: await late_beginners(place) for place in range(1, TASKS + 1)}
    for place, count in late.items():
        print(f"blocker at place {place}: tasks that begin late: {count}")
    claim(
        "all-behind-the-blocker-begin-late",
        "Every task that was started after the blocker begins when the blocker has ended.",
        late == {place: TASKS - place for place in range(1, TASKS + 1)},
    )


if __name__ == "__main__":
    asyncio.run(main())
