"""Two of three fail in the same moment: what `gather` tells, and what a `TaskGroup` tells."""

from __future__ import annotations

import asyncio

from bench import claim


async def no_dish() -> None:
    raise LookupError("no such dish")


async def no_guest() -> None:
    raise PermissionError("no such guest")


async def fine() -> str:
    return "fine"


async def told_by_gather() -> list[str]:
    try:
        await asyncio.gather(no_dish(), no_guest(), fine())
    except Exception as error:
        return [type(error).__name__]
    return []


async def told_by_a_task_group() -> list[str]:
    told = []
    try:
        async with asyncio.TaskGroup() as group:
            for work in no_dish, no_guest, fine:
                group.create_task(work())
    except* LookupError as dishes:
        told += [type(error).__name__ for error in dishes.exceptions]
    except* PermissionError as guests:
        told += [type(error).__name__ for error in guests.exceptions]
    return told


async def main() -> None:
    gather, group = await told_by_gather(), await told_by_a_task_group()
    print(f"gather raises:          {', '.join(gather)}")
    print(f"a TaskGroup raises:     {', '.join(group)}")
    claim(
        "gather-tells-the-first-error",
        "gather raises the first error alone; the second is lost.",
        gather == ["LookupError"],
    )
    claim(
        "task-group-tells-every-error",
        "A TaskGroup raises both errors in one group; two `except*` clauses take one each.",
        group == ["LookupError", "PermissionError"],
    )


if __name__ == "__main__":
    asyncio.run(main())
