"""The types of `from bench import …`: the same names from the same homes as in `__init__.py`.

`__init__.py` looks names up when they are first used, which no type checker can follow.
tests/unit/test_front_door.py holds the two files against each other.
"""

from bench.claims import ClaimFailed, claim
from bench.figures.charts import bars, cdf, staircase, sweep
from bench.instruments.gates import Gate, until
from bench.instruments.heartbeats import Heartbeat
from bench.instruments.http_client import Client
from bench.instruments.load_generators import closed_loop, makespan, open_loop
from bench.instruments.loop_rules import LOOP_RULES, AsyncioLoop, broken_rules
from bench.instruments.looptrace import LoopTrace
from bench.instruments.roundtrips import RoundTrips
from bench.instruments.steps import blocking, waiting_for
from bench.instruments.virtual import VirtualDeadlock, run_virtual
from bench.instruments.wiretap import Wiretap
from bench.practice.commands import hint, solution, submit
from bench.quizzes.cards import progress, quiz, quiz_setup
from bench.quizzes.hands import votes
from bench.servers.postgres import Postgres
from bench.servers.serving import serve
from bench.servers.unavailable import PostgresUnavailable
from bench.traces.recordings import recorded, timeline_setup
from bench.traces.timelines import timeline

__all__ = [
    "LOOP_RULES",
    "AsyncioLoop",
    "ClaimFailed",
    "Client",
    "Gate",
    "Heartbeat",
    "LoopTrace",
    "Postgres",
    "PostgresUnavailable",
    "RoundTrips",
    "VirtualDeadlock",
    "Wiretap",
    "bars",
    "blocking",
    "broken_rules",
    "cdf",
    "claim",
    "closed_loop",
    "hint",
    "makespan",
    "open_loop",
    "progress",
    "quiz",
    "quiz_setup",
    "recorded",
    "run_virtual",
    "serve",
    "solution",
    "staircase",
    "submit",
    "sweep",
    "timeline",
    "timeline_setup",
    "until",
    "votes",
    "waiting_for",
]
