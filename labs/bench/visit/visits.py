"""One visit, from the start of the application to what was seen."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import statistics
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import asyncpg

from bench.instruments.gates import until
from bench.units import counted
from bench.visit.account import Account, Hold, accounts, hold
from bench.visit.application import Application, NoReply, VisitError, hidden, running
from bench.visit.asking import PATIENCE, Guests, Request
from bench.visit.judging import Fault, findings
from bench.visit.settings import filled
from bench.visit.wire import Trip, Wire

AFTERMATH = 0.3  # seconds in which something may still follow the last reply
REPEATS = 5  # of the request, to tell what the instruments cost


@dataclass(frozen=True)
class Plan:
    """What is to be visited, and how."""

    app: str
    steps: Sequence[Request]
    """The last one is measured; the others come before it, each once."""
    python: str
    folder: Path
    dsn: str = ""
    """Of the application's PostgreSQL; empty: no proxy stands between."""
    templates: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)
    guests: int = 1
    warm: int = 3
    rounds: int = 3
    """How often all guests ask. What depends on time is a finding only if every round shows it."""
    rtt: float = 0.0
    """Seconds added to each round trip to the database."""
    loop: str = "asyncio"
    setup: str = ""
    """A command that runs before, in the application's folder and surroundings."""
    cost: bool = True
    """Whether to tell what the instruments cost, for a request that changes nothing."""

    @property
    def request(self) -> Request:
        return self.steps[-1]


@dataclass(frozen=True)
class Visit:
    """What was seen."""

    plan: Plan
    rounds: list[list[Account]]
    """The measured requests of each round, in the order in which they began."""
    findings: list[Fault]
    alone: list[Hold]
    """Long callbacks of the loop that belong to no request."""
    nobodys: list[Trip]
    """Trips while the requests ran that belong to none of them."""
    forgotten: int
    drivers: list[str]
    unknown: list[str]
    """Drivers that are imported and not understood."""
    past: list[str]
    """Drivers that also asked a database which the proxy does not stand before."""
    unwatched: list[str]
    """Drivers that are understood, but not in the version installed."""
    about: dict[str, str]
    began: float
    before: int
    """Sessions that were idle in a transaction before the measured request."""
    cost: tuple[float, float] | None = None
    """Seconds of one request alone, without and with the instruments; medians."""

    @property
    def sqlite_only(self) -> bool:
        """Whether the one database that was asked needs no proxy to be seen."""
        return set(self.drivers) <= {"sqlite3", "aiosqlite"}

    @property
    def guests(self) -> list[Account]:
        """The requests of the last round: those that are told in detail."""
        return self.rounds[-1]


async def visit(plan: Plan, tell: Callable[[str], object] = lambda _: None) -> Visit:
    """Start the application, ask, stop it, and join what was seen; `tell` hears of each step.

    Nothing is left running. Raises VisitError when the application does not start, does not reply,
    or cannot reach its database.
    """
    tell(f"Starting {plan.app} …")
    async with visiting(plan) as inside:
        often = (plan.warm + plan.rounds) * plan.guests
        tell(f"Asking {counted(str(often), 'times')}: {plan.request} …")
        await inside.warm_up(plan.steps[:-1])
        seen = await inside.measure(plan.request)
        if plan.cost and plan.request.safe:
            tell("Asking again without the instruments …")
            return replace(seen, cost=await _cost(plan, inside.env))
        return seen


@asynccontextmanager
async def visiting(plan: Plan) -> AsyncIterator[Visiting]:
    """The plan's application, running with the proxy before its database, until the block ends."""
    wire: Wire | None = None
    try:
        async with AsyncExitStack() as stack:
            wire = await stack.enter_async_context(_wire(plan))
            env = filled(plan.templates, wire.dsn, plan.was) if wire else {}
            if not wire:
                env = {name: text for name, text in plan.templates.items() if "{" not in text}
            if plan.setup:
                await asyncio.to_thread(_set_up, plan, env)
            app = await stack.enter_async_context(started(plan, env))
            guests = await stack.enter_async_context(Guests(app.url))
            yield Visiting(plan, app, wire, guests, env)
    except VisitError as problem:
        if wire and wire.refused_tls:
            raise VisitError(
                "The application asks for TLS, and a counting proxy cannot read what is encrypted. "
                "Switch TLS off for the visit (sslmode=disable, ssl=False), on a copy of the "
                "database."
            ) from None
        if isinstance(problem, NoReply) and app.log:  # it has ended by now: the log is complete
            raise VisitError(f"{problem}\nThe end of its log:\n{app.log}") from None
        raise


@dataclass
class Visiting:
    """A visit under way: it can measure several requests of one application."""

    plan: Plan
    app: Application
    wire: Wire | None
    guests: Guests
    env: Mapping[str, str]

    async def warm_up(self, steps: Sequence[Request]) -> None:
        """Send each of these once, in order; what they keep is there for what follows."""
        for step in steps:
            await self.guests.step(step)

    async def measure(self, request: Request, guests: int = 0) -> Visit:
        """The request by that many guests (the plan's, if left out), warmed and in all rounds."""
        count, plan = guests or self.plan.guests, self.plan
        for _ in range(plan.warm):  # as many at once as later: pools open what they will need
            answers = await self.guests.at_once(request, count)
            if all(answer.status >= 500 for answer in answers):
                raise NoReply(
                    f"{request}: status {answers[0].status}. The application fails, so there is "
                    "nothing to see."
                )
            for answer in answers:
                if answer.status in (307, 308):  # the same request, but elsewhere
                    raise VisitError(
                        f"{request}: status {answer.status}, a redirect to {answer.leads_to}. "
                        "Ask for that path instead."
                    )
                if answer.status in (401, 403, 404, 405, 422):
                    raise VisitError(
                        f"{request}: status {answer.status}, so there is nothing to see. "
                        "A login: -H or --steps. A body: --json-body."
                    )
        before = await _idle_in_transaction(plan.dsn, self.wire)
        began = perf_counter()
        for _ in range(plan.rounds):
            await self.guests.at_once(request, count)
            await _finished(self.app, self.guests.sent)
        await asyncio.sleep(AFTERMATH + 2 * plan.rtt)  # what follows a reply has no event
        if self.wire and not self.wire.log and (drivers := asked_past(self.app, self.wire)):
            raise VisitError(
                f"The application asked its database through {', '.join(drivers)}, but not through "
                f"the proxy: {' and '.join(plan.templates)} did not lead there. Does the address "
                "stand in the code, or in a file that the application reads? Let the variable win."
            )
        idle = await _idle_in_transaction(plan.dsn, self.wire)
        log = list(self.wire.log) if self.wire else []
        asked = replace(plan, steps=[*plan.steps[:-1], request], guests=count)
        past = asked_past(self.app, self.wire) if self.wire else []
        return _seen(self.app, asked, log, began, idle - before, before, past)


def started(
    plan: Plan, env: Mapping[str, str], instruments: bool = True
) -> AbstractAsyncContextManager[Application]:
    return running(
        plan.app,
        python=plan.python,
        folder=plan.folder,
        env=env,
        loop=plan.loop,
        instruments=instruments,
    )


@asynccontextmanager
async def _wire(plan: Plan) -> AsyncIterator[Wire | None]:
    if not plan.dsn:
        yield None
        return
    try:
        await (await asyncpg.connect(plan.dsn, timeout=10, ssl=False)).close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise VisitError(
            f"The database does not let us in: {hidden(str(error))}. Is --dsn its address, and "
            "does it run?"
        ) from None
    wire = Wire(plan.dsn, plan.rtt)
    async with wire:
        yield wire


def asked_past(app: Application, wire: Wire) -> list[str]:
    """The drivers that sent a query over a connection which the proxy does not know."""
    known = {trip.port for trip in wire.log}
    past = {
        str(fact["driver"])
        for fact in app.facts
        if fact["kind"] == "query" and fact["port"] not in known
    }
    return sorted(past)


def _set_up(plan: Plan, env: Mapping[str, str]) -> None:
    tools = os.pathsep.join([str(Path(plan.python).parent), plan.was.get("PATH", os.defpath)])
    words = shlex.split(plan.setup, posix=os.name != "nt")  # a backslash of Windows stays
    command = shutil.which(words[0], path=tools)
    if command is None:
        raise VisitError(f"--setup {plan.setup!r}: there is no {words[0]} beside {plan.python}.")
    done = subprocess.run(
        [command, *words[1:]],
        cwd=plan.folder,
        env={**plan.was, **env, "PATH": tools},  # its own alembic comes first
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise VisitError(f"--setup {plan.setup!r} failed:\n{hidden(done.stderr[-1500:])}")


async def _finished(app: Application, sent: int) -> None:
    """Wait until the child has told the end of every request that was sent."""

    def told() -> bool:
        return sum(f["kind"] == "request" and f["visit"] != "" for f in app.facts) >= sent

    try:
        await until(told, PATIENCE, what="the application to be done with the requests")
    except TimeoutError as error:
        raise VisitError(f"{error}: a background task may still run.") from None


async def _idle_in_transaction(dsn: str, wire: Wire | None) -> int:
    """How many of the application's sessions do nothing inside a transaction."""
    if wire is None:
        return 0
    desk = await asyncpg.connect(dsn, timeout=10, ssl=False)
    try:
        count: int = await desk.fetchval(
            "select count(*) from pg_stat_activity where state like 'idle in transaction%' "
            "and client_port = any($1::int[])",
            [*wire.server_ports],
        )
        return count
    finally:
        await desk.close()


async def _cost(plan: Plan, env: Mapping[str, str]) -> tuple[float, float]:
    """The request alone, without and with instruments: medians, in processes of their own."""
    medians = []
    for instruments in (False, True):
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(started(plan, env, instruments))
            guests = await stack.enter_async_context(Guests(app.url))
            for step in plan.steps[:-1]:
                await guests.step(step)
            took = [(await guests.send(plan.request, "cost")).seconds for _ in range(REPEATS + 2)]
            medians.append(statistics.median(took[2:]))
    return medians[0], medians[1]


def _seen(
    app: Application,
    plan: Plan,
    log: list[Trip],
    began: float,
    idle: int,
    before: int,
    past: list[str],
) -> Visit:
    every = accounts(app.facts, log)
    asked = [one for one in every if one.visit.startswith("guest") and one.begin >= began]
    rounds = [asked[n : n + plan.guests] for n in range(0, len(asked), plan.guests)]
    owned = {id(trip) for account in every for trip in account.trips}
    steps = [hold(fact) for fact in app.facts if fact["kind"] == "step" and not fact["request"]]
    drivers = [str(fact["name"]) for fact in app.facts if fact["kind"] == "driver"]
    return Visit(
        plan,
        rounds,
        findings(rounds, max(0, idle)),
        [one for one in steps if one.begin >= began],
        [trip for trip in log if trip.begin >= began and id(trip) not in owned],
        sum(fact["kind"] == "forgotten" for fact in app.facts),
        drivers,
        app.about.get("unknown", []),
        past,
        [f"{f['driver']} ({f['error']})" for f in app.facts if f["kind"] == "unwatched"],
        {name: app.about[name] for name in ("python", "uvicorn")},
        began,
        before,
    )
