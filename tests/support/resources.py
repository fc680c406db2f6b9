"""What a process holds: tasks, threads, open descriptors, and the sockets on which it listens."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections import Counter
from typing import NamedTuple

import psutil


class Held(NamedTuple):
    """What this process holds now. Two of them that are equal: nothing was left behind."""

    tasks: int
    threads: tuple[str, ...]
    descriptors: tuple[tuple[str, int], ...]  # how many of each kind: socket, pipe, a file's name
    children: int


def held() -> Held:
    """Call it in the loop that is looked at; the caller's own task is counted too."""
    gc.collect()
    return Held(
        tasks=len(asyncio.all_tasks()),
        # The default executor's threads stay, for later use, and belong to the loop
        threads=tuple(sorted(t.name for t in threading.enumerate() if "asyncio_" not in t.name)),
        descriptors=tuple(sorted(Counter(_descriptors()).items())),
        children=len(psutil.Process().children(recursive=True)),
    )


def _descriptors() -> list[str]:
    kinds = []
    for number in os.listdir("/dev/fd" if os.path.isdir("/dev/fd") else "/proc/self/fd"):
        try:
            kinds.append(os.readlink(f"/proc/self/fd/{number}").partition(":[")[0])
        except OSError:  # the one with which the folder was read
            continue
    return kinds


def listening(process: psutil.Process | None = None) -> set[str]:
    """The addresses on which a process (this one) and all below it accept connections.

    Loopback is "127.0.0.1" or "::1"; "0.0.0.0" and "::" are every network the machine is in.
    """
    top = process or psutil.Process()
    found = set()
    for one in [top, *top.children(recursive=True)]:
        try:
            sockets = one.net_connections(kind="tcp")
        except psutil.NoSuchProcess:
            continue
        found |= {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
    return found
