"""What a notebook has left open after its last cell. Runs in its kernel, among the reader's names.

A cell closes what it opened. The notebook's PostgreSQL alone lives on until the kernel ends.
"""

from __future__ import annotations

import asyncio
import gc

import psutil

OF_THE_KERNEL = ("ipykernel", "zmq", "tornado", "jupyter_client", "IPython")


def left_open() -> list[str]:
    """Each in words: a connection, a task of a cell, a program other than PostgreSQL's keeper."""
    gc.collect()
    kernel = psutil.Process()
    connections = [
        "an open connection"
        for socket in kernel.net_connections(kind="tcp")
        if socket.status in (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT)
    ]
    return [*sorted(connections), *sorted(_tasks()), *sorted(_programs(kernel))]


def _tasks() -> list[str]:
    try:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
    except RuntimeError:  # no loop runs: nothing can be pending
        return []
    found = []
    for task in tasks:
        code = getattr(task.get_coro(), "cr_code", None)
        file = (code.co_filename if code else "").replace("\\", "/").split("/")
        if not task.done() and not set(OF_THE_KERNEL) & set(file):
            found.append(f"the task {task.get_name()} of {getattr(code, 'co_qualname', code)}")
    return found


def _programs(kernel: psutil.Process) -> list[str]:
    keepers, others = [], []
    for child in kernel.children():
        try:
            command = child.cmdline()
        except psutil.Error:
            continue
        is_keeper = any("bench.servers.supervisor" in w or "supervisor.py" in w for w in command)
        (keepers if is_keeper else others).append(" ".join(command[1:4]))
    return [f"the program {one}" for one in others if one]
