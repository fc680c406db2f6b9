"""Each habit of a class finds the lesson that cannot stand it, and no other habit does."""

from __future__ import annotations

from pathlib import Path

import pytest

import class_habits
from class_habits import HABITS, Habit

LESSON = """
## Set-up

```{{code-cell}} ipython3
import asyncio, subprocess, sys, time
from bench import claim
```

## Experiment 1: of one who knows nothing of habits

```{{code-cell}} ipython3
{first}
```

## Experiment 2: another

```{{code-cell}} ipython3
{second}
```
"""
NOTHING = "await asyncio.sleep(0.4)"
COUNTED = 'runs = globals().get("runs", 0) + 1\nclaim("once", "It is the first run.", runs == 1)'
CLOCKED = (
    "began = time.monotonic()\nawait asyncio.sleep(0.4)\nseconds = time.monotonic() - began\n"
    'claim("quick", "It took less than two seconds.", seconds < 2)'
)
CARELESS = (
    "whole = False\ntry:\n    await asyncio.sleep(0.4)\n    whole = True\nfinally:\n"
    '    claim("whole", "It came to its end.", whole)'
)
LITTER = (
    'litter = [sys.executable, "-c", "import time; time.sleep(60)"]\n'
    "left = subprocess.Popen(litter, start_new_session=True)\nawait asyncio.sleep(0.4)\n"
    "left.kill(); left.wait()"
)


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (NOTHING, NOTHING, set()),
        (COUNTED, NOTHING, set(HABITS) - {"out_of_order"}),
        ("here = True", "assert here", {"out_of_order", "restarted"}),
        (CLOCKED, NOTHING, {"asleep", "paused"}),
        (CARELESS, NOTHING, {"interrupted"}),
        (LITTER, NOTHING, {"restarted"}),
    ],
)
def test_a_lesson_that_cannot_stand_a_habit(
    first: str, second: str, found: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_habits, "ASLEEP", 3)
    lesson = tmp_path / "01-a-lesson.md"
    lesson.write_text(LESSON.format(first=first, second=second), encoding="utf-8")
    complaints = {name: Habit(lesson, name).complaint() for name in HABITS}
    assert {name for name, complaint in complaints.items() if complaint} == found, complaints
