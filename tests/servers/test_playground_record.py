"""What the playground shows as recorded is what PostgreSQL answers now."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.course import EVIDENCE, LABS

RECORDED = json.loads((EVIDENCE / "playground" / "recorded.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the recorder writes now. In a process of its own: asyncpg counts statements in each."""
    target = tmp_path_factory.mktemp("playground") / "fresh.json"
    command = [sys.executable, str(LABS / "recorders" / "playground.py"), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(target.read_text("utf-8"))


@pytest.mark.parametrize("kind", ["versions", "statements", "conversations"])
def test_the_record_is_what_is_answered_now(fresh: dict, kind: str) -> None:
    assert fresh[kind] == RECORDED[kind], "run labs/recorders/playground.py, and read the change"


def test_a_prepared_statement_is_asked_with_one_round_trip() -> None:
    """As lesson 4 counts."""
    first, again = RECORDED["conversations"]["first-and-again"]
    assert (len(first["trips"]), len(again["trips"])) == (2, 1)
