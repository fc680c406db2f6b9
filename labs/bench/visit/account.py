"""What one request did: its trips, its leases, its steps on the loop, put together.

The child tells of leases, queries and steps; the wire tells of trips. A connection's local port
joins them. All times are `time.perf_counter()` seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bench.visit.wire import Trip, shape

Stretch = tuple[float, float]
"""(from, to)"""


@dataclass
class Lease:
    """A connection, from the moment it was asked for until it was given back."""

    port: int
    request: int
    asked: float
    got: float
    back: float
    at: str
    task: int
    """A number of the task or thread that asked."""
    pool: str
    """Whose pool lent it; empty for a connection that was opened by hand."""
    trips: list[Trip] = field(default_factory=list)
    free_since: float = 0.0
    """When the lease before it gave the same connection back; 0 if it was opened for this one."""
    watched: bool = True
    """Whether the proxy stands before this connection, so that its trips are known."""

    @property
    def opened(self) -> bool:
        """Whether the connection was opened for this lease."""
        return any(trip.opening and trip.begin <= self.got for trip in self.trips)

    @property
    def waits(self) -> tuple[float, float, float]:
        """Seconds waited for the pool, for the connection's own trips, and for the loop.

        The pool is what is waited for until the connection that comes was given back. From then
        on it is there: what is not a trip of its own (opening, a ping) is the loop's time.
        """
        own = total((t.begin, t.end or t.begin) for t in self.trips if t.begin < self.got)
        whole = self.got - self.asked
        own = min(own, whole)
        if self.opened:
            return 0.0, own, whole - own
        pool = min(max(0.0, self.free_since - self.asked), whole - own)
        return pool, own, whole - own - pool

    @property
    def idle(self) -> float:
        """Seconds for which it was held without a query under way; 0 if that is not known."""
        return self.idle_except(())

    def idle_except(self, others: Iterable[Stretch]) -> float:
        """The same, without the stretches in which others held the loop: nobody could ask then."""
        if not self.watched:
            return 0.0
        asked = [(t.begin, t.end or self.back) for t in self.trips]
        return max(0.0, self.back - self.got - total(cut([*asked, *others], (self.got, self.back))))


@dataclass(frozen=True)
class Hold:
    """A callback of the loop. `at` is the line in which it was seen, if it lasted."""

    begin: float
    end: float
    request: int
    at: str
    callback: str

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclass(frozen=True)
class Call:
    """A call of SQLite, counted at the driver."""

    at: str
    statement: str
    blocks: bool


@dataclass
class Account:
    """Everything that one request did."""

    number: int
    name: str
    visit: str
    """Which of the visit's own requests it was: "warm", "guest 1", …; empty for anybody else's."""
    status: int
    begin: float
    end: float
    replied: float
    trips: list[Trip] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)
    """{id of a trip: the line that asked for it}"""
    misplaced: list[Trip] = field(default_factory=list)
    """Trips for which the loop's thread waited."""
    leases: list[Lease] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    """(what, line) of coroutines that nobody awaited"""

    @property
    def late(self) -> list[Trip]:
        """Trips that began after the last byte of the reply had gone."""
        return [trip for trip in self.trips if trip.begin > self.replied]

    def by_statement(self) -> list[tuple[int, str, str]]:
        """(how often, statement without its values, line), the most frequent first.

        A trip that opens a connection is no statement.
        """
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for trip in self.trips:
            if not trip.opening:
                text = " + ".join(dict.fromkeys(map(shape, trip.statements))) or "(a message)"
                counts[text, self.lines.get(id(trip), "")] += 1
        for call in self.calls:
            counts[shape(call.statement) or "(a call)", call.at] += 1
        rows = [(count, text, at) for (text, at), count in counts.items()]
        return sorted(rows, key=lambda row: -row[0])

    @property
    def most_at_once(self) -> int:
        """The largest number of connections that it held at one moment."""
        return most_at_once(self.leases)

    @property
    def at_once(self) -> int:
        """The largest number of connections that it held or waited for at one moment."""
        return len(self.crowd)

    @property
    def crowd(self) -> list[Lease]:
        """Those connections, in the order in which they were asked for."""
        asked = sorted(self.leases, key=lambda lease: lease.asked)
        together = ([a for a in asked if a.asked <= one.asked < a.back] for one in asked)
        return max(together, key=len, default=[])

    @property
    def nested(self) -> int:
        """The largest number of connections that one task of it held at one moment."""
        tasks = {lease.task for lease in self.leases}
        return max(
            (most_at_once([a for a in self.leases if a.task == task]) for task in tasks), default=0
        )

    @property
    def in_database(self) -> float:
        return total((t.begin, t.end or t.begin) for t in self.trips)


def accounts(facts: Sequence[dict[str, Any]], trips: Sequence[Trip]) -> list[Account]:
    """The requests that were seen, in the order in which they began, with what belongs to each.

    A trip belongs to the lease that has its connection when it begins. Between two leases it
    belongs to the one that is being lent (opening, a ping), unless it ends a transaction: that is
    the earlier one's, however late.
    """
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for fact in facts:
        kinds[fact["kind"]].append(fact)
    found = {
        fact["request"]: Account(
            fact["request"],
            fact["name"],
            fact["visit"],
            fact["status"],
            fact["begin"],
            fact["end"],
            fact["replied"] or fact["end"],
        )
        for fact in kinds["request"]
    }
    last = max([0.0, *(t.end or t.begin for t in trips), *(a.end for a in found.values())])
    by_port = leases(kinds["lease"], last)
    queries: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for fact in kinds["query"]:
        queries[fact["port"]].append(fact)
    for rows in queries.values():
        rows.sort(key=lambda fact: fact["t"])
    for trip in sorted(trips, key=lambda trip: trip.begin):
        lease = owner(trip, by_port.get(trip.port, []))
        if lease is None:
            continue
        lease.trips.append(trip)
        asked = [q for q in queries[trip.port] if lease.asked <= q["t"] <= trip.begin]
        query = asked[-1] if asked else None
        request = query["request"] if query and query["request"] else lease.request
        if (account := found.get(request)) is None:
            continue
        account.trips.append(trip)
        account.lines[id(trip)] = (query and query["at"]) or lease.at
        if query and query["blocks"]:
            account.misplaced.append(trip)
    ports = {trip.port for trip in trips}
    for lent in by_port.values():
        for one in lent:
            one.watched = one.port in ports
            if one.request in found:
                found[one.request].leases.append(one)
    for fact in kinds["step"]:
        if fact["request"] in found:
            found[fact["request"]].holds.append(hold(fact))
    for fact in kinds["call"]:
        if fact["request"] in found:
            found[fact["request"]].calls.append(Call(fact["at"], fact["sql"], fact["blocks"]))
    for fact in kinds["forgotten"]:
        if fact["request"] in found:
            found[fact["request"]].forgotten.append((fact["what"], fact["at"]))
    for account in found.values():
        account.leases.sort(key=lambda lease: lease.got)
    return sorted(found.values(), key=lambda account: account.begin)


def most_at_once(leases: Sequence[Lease]) -> int:
    return max((sum(a.got <= one.got < a.back for a in leases) for one in leases), default=0)


def hold(fact: dict[str, Any]) -> Hold:
    return Hold(fact["begin"], fact["end"], fact["request"], fact["at"], fact["callback"])


def leases(facts: Iterable[dict[str, Any]], last: float) -> dict[int, list[Lease]]:
    """The leases of each connection, in order; one that was never given back ends at `last`."""
    known: dict[tuple[int, float], dict[str, Any]] = {}
    for fact in facts:  # told twice: when it was lent, and when it came back
        key = fact["port"], fact["got"]
        if fact["back"] is not None or key not in known:
            known[key] = fact
    by_port: dict[int, list[Lease]] = defaultdict(list)
    for fact in sorted(known.values(), key=lambda fact: fact["got"]):
        rest = {
            name: fact[name] for name in ("port", "request", "asked", "got", "at", "task", "pool")
        }
        back = last if fact["back"] is None else fact["back"]
        by_port[fact["port"]].append(Lease(**rest, back=max(back, fact["got"])))
    for rows in by_port.values():
        for before, after in pairwise(rows):
            after.free_since = before.back
    return by_port


_ENDS = ("ROLLBACK", "COMMIT", "DISCARD", "RESET", "SELECT PG_ADVISORY_UNLOCK_ALL")


def owner(trip: Trip, rows: Sequence[Lease]) -> Lease | None:
    """The lease to which a trip on its connection belongs."""
    before = [lease for lease in rows if lease.got <= trip.begin]
    after = [lease for lease in rows if lease.got > trip.begin]
    if before and trip.begin <= before[-1].back:
        return before[-1]
    ends = any(text.strip().upper().startswith(_ENDS) for text in trip.statements)
    if before and ends:
        return before[-1]
    if after and after[0].asked <= trip.begin:
        return after[0]
    return before[-1] if before else None


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time, without overlaps, in order."""
    found: list[Stretch] = []
    for begin, end in sorted(stretches):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found


def total(stretches: Iterable[Stretch]) -> float:
    """Seconds that the stretches cover together; what overlaps counts once."""
    return sum(end - begin for begin, end in merged(stretches))


def cut(stretches: Iterable[Stretch], within: Stretch) -> list[Stretch]:
    """The parts of the stretches that lie within."""
    begin, end = within
    return [(max(a, begin), min(b, end)) for a, b in stretches if max(a, begin) < min(b, end)]
