"""No `async def` of the bistro, of the bench or of the test suite holds the event loop."""

from __future__ import annotations

from pathlib import Path

from bench.course import LABS
from blocking_calls import blocking_calls_of

MEANT = {  # lesson 1, and the bugs to find
    "bistro.waiting: order_async_def",
    "bistro.bugs: menu",
}
SUITE = LABS / "testing" / "suite"


def modules(*folders: Path, top: Path) -> dict[str, str]:
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    dotted = [".".join(path.relative_to(top).with_suffix("").parts) for path in files]
    return {
        name.removesuffix(".__init__"): path.read_text("utf-8")
        for name, path in zip(dotted, files, strict=True)
    }


def without_lines(found: list[str]) -> set[str]:
    return {one.partition(", line")[0] for one in found}


def test_no_async_def_of_bistro_and_bench_blocks() -> None:
    ours = modules(LABS / "bistro", LABS / "bench", top=LABS)
    assert len(ours) > 80
    found = blocking_calls_of(ours)
    assert without_lines(found) == MEANT, "\n".join(found)


def test_no_async_def_of_the_test_suite_blocks() -> None:
    suite = modules(SUITE, top=SUITE)
    assert len(suite) > 3
    assert blocking_calls_of(suite) == []


def test_a_helper_below_the_suite_and_below_the_bench_is_seen() -> None:
    helper = "import time\n\ndef pause():\n    time.sleep(0.1)\n"
    suite = modules(SUITE, top=SUITE)
    route = "\n\n@app.get('/slow')\nasync def slow():\n    helper.pause()\n"
    suite |= {"helper": helper, "app": f"import helper\n{suite['app']}{route}"}
    assert without_lines(blocking_calls_of(suite)) == {"app: slow"}
    ours = modules(LABS / "bench" / "practice", top=LABS)
    line = "bench.practice.lost_reply"
    began = "        ends = [hears]\n"
    assert began in ours[line]
    ours["bench.practice.helper"] = helper
    ours[line] = "from bench.practice.helper import pause as rest\n" + ours[line].replace(
        "from __future__ import annotations\n", ""
    ).replace(began, f"        rest()\n{began}")
    assert without_lines(blocking_calls_of(ours)) == {f"{line}: _carry"}
