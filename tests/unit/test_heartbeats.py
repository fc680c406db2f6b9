"""The instrument `heartbeats`: silence means that the loop stood still, and only that."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from bench.instruments.gates import until
from bench.instruments.heartbeats import Heartbeat


def test_a_free_loop_beats_and_a_blocked_loop_does_not():
    async def main():
        async with Heartbeat(0.001) as heart:
            t0 = time.perf_counter()
            await until(lambda: len(heart.beats) >= 20)
            t1 = time.perf_counter()
            threading.Event().wait(0.05)  # holds the loop
            t2 = time.perf_counter()
            assert heart.inside(t0, t1) >= 18  # the first may fall before t0, the last on t1
            assert heart.inside(t1, t2) == 0
            assert heart.longest_gap(t1, t2) == t2 - t1 >= 0.95 * 0.05
            assert heart.longest_gap(t0, t2) >= t2 - t1

    asyncio.run(main())


def test_it_counts_strictly_between_and_takes_the_ends_into_the_gaps():
    async def main():
        async with Heartbeat() as heart:
            base = heart.beats[0]
            heart.beats.extend([base + 1, base + 2, base + 4])
            heart._stopped = base + 10  # as if it had beaten until then
            assert heart.inside(base, base + 4) == 2
            assert heart.inside(base, base + 4.5) == 3
            assert heart.inside(base + 1, base + 1) == 0
            assert heart.longest_gap(base, base + 4) == 2
            assert heart.longest_gap(base + 2.5, base + 3) == 0.5
            assert heart.longest_gap(base, base + 10) == 6

    asyncio.run(main())


def test_it_beats_before_the_body_starts():
    async def main():
        async with Heartbeat(3600) as heart:
            assert len(heart.beats) == 1
            now = time.perf_counter()
            assert heart.inside(now, now) == 0

    asyncio.run(main())


@pytest.mark.parametrize("error", [None, ValueError, asyncio.CancelledError])
def test_the_task_ends_with_the_block_and_the_beats_stay(error):
    instants = []

    async def body(heart):
        async with heart:
            instants.append(time.perf_counter())
            await until(lambda: len(heart.beats) >= 3)
            instants.append(time.perf_counter())
            if error:
                raise error

    async def main():
        heart = Heartbeat(0.001)
        outcome = asyncio.create_task(body(heart))
        await asyncio.wait([outcome])
        if error is asyncio.CancelledError:
            assert outcome.cancelled()
        else:
            assert type(outcome.exception()) is (error or type(None))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        t0, t1 = instants
        assert heart.inside(t0, t1) == sum(t0 < beat < t1 for beat in heart.beats) > 0
        with pytest.raises(RuntimeError, match="make a new one"):
            await heart.__aenter__()

    asyncio.run(main())


def test_an_interval_outside_its_life_is_refused():
    async def main():
        early = time.perf_counter()
        async with Heartbeat() as heart:
            now = time.perf_counter()
            for t0, t1 in ((early, now), (now, now + 3600)):
                with pytest.raises(ValueError, match="did not beat during all"):
                    heart.inside(t0, t1)
                with pytest.raises(ValueError, match="did not beat during all"):
                    heart.longest_gap(t0, t1)
            with pytest.raises(ValueError, match="not be later"):
                heart.inside(now, early)
        with pytest.raises(ValueError, match="did not beat during all"):
            heart.inside(now, time.perf_counter())

    asyncio.run(main())


def test_a_heart_that_somebody_else_cancelled_does_not_report_silence():
    async def main():
        async with Heartbeat() as heart:
            (task,) = asyncio.all_tasks() - {asyncio.current_task()}
            task.cancel()
            await until(task.done)
            t0 = time.perf_counter()
            with pytest.raises(ValueError, match="did not beat during all"):
                heart.inside(t0, time.perf_counter())

    asyncio.run(main())


@pytest.mark.parametrize("period", [0, -1, float("nan")])
def test_the_period_must_be_positive(period):
    with pytest.raises(ValueError, match="more than 0"):
        Heartbeat(period)
