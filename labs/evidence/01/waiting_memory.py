"""What a waiting thread and a waiting task cost in memory, each kind in its own process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import psutil

from bench import claim

COUNT = 1000


def resident() -> int:
    """Bytes of this process that are in memory. Reserved address space does not count."""
    return psutil.Process().memory_info().rss


def of_threads() -> float:
    """Bytes for each of 1000 threads that wait for an event."""
    door = threading.Event()
    before = resident()
    threads = [threading.Thread(target=door.wait) for _ in range(COUNT)]
    for thread in threads:
        thread.start()
    after = resident()
    door.set()
    for thread in threads:
        thread.join()
    return (after - before) / COUNT


async def of_tasks() -> float:
    """Bytes for each of 1000 tasks that wait for an event."""
    door = asyncio.Event()
    before = resident()
    tasks = [asyncio.create_task(door.wait()) for _ in range(COUNT)]
    await asyncio.sleep(0)
    after = resident()
    door.set()
    await asyncio.gather(*tasks)
    return (after - before) / COUNT


def measured(kind: str) -> float:
    """Ask a fresh process, so that neither kind pays for what the other has left behind."""
    done = subprocess.run([sys.executable, __file__, kind], check=True, capture_output=True)
    return float(done.stdout)


def main() -> None:
    thread, task = measured("threads"), measured("tasks")
    print(f"one waiting thread: {thread / 1024:5.1f} KiB resident")
    print(f"one waiting task:   {task / 1024:5.1f} KiB resident")
    claim(
        "waiting-task-cheaper-than-thread",
        "A thread that waits keeps more memory resident than a task that waits.",
        thread > task,
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["threads"]:
            print(of_threads())
        case ["tasks"]:
            print(asyncio.run(of_tasks()))
        case _:
            main()
