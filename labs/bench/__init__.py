"""The instruments of the course: `from bench import claim, Gate, Postgres, …`.

Names are looked up when they are first used, so `from bench import claim` needs nothing but the
standard library, also in the reader's browser.
"""

from __future__ import annotations

from importlib import import_module

_HOME = {
    "Postgres": "servers.postgres",
    "PostgresUnavailable": "servers.unavailable",
    "Gate": "instruments.gates",
    "until": "instruments.gates",
    "run_virtual": "instruments.virtual",
    "VirtualDeadlock": "instruments.virtual",
    "Heartbeat": "instruments.heartbeats",
    "LoopTrace": "instruments.looptrace",
    "blocking": "instruments.steps",
    "waiting_for": "instruments.steps",
    "RoundTrips": "instruments.roundtrips",
    "Wiretap": "instruments.wiretap",
    "LOOP_RULES": "instruments.loop_rules",
    "AsyncioLoop": "instruments.loop_rules",
    "broken_rules": "instruments.loop_rules",
    "serve": "servers.serving",
    "Client": "instruments.http_client",
    "closed_loop": "instruments.load_generators",
    "makespan": "instruments.load_generators",
    "open_loop": "instruments.load_generators",
    "recorded": "traces.recordings",
    "timeline_setup": "traces.recordings",
    "claim": "claims",
    "ClaimFailed": "claims",
    "staircase": "figures.charts",
    "timeline": "traces.timelines",
    "bars": "figures.charts",
    "sweep": "figures.charts",
    "cdf": "figures.charts",
    "quiz": "quizzes.cards",
    "progress": "quizzes.cards",
    "quiz_setup": "quizzes.cards",
    "votes": "quizzes.hands",
    "submit": "practice.commands",
    "hint": "practice.commands",
    "solution": "practice.commands",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"bench has no instrument called {name!r}; it has {', '.join(_HOME)}")
    return getattr(import_module(f"bench.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
