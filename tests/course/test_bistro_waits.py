"""No `async def` of the bistro holds the event loop, apart from two that are meant to."""

from __future__ import annotations

from bench.course import LABS
from blocking_calls import blocking_calls

MEANT = {"waiting.py: order_async_def", "bugs.py: menu"}  # lesson 1, and the bugs to find


def test_no_async_def_of_the_bistro_blocks() -> None:
    files = sorted((LABS / "bistro").rglob("*.py"))
    found = {
        f"{file.relative_to(LABS / 'bistro').as_posix()}: {complaint}"
        for file in files
        for complaint in blocking_calls(file.read_text("utf-8"))
    }
    assert len(files) > 10
    assert {one.partition(", line")[0] for one in found} == MEANT, "\n".join(sorted(found))
