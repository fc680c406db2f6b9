"""Pairs of connected sockets, and a selector that looks at them, where the system has none.

A page in a browser has no sockets. A loop that is written for real ones runs there on these: they
keep the rules of stream sockets that do not block. Needs the standard library alone.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from heapq import heappop, heappush
from itertools import count
from typing import Any

ROOM = 212_992  # bytes that one end holds until they are read, as Linux does
FIRST = 1 << 16  # numbers of our files begin where a system's own end

_free: list[int] = []
_next, _moments = count(FIRST), count()
_open: dict[int, SimulatedSocket] = {}


class WaitsForEver(BaseException):
    """Nobody else is there who could end this wait: with real sockets the program would hang.

    A BaseException, so that no `except Exception` of the waiting program hides it.
    """


class SimulatedSocket:
    """One end of a pair. Made by `socketpair`; `fileno()` is a number that no real file has.

    As with a real socket, the number of a closed end is given to the next new one.
    """

    def __init__(self) -> None:
        self._number = heappop(_free) if _free else next(_next)
        self._inbox = bytearray()
        self._other: SimulatedSocket | None = None  # None: it has hung up
        self._blocks = True
        self._reads, self._writes = True, True  # not yet shut down
        self.readable_since = self.writable_since = next(_moments)
        _open[self._number] = self

    def fileno(self) -> int:
        return self._number

    def setblocking(self, flag: bool) -> None:
        self._blocks = flag

    def getblocking(self) -> bool:
        return self._blocks

    def settimeout(self, seconds: float | None) -> None:
        self._blocks = seconds is None

    def gettimeout(self) -> float | None:
        return None if self._blocks else 0.0

    def readable(self) -> bool:
        """Whether `recv` gives something now: bytes, or the end."""
        return bool(self._inbox) or self._ended()

    def writable(self) -> bool:
        """Whether `send` takes something now, or fails at once."""
        return not self._other or not self._writes or len(self._other._inbox) < ROOM

    def recv(self, size: int) -> bytes:
        self._must_be_open()
        if not self.readable():
            raise self._would_block()
        piece = bytes(self._inbox[:size])
        was_full = len(self._inbox) >= ROOM
        del self._inbox[:size]
        if self._other and was_full:
            self._other.writable_since = next(_moments)
        return piece

    def send(self, data: Any) -> int:
        self._must_be_open()
        if not self._other or not self._writes or not self._other._reads:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        room = ROOM - len(self._other._inbox)
        if room <= 0:
            raise self._would_block()
        piece = bytes(memoryview(data)[:room])
        if piece and not self._other._inbox:
            self._other.readable_since = next(_moments)
        self._other._inbox += piece
        return len(piece)

    def sendall(self, data: Any) -> None:
        data = memoryview(data)
        while data:
            data = data[self.send(data) :]

    def shutdown(self, how: int) -> None:
        self._must_be_open()
        self._reads &= how == socket.SHUT_WR
        if how != socket.SHUT_RD:
            self._writes = False
            if self._other:
                self._other.readable_since = next(_moments)

    def close(self) -> None:
        if self._number < 0:
            return
        del _open[self._number]
        heappush(_free, self._number)
        self._number = -1
        if other := self._other:
            other.readable_since = other.writable_since = next(_moments)
            other._other = None
        self._other = None

    def __enter__(self) -> SimulatedSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<simulated socket fd={self._number}>"

    def _ended(self) -> bool:
        return not self._other or not self._other._writes or not self._reads

    def _must_be_open(self) -> None:
        if self._number < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def _would_block(self) -> BaseException:
        if self._blocks:
            return WaitsForEver("A blocking socket waits, and holds the only thread there is.")
        return BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def socketpair(*_: object, **__: object) -> tuple[SimulatedSocket, SimulatedSocket]:
    """Two ends, each of which reads what the other one sends."""
    here, there = SimulatedSocket(), SimulatedSocket()
    here._other, there._other = there, here
    return here, there


class SimulatedSelector(selectors._BaseSelectorImpl):
    """Looks at simulated sockets; those that were ready first come first."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As a real one; while nobody is ready, the thread sleeps for `timeout` seconds.

        Raises WaitsForEver when that is None: only this thread could make a socket ready.
        """
        ready = self._ready()
        if not ready and timeout is None:
            raise WaitsForEver("Nobody is ready, and the question has no end.")
        if not ready and timeout and timeout > 0:
            time.sleep(timeout)
        return ready

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        found: list[tuple[int, selectors.SelectorKey, int]] = []
        for key in self.get_map().values():
            if not (end := _open.get(key.fd)):
                continue  # it was closed while somebody waited for it: it is never ready
            moments = {}
            if key.events & selectors.EVENT_READ and end.readable():
                moments[selectors.EVENT_READ] = end.readable_since
            if key.events & selectors.EVENT_WRITE and end.writable():
                moments[selectors.EVENT_WRITE] = end.writable_since
            if moments:
                found.append((min(moments.values()), key, sum(moments)))
        return [(key, events) for _, key, events in sorted(found, key=lambda one: one[0])]


def install() -> None:
    """From now on `socket.socketpair` and `selectors.DefaultSelector` are simulated ones."""
    vars(socket)["socketpair"] = socketpair
    vars(selectors)["DefaultSelector"] = SimulatedSelector
