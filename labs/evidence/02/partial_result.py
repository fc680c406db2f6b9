"""Three sources, one deadline: what is there by then is the answer, and nobody is left behind."""

from __future__ import annotations

import asyncio

from bench import claim, run_virtual

SOURCES = {"menu": 0.1, "takings": 0.2, "weather": 3600.0}
DEADLINE = 0.25


async def ask(source: str) -> str:
    await asyncio.sleep(SOURCES[source])
    return source


async def by_the_deadline() -> tuple[list[str], float, int]:
    """The answers that came in time, the time it took, and the tasks that are left."""
    older = asyncio.all_tasks()
    tasks = [asyncio.create_task(ask(source)) for source in SOURCES]
    done, late = await asyncio.wait(tasks, timeout=DEADLINE)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)  # until they have ended
    answers = [task.result() for task in tasks if task in done]
    left = asyncio.all_tasks() - older
    return answers, asyncio.get_running_loop().time(), len(left)


def main() -> None:
    answers, seconds, left = run_virtual(by_the_deadline()).result
    print(f"answers after {seconds} virtual seconds: {', '.join(answers)}; tasks left: {left}")
    claim(
        "partial-answer-at-the-deadline",
        "At the deadline, exactly, the two answers that have come are the reply.",
        (answers, seconds) == (["menu", "takings"], DEADLINE),
    )
    claim(
        "late-sources-are-ended",
        "The late source is cancelled and awaited, so no task is left behind.",
        left == 0,
    )


if __name__ == "__main__":
    main()
