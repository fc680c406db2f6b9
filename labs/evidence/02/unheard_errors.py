"""A task that nobody awaits fails: who hears of it, and when?"""

from __future__ import annotations

import asyncio
import gc

from bench import claim

heard: list[str] = []


async def write() -> None:
    raise ValueError("the insert failed")


async def on_its_own() -> tuple[list[str], list[str]]:
    """What was heard while somebody held the finished task, and after nobody did."""
    task = asyncio.create_task(write())
    await asyncio.wait([task])
    gc.collect()
    while_held = list(heard)
    del task
    gc.collect()
    return while_held, list(heard)


async def in_a_group() -> str:
    told = "nothing"
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(write())
    except* ValueError as failures:
        told = str(failures.exceptions[0])
    return told


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
    while_held, afterwards = await on_its_own()
    told = await in_a_group()
    print(f"the task has failed, and somebody holds it: {while_held or 'silence'}")
    print(f"the task is thrown away:                    {afterwards}")
    print(f"the task of a TaskGroup:                    raises: {told}")
    claim(
        "error-unheard-until-collected",
        "The error of a task that nobody awaits is heard when the task is thrown away.",
        (while_held, afterwards) == ([], ["Task exception was never retrieved"]),
    )
    claim(
        "task-group-raises-the-error",
        "A TaskGroup raises the error where the tasks were started.",
        told == "the insert failed",
    )


if __name__ == "__main__":
    asyncio.run(main())
