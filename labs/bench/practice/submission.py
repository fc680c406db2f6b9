"""The submitted app as a lab's checks see it: served, asked, and waited for with fair patience.

A check is an async pytest test. It asks the app and asserts; its assert message is what the
learner reads. Two more things can happen, and neither is the learner's wrong answer to the check:

- `CodeRaised`: the submitted code raised something, or ended the server;
- any other exception: the laboratory itself did not work.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg

from bench.instruments.gates import Gate
from bench.instruments.http_client import Client, Reply
from bench.practice.printed_outcomes import ENDED_BY_A_ROUTE, ENDED_IN_THE_IMPORT
from bench.practice.raised_code import CodeRaised
from bench.servers.serving import serve

PATIENCE = 3.0  # seconds, at least, before "no answer" is believed
LONG = 20.0  # the same where an answer is expected from nearly everybody
# `bench.practice.served_file` answers these beside the submitted app.
BEAT, LATER, CANCEL = (f"/.well-known/{word}" for word in ("beat", "later", "cancel"))
TURNS = 400  # questions that PostgreSQL has to answer meanwhile

_open: list[Path] = []  # the diaries of the servers that run
_held: dict[int, str] = {}  # lines that have held a loop, and their code


@dataclass(frozen=True)
class Submission:
    """The submitted app, served by uvicorn in a process of its own. Made by `served`.

    `dsn` is the kitchen's database and `kitchen` a connection to it, which belongs to the checks.
    """

    dsn: str
    kitchen: asyncpg.Connection
    client: Client
    diary: Path
    stood_still: list[str] = field(default_factory=list)

    async def comes(
        self, condition: Callable[[], bool | Awaitable[bool]], seconds: float = PATIENCE
    ) -> bool:
        """Wait until `condition()` is true; return False when that will not happen any more.

        For what a correct app does at once. Time alone never decides, so a slow machine cannot
        fail a correct app: `seconds` have to pass, and PostgreSQL has to answer TURNS questions
        one after the other meanwhile. A machine with time for those has time for one reply.
        """
        start, turns = perf_counter(), 0
        while True:
            over = turns >= TURNS and perf_counter() - start >= seconds
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer or over:
                return bool(answer)
            await asyncio.sleep(0.005)
            await self.kitchen.fetchval("select 1")
            turns += 1

    async def ask(
        self, path: str, seconds: float = PATIENCE, *, may_fail: bool = False
    ) -> Reply | None:
        """GET `path`; None when no answer comes (see `comes`).

        Unless it `may_fail`, only status 200 is returned: a 500 raises CodeRaised, and another
        status AssertionError.
        """
        async with self.sent(path) as [request]:
            if not await self.comes(request.done, seconds):
                return None
            return await self.checked(request, path, may_fail=may_fail)

    async def beats(self) -> bool:
        """Whether the submission's event loop still turns: it answers a request of ours.

        The submitted app does not see that request. False when no answer comes (see `comes`).
        """
        async with self.sent(BEAT) as [beat]:
            return await self.comes(beat.done)

    async def later(self, seconds: float) -> None:
        """Put the clock of the submission's loop forward, and wait until its timers have noticed.

        So a time limit of the submission passes at once. The database keeps its own time.
        """
        await self.client.get(f"{LATER}?{seconds}")

    async def cancel(self) -> None:
        """Cancel every request that the submission serves. One whose cancellation passes on is
        answered with status 500, by the server.
        """
        await self.client.get(CANCEL)

    @asynccontextmanager
    async def sent(self, path: str, times: int = 1) -> AsyncIterator[list[asyncio.Task[Reply]]]:
        """Send GET `path` so many times at once. What is unanswered at the end is given up."""
        requests = [asyncio.create_task(self.client.get(path)) for _ in range(times)]
        try:
            yield requests
        finally:
            for request in requests:
                request.cancel()
            await asyncio.gather(*requests, return_exceptions=True)

    async def checked(
        self, request: Awaitable[Reply], path: str, *, may_fail: bool = False
    ) -> Reply:
        """Wait for the reply, however long it takes. Raises as `ask` does."""
        try:
            reply = await request
        except ConnectionError:
            end = ENDED_BY_A_ROUTE.format(path=path)
            raise CodeRaised(await self._raised() or nothing_raised(end)) from None
        except ValueError as error:  # it has no Content-Length
            raise AssertionError(f"{error} Return plain data, as the starter does.") from None
        if reply.status == 500 and not may_fail and (entry := await self._raised()):
            raise CodeRaised(entry)
        assert reply.status == 200 or may_fail, (
            f"GET {path} answered with status {reply.status}. It must stay what it was: status 200."
        )
        return reply

    async def at_gate(self, gate: Gate, wanted: int) -> int:
        """Wait until `wanted` queries wait at the gate; return how many do.

        Fewer, when no further one comes: the patience begins anew with each that arrives.
        """
        seen = 0

        async def grown() -> bool:
            nonlocal seen
            before, seen = seen, await gate.waiting()
            return seen > before

        while seen < wanted and await self.comes(grown):
            pass
        if not await self.beats():
            self.stood_still.append("queries wait in the database")
        return seen

    def check_the_loop(self) -> None:
        """Raise AssertionError if the loop stood still in this check; the plugin calls it."""
        while self.stood_still:
            raise AssertionError(
                f"All else is right in this check, but while {self.stood_still.pop()}, the server "
                "gave no answer to anybody else. Some call blocks the event loop."
            )

    def check_the_lines(self) -> None:
        """Raise AssertionError if a line of the submitted file has held a loop so far.

        Any submission's loop counts, in any check: a route that was refused or tried again, too.
        """
        for diary in _open:
            remember_held(diary)
        for line, code in sorted(_held.items()):
            raise AssertionError(
                f"Line {line}, `{code}`, holds the event loop for a tenth of a second at least: it "
                "waits without `await`. Until it goes on, the server answers nobody, whoever asks."
            )

    async def _raised(self) -> dict[str, Any] | None:
        """The diary's last error. It is noted after the reply is sent, so wait a little."""
        await self.comes(lambda: last_error(self.diary) is not None)
        return last_error(self.diary)


@asynccontextmanager
async def served(dsn: str, **env: str) -> AsyncIterator[Submission]:
    """Serve the submitted file with the environment `env`, until the block ends.

    Raises CodeRaised when the file cannot be imported or its app does not start.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        diary = Path(folder) / "diary"
        diary.touch()
        limit = float(os.environ.get("LAB_LIMIT", "120"))  # whoever runs the checks gives up first
        try:
            server = serve(
                "bench.practice.served_file:app",
                env={**env, "LAB_DIARY": str(diary)},
                patience=2 * limit,
            )
            async with server as running, Client(running.url) as client:
                kitchen = await asyncpg.connect(dsn)
                _open.append(diary)
                try:
                    yield Submission(dsn, kitchen, client, diary)
                finally:
                    _open.remove(diary)
                    remember_held(diary)
                    await kitchen.close()
        except RuntimeError as error:
            if entry := last_error(diary) or ended(diary):
                raise CodeRaised(entry) from error
            raise


def said(reply: Reply) -> Any:
    """What a reply says: its JSON, or its text when it is no JSON. A check can compare either."""
    try:
        return reply.json()
    except ValueError:
        return reply.body.decode(errors="replace")


def entries(diary: Path) -> list[dict[str, Any]]:
    lines = diary.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]  # not one half written


def remember_held(diary: Path) -> None:
    _held.update({entry["line"]: entry["code"] for entry in entries(diary) if "held" in entry})


def last_error(diary: Path) -> dict[str, Any] | None:
    return next((entry for entry in reversed(entries(diary)) if "raised" in entry), None)


def ended(diary: Path) -> dict[str, Any] | None:
    """The server went away in the middle of the import, without an exception."""
    if [key for entry in entries(diary) for key in entry] != ["importing"]:
        return None
    return nothing_raised(ENDED_IN_THE_IMPORT)


def nothing_raised(message: str) -> dict[str, Any]:
    return {"raised": "no exception", "message": message, "line": None, "code": ""}
