"""The instruments of the course: `from bench import claim, Gate, Postgres, …`.

Names are looked up when they are first used, so `from bench import claim` needs nothing but the
standard library, also in the reader's browser.
"""

from __future__ import annotations

from importlib import import_module

_HOME = {
    "Postgres": "postgres",
    "PostgresUnavailable": "postgres",
    "Gate": "gates",
    "until": "gates",
    "run_virtual": "virtual",
    "VirtualDeadlock": "virtual",
    "Heartbeat": "heartbeats",
    "LoopTrace": "looptrace",
    "blocking": "looptrace",
    "waiting_for": "looptrace",
    "RoundTrips": "roundtrips",
    "Wiretap": "wiretap",
    "LOOP_RULES": "conformance",
    "AsyncioLoop": "conformance",
    "broken_rules": "conformance",
    "serve": "serving",
    "Client": "load",
    "closed_loop": "load",
    "makespan": "load",
    "open_loop": "load",
    "recorded": "timelines",
    "timeline_setup": "timelines",
    "claim": "claims",
    "ClaimFailed": "claims",
    "staircase": "figures",
    "timeline": "figures",
    "bars": "figures",
    "sweep": "figures",
    "cdf": "figures",
    "quiz": "quizzes",
    "progress": "quizzes",
    "quiz_setup": "quizzes",
    "submit": "practice",
    "hint": "practice",
    "solution": "practice",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"bench has no instrument called {name!r}; it has {', '.join(_HOME)}")
    return getattr(import_module(f"bench.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
