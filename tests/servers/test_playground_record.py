"""What the playground shows as recorded is what PostgreSQL answers now."""

from __future__ import annotations

import asyncio
import json
import runpy

import pytest

from bench.course import EVIDENCE, LABS

RECORDED = json.loads((EVIDENCE / "playground" / "recorded.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def fresh() -> dict:
    """The recorder's result, without a file."""
    recorder = runpy.run_path(str(LABS / "recorders" / "playground.py"))
    return json.loads(json.dumps(asyncio.run(recorder["record"]())))


@pytest.mark.parametrize("kind", ["versions", "statements", "conversations"])
def test_the_record_is_what_is_answered_now(fresh: dict, kind: str) -> None:
    assert fresh[kind] == RECORDED[kind], "run labs/recorders/playground.py, and read the change"


def test_a_prepared_statement_is_asked_with_one_round_trip() -> None:
    """As lesson 4 counts."""
    first, again = RECORDED["conversations"]["first-and-again"]
    assert (len(first["trips"]), len(again["trips"])) == (2, 1)
