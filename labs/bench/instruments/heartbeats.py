"""Does the event loop still beat?

Needs the standard library alone.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left, bisect_right
from itertools import pairwise


class Heartbeat:
    """A task that notes the time every `period` seconds, for as long as the loop lets it.

    While something holds the loop there is no beat, so `inside(t0, t1) == 0` shows that the
    loop stood still between two instants. The number of beats of a free loop depends on the
    machine: claim the zero, draw the rest.

        async with Heartbeat() as heart:
            t0 = time.perf_counter()
            await query()
            t1 = time.perf_counter()
        print(heart.inside(t0, t1))

    The first beat is made before the body starts. The task ends on exit, also after an error.
    `beats` holds `time.perf_counter()` values in ascending order and stays readable afterwards.
    """

    def __init__(self, period: float = 0.005) -> None:
        if not period > 0:
            raise ValueError("The period of a Heartbeat must be more than 0 seconds.")
        self.period = period
        self.beats: list[float] = []
        self._stopped: float | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Heartbeat:
        if self._task:
            raise RuntimeError("A Heartbeat can be used once; make a new one.")
        self._task = asyncio.create_task(self._beat(), name="heartbeat")
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _beat(self) -> None:
        try:
            while True:
                self.beats.append(time.perf_counter())
                await asyncio.sleep(self.period)
        finally:
            self._stopped = time.perf_counter()

    def inside(self, t0: float, t1: float) -> int:
        """Return the number of beats strictly between two `time.perf_counter()` values.

        Raises ValueError unless the heart was beating from t0 to t1: a heart that had not
        started yet, or has stopped, would report a silence that is not the loop's.
        """
        return len(self._between(t0, t1))

    def longest_gap(self, t0: float, t1: float) -> float:
        """Return the longest time in seconds without a beat between two instants.

        t0 and t1 count as ends of a gap, so without any beat inside the answer is t1 - t0.
        Raises ValueError like `inside`.
        """
        instants = [t0, *self._between(t0, t1), t1]
        return max(later - earlier for earlier, later in pairwise(instants))

    def _between(self, t0: float, t1: float) -> list[float]:
        if t0 > t1:
            raise ValueError("The first instant must not be later than the second.")
        end = time.perf_counter() if self._stopped is None else self._stopped
        if not self.beats or t0 < self.beats[0] or t1 > end:
            raise ValueError(
                "The heart did not beat during all of this interval; "
                "take both instants inside its `async with` block."
            )
        return self.beats[bisect_right(self.beats, t0) : bisect_left(self.beats, t1)]
