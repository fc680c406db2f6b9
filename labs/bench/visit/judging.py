"""What is wrong with what a request did: a rule for each finding, and who explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.units import counted
from bench.visit.account import Account

LOOP_HELD = 0.05  # seconds without a pause that other guests feel
IDLE_HELD = 0.05  # seconds for which a connection is held and asks nothing
MANY = 5  # times one statement from one line: more is N + 1
HOUSEKEEPING = ("BEGIN", "COMMIT", "ROLLBACK", "DISCARD", "SELECT PG_ADVISORY_UNLOCK_ALL", ";")
"""What pools and sessions send around each query: not a query of the application."""

WAITED = 0.05  # seconds of waiting for a connection


EXPLAINED = {
    "wrong-place": "async-def-one-at-a-time",
    "loop-held": "blocker-holds-back-later-tasks",
    "n-plus-one": "bulk-ways-need-few-trips",
    "held-idle": "held-connection-starves-menu",
    "nested-lease": "nested-acquire-stops-all",
    "pool-wait": "full-pool-waits-grow",
    "fan-out": "full-pool-waits-grow",
    "opened": "connect-two-or-four-trips",
    "forgotten-await": "forgotten-await-200-no-row",
    "after-reply": "reply-before-the-commit",
    "idle-in-transaction": "forgotten-release-stops-the-pool",
    "failed": "stream-fails-after-its-200",
}
"""{kind of finding: the claim of the course whose run explains it}; the kinds are `--fail-on`'s."""

ORDER = [
    "failed",
    "wrong-place",
    "forgotten-await",
    "nested-lease",
    "loop-held",
    "idle-in-transaction",
    "held-idle",
    "n-plus-one",
    "pool-wait",
    "fan-out",
    "after-reply",
    "opened",
]
"""The most important first."""


@dataclass(frozen=True)
class Fault:
    kind: str
    says: str
    """One sentence: what happened."""
    at: str
    """A line of the application, or empty."""
    amount: float
    """What `--fail-on kind=limit` compares: a count, or milliseconds."""
    do: str
    """What to do."""

    @property
    def explained(self) -> str:
        """The claim of the course whose run explains it."""
        return EXPLAINED[self.kind]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


TIMED = {"loop-held", "held-idle", "pool-wait"}
"""Found by the clock: a busy machine may show one once, so every round has to show it."""


def findings(rounds: Sequence[Sequence[Account]], stuck: int = 0) -> list[Fault]:
    """The findings of all rounds, the most important first; `stuck` sessions stayed open.

    Of one kind and line there is one: with the largest count, or the shortest time.
    """
    seen = [{(one.kind, one.at): one for one in _of(guests)} for guests in rounds]
    found = []
    for key in dict.fromkeys(key for one in seen for key in one):
        same = [one[key] for one in seen if key in one]
        if key[0] not in TIMED:
            found.append(max(same, key=lambda one: one.amount))
        elif len(same) == len(rounds):
            found.append(min(same, key=lambda one: one.amount))
    if stuck:
        says = (
            f"{counted(str(stuck), 'sessions')} stayed idle in a transaction after the last reply."
        )
        do = "Close the session or connection where it was opened: `async with`."
        found.append(Fault("idle-in-transaction", says, "", stuck, do))
    return sorted(found, key=lambda one: (ORDER.index(one.kind), -one.amount))


def _of(guests: Sequence[Account]) -> Iterable[Fault]:
    for rule in RULES:
        yield from rule(guests)


def failed(guests: Sequence[Account]) -> Iterable[Fault]:
    bad = Counter(guest.status for guest in guests if guest.status >= 400 or not guest.status)
    for status, count in bad.items():
        what = f"status {status}" if status else "no reply"
        yield Fault(
            "failed",
            f"{count} of {len(guests)} requests got {what}: what follows is of a failing request.",
            "",
            count,
            "Ask for something that works: headers with -H, a body with --json-body, a login with "
            "--steps. Does it work only once? Write {unique} in the body, or --warm 0.",
        )


def wrong_place(guests: Sequence[Account]) -> Iterable[Fault]:
    places: Counter[str] = Counter()
    lasted: dict[str, float] = {}
    for guest in guests:
        for trip in guest.misplaced:
            at = guest.lines.get(id(trip), "")
            places[at] += 1
            lasted[at] = lasted.get(at, 0.0) + ((trip.end or trip.begin) - trip.begin)
        for call in guest.calls:
            if call.blocks:
                places[call.at] += 1
    for at, count in places.items():
        yield Fault(
            "wrong-place",
            f"{counted(str(count), 'queries')} ran on the event loop's thread and blocked it, for "
            f"{ms(lasted.get(at, 0.0))} together.",
            at,
            count,
            "Use an async driver there, or a `def` route, or `run_in_threadpool`.",
        )


def forgotten(guests: Sequence[Account]) -> Iterable[Fault]:
    places = Counter(one for guest in guests for one in guest.forgotten)
    for (what, at), count in places.items():
        yield Fault(
            "forgotten-await", f"{count} × {what}.", at, count, "Write `await` before that call."
        )


def held_loop(guests: Sequence[Account]) -> Iterable[Fault]:
    longest: dict[str, float] = {}
    counts: Counter[str] = Counter()
    for guest in guests:
        misplaced = {guest.lines.get(id(trip), "") for trip in guest.misplaced}
        for hold in guest.holds:
            if hold.seconds >= LOOP_HELD and hold.at not in misplaced:
                longest[hold.at] = max(longest.get(hold.at, 0.0), hold.seconds)
                counts[hold.at] += 1
    for at, seconds in longest.items():
        yield Fault(
            "loop-held",
            f"The loop was held for {ms(seconds)} without a pause, {counts[at]} times; nobody else "
            "was served meanwhile.",
            at,
            seconds * 1000,
            "Hand that work to a thread, or to a process if it computes.",
        )


def n_plus_one(guests: Sequence[Account]) -> Iterable[Fault]:
    most: dict[tuple[str, str], int] = {}
    for guest in guests:
        for count, text, at in guest.by_statement():
            if count >= MANY and not text.upper().startswith(HOUSEKEEPING):
                most[text, at] = max(most.get((text, at), 0), count)
    for (text, at), count in most.items():
        yield Fault(
            "n-plus-one",
            f"One request asked the same {count} times: {text[:80]}{'…' * (len(text) > 80)}",
            at,
            count,
            "Ask once for all rows: a join, `= any($1)`, or `selectinload`.",
        )


def held_idle(guests: Sequence[Account]) -> Iterable[Fault]:
    longest: dict[str, float] = {}
    for guest in guests:
        others = [
            (hold.begin, hold.end) for one in guests if one is not guest for hold in one.holds
        ]
        for lease in guest.leases:
            if (idle := lease.idle_except(others)) >= IDLE_HELD:
                longest[lease.at] = max(longest.get(lease.at, 0.0), idle)
    for at, seconds in longest.items():
        yield Fault(
            "held-idle",
            f"A connection was held for {ms(seconds)} while it had nothing to do.",
            at,
            seconds * 1000,
            "Give it back before you call somebody else, compute, or stream.",
        )


def nested(guests: Sequence[Account]) -> Iterable[Fault]:
    guest = max(guests, key=lambda guest: guest.nested, default=None)
    if guest and guest.nested > 1:
        yield Fault(
            "nested-lease",
            f"One task held {guest.nested} connections at the same time: when the pool is full, "
            "such tasks wait for each other for ever.",
            next((lease.at for lease in guest.leases[1:] if lease.at), ""),
            guest.nested,
            "Hand the first connection on, or give it back first.",
        )


def fan_out(guests: Sequence[Account]) -> Iterable[Fault]:
    guest = max(guests, key=lambda guest: guest.at_once, default=None)
    if guest and guest.at_once > max(1, guest.nested):
        yield Fault(
            "fan-out",
            f"One request asked for {guest.at_once} connections at the same time.",
            next((lease.at for lease in reversed(guest.crowd) if lease.at), ""),
            guest.at_once,
            "Count a guest as that many when you size the pool, or ask in sequence.",
        )


def waited(guests: Sequence[Account]) -> Iterable[Fault]:
    longest = max((lease.waits[0] for guest in guests for lease in guest.leases), default=0.0)
    if longest >= WAITED:
        yield Fault(
            "pool-wait",
            f"A request waited {ms(longest)} for a connection that somebody else held.",
            "",
            longest * 1000,
            "Shorten what holds them first (above); then think about the pool's size.",
        )


def after_reply(guests: Sequence[Account]) -> Iterable[Fault]:
    late = Counter(
        (text, guest.lines.get(id(trip), ""))
        for guest in guests
        for trip in guest.late
        for text in trip.statements
        if text.strip().upper().startswith(("COMMIT", "INSERT", "UPDATE", "DELETE"))
    )
    for (text, at), count in late.items():
        yield Fault(
            "after-reply",
            f"{count} × {text.split()[0].upper()} went out after the reply: if it fails, the guest "
            "has a success already.",
            at,
            count,
            'Commit in the route, or give the dependency scope="function".',
        )


def opened(guests: Sequence[Account]) -> Iterable[Fault]:
    fresh = [lease for guest in guests for lease in guest.leases if lease.opened]
    if fresh and all(any(lease.opened for lease in guest.leases) for guest in guests):
        trips = max(sum(trip.opening for trip in lease.trips) for lease in fresh)
        yield Fault(
            "opened",
            f"Every request opened a connection, {trips} round trips before its first query.",
            fresh[0].at,
            len(fresh),
            "Open a pool in the lifespan; with SQLAlchemy, make the engine once.",
        )


RULES: tuple[Callable[[Sequence[Account]], Iterable[Fault]], ...] = (
    failed,
    wrong_place,
    forgotten,
    held_loop,
    n_plus_one,
    held_idle,
    nested,
    fan_out,
    waited,
    after_reply,
    opened,
)
