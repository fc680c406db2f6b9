"""What a visit tells in a terminal, and as JSON for a pipeline."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.claim_index import claim_homes
from bench.course import COURSE, lesson_of
from bench.units import counted
from bench.visit.account import Account
from bench.visit.judging import EXPLAINED, Fault, ms
from bench.visit.visits import Visit

TOP = 6  # statements and holds that are listed
LISTED = 0.004  # seconds: shorter holds are summed up


@functools.cache
def _homes() -> dict[str, Path]:
    return claim_homes()


def explained(finding: Fault) -> str:
    """Where the course explains it: the lesson and the run."""
    home = _homes()[EXPLAINED[finding.kind]]
    return f"lesson {int(lesson_of(home))}: {home.relative_to(COURSE).as_posix()}"


def told(visit: Visit) -> str:
    """The report, most important first."""
    return "\n".join([*_head(visit), "", *_findings(visit), "", *_one(visit), "", *_foot(visit)])


def _head(visit: Visit) -> list[str]:
    guests, plan = visit.guests, visit.plan
    slowest = max(guest.replied - guest.begin for guest in guests)
    far = f", {plan.rtt * 1000:g} ms to the database" if plan.rtt else ""
    line = f"{plan.request} · {counted(str(len(guests)), 'guests')} at once{far}"
    trips = sorted({len(guest.trips) for guest in guests})
    calls = sorted({len(guest.calls) for guest in guests})
    what = [counted(_span(trips), "round trips")] * bool(plan.dsn)
    what += [f"{counted(_span(calls), 'calls')} of SQLite"] * any(calls)
    seen = ", ".join(what) or "no round trips seen (no PostgreSQL named)"
    return [line, f"the slowest reply after {ms(slowest)}; each request: {seen}"]


def _span(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _findings(visit: Visit) -> list[str]:
    if not visit.findings and visit.drivers and not visit.plan.dsn and not visit.sqlite_only:
        return [
            "Nothing found, but the database was out of sight: no round trip was counted (--env)."
        ]
    if not visit.findings:
        return ["Nothing found: no rule of this visit is broken by this request."]
    lines = [f"{counted(str(len(visit.findings)), 'findings')}, the most important first:"]
    for number, one in enumerate(visit.findings, 1):
        lines += _wrapped(f"{number}. [{one.kind}] {one.says}", 3)
        lines += [f"   at {one.at}"] * bool(one.at)
        lines += _wrapped(f"   Do: {one.do}", 3)
        if one.kind != "failed":
            lines += [f"   Why: {explained(one)}"]
    return lines


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, 100, subsequent_indent=" " * indent, break_long_words=False)


def _one(visit: Visit) -> list[str]:
    """The slowest guest in detail."""
    guest = max(visit.guests, key=lambda one: one.replied - one.begin)
    return [
        f"The slowest, {guest.visit}: {guest.name} → {guest.status} after "
        f"{ms(guest.replied - guest.begin)}; the application was done with it after "
        f"{ms(guest.end - guest.begin)}.",
        *_trips(guest, bool(visit.plan.dsn)),
        *_leases(guest),
        *_loop(guest, visit),
    ]


def _trips(guest: Account, proxied: bool) -> list[str]:
    late = f"; {len(guest.late)} of them after the reply" * bool(guest.late)
    lines = [
        f"  round trips   {len(guest.trips)}, together {ms(guest.in_database)}{late}"
    ] * proxied
    lines += ["  calls of SQLite"] * (not proxied and bool(guest.calls))
    for count, text, at in guest.by_statement()[:TOP]:
        lines += [f"    {count:4} × {text[:84]}{'…' * (len(text) > 84)}"]
        lines += [f"           {at or '(the driver or the pool)'}"]
    return lines


def _leases(guest: Account) -> list[str]:
    if not guest.leases:
        return []
    pool, own, loop = (
        sum(waits) for waits in zip(*(one.waits for one in guest.leases), strict=True)
    )
    held = sum(lease.back - lease.got for lease in guest.leases)
    idle = sum(lease.idle for lease in guest.leases)
    unused = f", of which {ms(idle)} without a query" * all(one.watched for one in guest.leases)
    return [
        f"  connections   {len(guest.leases)} lent, at most {guest.most_at_once} at once; held "
        f"{ms(held)}{unused}",
        f"  waited        {ms(pool)} for the pool, {ms(own)} while one was opened or tested, "
        f"{ms(loop)} for the loop",
    ]


def _loop(guest: Account, visit: Visit) -> list[str]:
    if visit.plan.loop != "asyncio":
        return [f"  the loop      not seen: {visit.plan.loop} has callbacks of its own"]
    lines = [
        f"  the loop      held {ms(sum(one.seconds for one in guest.holds))} in "
        f"{counted(str(len(guest.holds)), 'steps')}"
    ]
    for one in sorted(guest.holds, key=lambda one: -one.seconds)[:3]:
        if one.seconds >= LISTED:
            lines += [
                f"    {ms(one.seconds)} without a pause: {one.at or one.callback or '(not seen)'}"
            ]
    return lines


def _foot(visit: Visit) -> list[str]:
    about = visit.about
    lines = [
        f"Python {about['python']}, uvicorn {about['uvicorn']}, drivers: "
        f"{', '.join(visit.drivers) or 'none was used'}."
    ]
    if visit.unknown:
        lines += [f"Not understood, so nothing is said about it: {', '.join(visit.unknown)}."]
    if visit.past:
        lines += [f"Some queries of {', '.join(visit.past)} went past the proxy: not counted."]
    if visit.unwatched:
        lines += [f"Of these only the round trips are seen: {'; '.join(visit.unwatched)}."]
    if visit.nobodys:
        lines += [f"{len(visit.nobodys)} round trips belong to no request (a pool's own, a task)."]
    if visit.before:
        lines += [f"{visit.before} sessions were idle in a transaction already before the request."]
    if visit.cost:
        plain, watched = visit.cost
        lines += [
            f"The instruments: one request alone takes {ms(plain)} without them, {ms(watched)} "
            f"with them (medians)."
        ]
    return lines


def as_json(visit: Visit) -> dict[str, Any]:
    """The same for a program. Times are milliseconds; statements have no values."""
    return {
        "format": "async-course/visit/1",
        "request": str(visit.plan.request),
        "rtt_ms": visit.plan.rtt * 1000,
        "drivers": visit.drivers,
        "not_understood": visit.unknown,
        "instruments_ms": [round(one * 1000, 3) for one in visit.cost or ()],
        "findings": [
            {
                "kind": one.kind,
                "says": one.says,
                "at": one.at,
                "amount": round(one.amount, 3),
                "do": one.do,
                "explained": explained(one),
            }
            for one in visit.findings
        ],
        "guests": [_guest(guest) for guest in visit.guests],
    }


def _guest(guest: Account) -> dict[str, Any]:
    def milliseconds(seconds: float) -> float:
        return round(seconds * 1000, 3)

    return {
        "name": guest.visit,
        "status": guest.status,
        "replied": milliseconds(guest.replied - guest.begin),
        "done": milliseconds(guest.end - guest.begin),
        "trips": len(guest.trips),
        "trips_after_reply": len(guest.late),
        "in_database": milliseconds(guest.in_database),
        "statements": [
            {"count": count, "statement": text, "at": at}
            for count, text, at in guest.by_statement()
        ],
        "connections": [
            {
                "at": lease.at,
                "waited_pool": milliseconds(lease.waits[0]),
                "waited_opening": milliseconds(lease.waits[1]),
                "waited_loop": milliseconds(lease.waits[2]),
                "held": milliseconds(lease.back - lease.got),
                "held_idle": milliseconds(lease.idle),
            }
            for lease in guest.leases
        ],
        "most_at_once": guest.most_at_once,
        "loop_held": milliseconds(sum(one.seconds for one in guest.holds)),
        "calls": len(guest.calls),
    }


def beyond(visit: Visit, limits: Mapping[str, float]) -> list[Fault]:
    """The findings that a pipeline does not accept: of these kinds, from these amounts on."""
    return [one for one in visit.findings if one.kind in limits and one.amount >= limits[one.kind]]
