"""Every lab is provable: starter and wrong repairs fail where they should, the solution passes.

`make proof` runs every wrong repair; `make test` one for each check, and what the phone offers.

A new lab is found by its `test_lab.py` and needs no change here.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import ndiff
from pathlib import Path

import pytest

from bench.course import COURSE
from bench.practice.folders import Lab, check_names, find, read
from bench.practice.outcomes import Correct, Incorrect, Outcome
from bench.practice.running import run_checks
from bench.servers.postgres import Postgres
from bistro.app import app

LABS = [find(path.parent.name) for path in sorted(COURSE.glob("labs/*/test_lab.py"))]
FAILS = re.compile(r'^"""Fails: (\w+)\n\n\S')
MODULES = {  # what a lab leaves in the bistro; None: its file stays the learner's own
    "01-health-check": "health",
    "02-dashboard": "dashboard",
    "03-port-the-repository": "repository",
    "04-twenty-connections": "lease",
    "05-ten-portions": "selling",
    "06-the-guests-leave": "deadlines",
    "07-your-own-loop": None,
}

PHONE = {  # what the reply to an order says, and the file of the lab that has this order
    "01": {
        "All five checks pass": "solution/health",
        "This is the starter": "starter/health",
        "check 2 fails as before": "wrong/polite_but_blocking",
        "Check 4 fails": "wrong/twin_trap",
    },
    "02": {
        "All five checks pass": "solution/dashboard",
        "check 2 finds no new row": "wrong/forgotten_note",
        "Check 3 fails": "wrong/note_in_the_background",
        "Check 4 fails": "wrong/async_in_name_only",
    },
    "03": {
        "All six checks pass": "solution/repository",
        "Check 3 fails": "wrong/f_string_kept",
        "Check 4 fails": "wrong/wishes_as_text",
        "Check 5 fails": "wrong/zone_cut_off",
        "Check 6 fails": "wrong/list_in_in",
    },
    "04": {
        "All five checks pass": "solution/lease",
        "Check 2 fails": "wrong/no_deadline",
        "Check 4 fails": "wrong/release_on_exception",
        "Check 5 fails": "wrong/forgot_reserve",
    },
    "05": {
        "All five checks pass": "solution/selling",
        "Check 2 fails": "wrong/commit_after_the_reply",
        "Check 4 fails": "wrong/no_retry",
        "Check 5 fails: between": "wrong/read_then_write",
        "Check 5 fails: each worker": "wrong/lock_in_the_app",
    },
    "06": {
        "All four checks pass": "solution/deadlines",
        "Check 1 fails": "wrong/error_in_a_group",
        "Check 2 fails": "wrong/leaves_the_query",
        "Check 3 fails": "wrong/stops_everybody",
        "Check 4 fails: after": "wrong/deadline_without_cancel",
        "Check 4 fails: `cancel()`": "wrong/cancelled_not_awaited",
    },
    "07": {
        "All six checks pass": "solution/own_loop",
        "hears no socket": "wrong/deaf_while_sleeping",
        "a core burns": "wrong/asks_again_and_again",
        "Check 1 fails": "wrong/asks_only_when_idle",
    },
}

every_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)


def expected(wrong: Path) -> str:
    """The check that a wrong repair fails, as its own docstring says."""
    found = FAILS.match(read(wrong))
    assert found, f'{wrong.name} must begin with """Fails: <name of a check>, then the reason'
    return found[1]


def wrong_repairs(lab: Lab) -> list[Path]:
    """One for each check, and what the phone variant offers; with COURSE_WRONG=all every one."""
    every = sorted(lab.folder.glob("wrong/*.py"))
    if os.environ.get("COURSE_WRONG") == "all":
        return every
    one_each = {expected(path): path for path in reversed(every)}.values()
    offered = {f"{file}.py" for file in PHONE.get(lab.name[:2], {}).values()}
    return [path for path in every if path in one_each or f"wrong/{path.name}" in offered]


WRONG = [(lab, path) for lab in LABS for path in wrong_repairs(lab)]


def page(lab: Lab) -> str:
    return read(COURSE / "book" / "labs" / f"{lab.name}.md")


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[Path, Outcome]]:
    """What the checks say of each file. Four at a time: they mostly wait."""
    files = [(lab, file) for lab in LABS for file in (lab.starter, lab.solution)] + WRONG
    server = asyncio.run(Postgres(max_connections=300).start())
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setenv("DATABASE_URL", server.dsn)
        ran = pool.map(lambda one: run_checks(*one, limit=240), files)
        yield dict(zip((file for _, file in files), ran, strict=True))
    asyncio.run(server.stop())


# -- what the checks say --


@every_lab
def test_the_solution_passes(lab: Lab, outcomes: dict[Path, Outcome]) -> None:
    outcome = outcomes[lab.solution]
    assert isinstance(outcome, Correct), outcome
    assert [check.name for check in outcome.checks] == check_names(lab)
    assert len(lab.reason()) > 60, "the docstring of the solution gives the reason"
    assert lab.reason() in outcome.message


@every_lab
def test_the_starter_serves_and_fails(lab: Lab, outcomes: dict[Path, Outcome]) -> None:
    outcome = outcomes[lab.starter]
    assert isinstance(outcome, Incorrect), outcome
    assert outcome.checks[0].state == "passed", "the first check shows that the starter serves"
    assert outcome.failed


@pytest.mark.parametrize(("lab", "wrong"), WRONG, ids=lambda one: getattr(one, "stem", None))
def test_a_wrong_repair_fails_its_own_check(
    lab: Lab, wrong: Path, outcomes: dict[Path, Outcome]
) -> None:
    outcome = outcomes[wrong]
    assert isinstance(outcome, Incorrect), outcome
    assert outcome.failed
    assert outcome.failed.name == expected(wrong)
    before = check_names(lab).index(expected(wrong))
    later = len(check_names(lab)) - before - 1
    states = [check.state for check in outcome.checks]
    assert states == ["passed"] * before + ["failed"] + ["not reached yet"] * later
    assert len(outcome.message.split()) >= 12, "the message says what happens, and why"


@every_lab
def test_every_check_catches_a_wrong_repair(lab: Lab) -> None:
    wrong = sorted(lab.folder.glob("wrong/*.py"))
    assert len(wrong) >= 3
    assert {expected(path) for path in wrong} == set(check_names(lab))


def test_the_starter_of_lab_1_fails_beside_one_report(outcomes: dict[Path, Outcome]) -> None:
    failed = outcomes[find("01").starter].failed
    assert failed
    assert failed.name == "test_health_answers_beside_one_report"


# -- the files --


@every_lab
def test_the_starter_is_no_attempt(lab: Lab) -> None:
    assert lab.untouched(read(lab.starter))
    assert not lab.untouched(read(lab.solution))


@every_lab
def test_a_check_has_three_different_hints(lab: Lab) -> None:
    hints = lab.hints()
    assert list(hints) == check_names(lab)
    for check, three in hints.items():
        assert len(three) == len(set(three)) == 3, check
        question, _, sketch = three
        assert question.endswith("?"), f"{check}: the first hint is a question"
        assert "___" in sketch, f"{check}: the third hint is a sketch with a gap"
        assert all(len(hint.split()) >= 6 for hint in three), check


@every_lab
def test_the_files_of_a_lab_are_formatted(lab: Lab) -> None:
    for command in ("format", "--check"), ("check",):
        paths = [lab.folder / name for name in ("starter", "solution", "wrong", "test_lab.py")]
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", *map(str, paths)]
        done = subprocess.run(ruff, cwd=COURSE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@every_lab
def test_the_bistro_has_the_module_that_the_lab_leaves(lab: Lab) -> None:
    if MODULES[lab.name] is None:
        assert importlib.util.find_spec(f"bistro.{lab.solution.stem}") is None
        return
    module = importlib.import_module(f"bistro.{MODULES[lab.name]}")
    assert read(Path(module.__file__)) == read(lab.solution), "copy the solution to the bistro"
    if not hasattr(module, "router"):  # no routes of its own: those of the bistro use it
        used = [path for path in COURSE.glob("labs/bistro/*.py") if module.__name__ in read(path)]
        assert used, f"nothing in the bistro imports {module.__name__}"
        return
    left = {route.path for route in module.router.routes}
    assert left
    assert left <= app.openapi()["paths"].keys(), "bistro/app.py must include the router"


def test_the_smallest_change_of_lab_1_is_two_lines() -> None:
    lab = find("01")
    code = [read(file).split('"""', 2)[2].splitlines() for file in (lab.starter, lab.solution)]
    changes = [line for line in ndiff(*code) if line[0] in "+-"]
    assert changes == [
        "- async def report() -> dict[str, int]:",
        "+ def report() -> dict[str, int]:",
        "- def health() -> str:",
        "+ async def health() -> str:",
    ]


# -- the page --


@every_lab
def test_the_page_shows_the_files_themselves(lab: Lab) -> None:
    for file in (lab.starter, lab.solution):
        assert f"{{literalinclude}} ../../{lab.shown(file)}\n" in page(lab)
    assert f"python -m bench.practice {lab.name[:2]}\n" in page(lab)
    assert f'submit("{lab.name}")' in page(lab)
    assert lab.reason() in " ".join(page(lab).split())


@every_lab
def test_the_page_lists_the_checks_and_their_hints(lab: Lab) -> None:
    tree = ast.parse(read(lab.folder / "test_lab.py"))
    titles = {node.name: ast.get_docstring(node) for node in tree.body if hasattr(node, "name")}
    for number, check in enumerate(check_names(lab), 1):
        assert f"\n{number}. {titles[check]}.\n" in page(lab)
        title = titles[check][0].lower() + titles[check][1:]
        question, pointer, sketch = lab.hints()[check]
        assert f"\n::::{{dropdown}} Check {number}: {title}\n{question}\n" in page(lab)
        assert f"\n:::{{dropdown}} Hint 2: a pointer\n{pointer}\n:::\n" in page(lab)
        assert f"\n:::{{dropdown}} Hint 3: a sketch with a gap\n{sketch}\n:::\n" in page(lab)


@every_lab
def test_the_page_says_which_check_a_wrong_repair_fails(lab: Lab) -> None:
    rows = re.findall(r"^\| (\d) \| .*: `(\w+\.py)` \|$", page(lab), re.MULTILINE)
    names = check_names(lab)
    wrong = lab.folder.glob("wrong/*.py")
    fails = [(str(names.index(expected(path)) + 1), path.name) for path in wrong]
    assert sorted(rows) == sorted(fails)


def phone_variant(lab: Lab) -> tuple[str, list[tuple[str, str]]]:
    """The part for a phone, and its (letters, reply) pairs."""
    variant = page(lab).partition("## On a phone")[2].partition("\n## ")[0]
    return variant, re.findall(r"^:::\{dropdown\} (.+)\n([\s\S]*?)\n:::$", variant, re.MULTILINE)


@every_lab
def test_the_phone_variant_has_one_right_answer_and_names_the_check_of_each_wrong_one(lab: Lab):
    _, orders = phone_variant(lab)
    replies = [" ".join(reply.split()) for _, reply in orders]
    assert len({letters for letters, _ in orders}) == len(orders) >= 3
    [right] = [reply for reply in replies if re.match(r"All \w+ checks pass", reply)]
    checks = {str(number) for number in range(1, len(check_names(lab)) + 1)}
    for reply in replies:
        named = set(re.findall(r"[Cc]heck (\d)", reply))
        assert reply == right or (named and named <= checks), reply


@every_lab
def test_each_order_of_the_phone_variant_is_a_file_that_was_run(lab: Lab) -> None:
    """The right order is the solution's; the reply to a wrong one names the check that fails."""
    variant, orders = phone_variant(lab)
    lines = dict(re.findall(r"^([A-H])  (.+)$", variant, re.MULTILINE))
    files = PHONE[lab.name[:2]]
    assert len(lines) == 8
    assert len(orders) == len(files)
    for said, file in files.items():
        [order] = [letters for letters, reply in orders if said in " ".join(reply.split())]
        put = [lines[letter] for letter in re.findall(r"\b[A-H]\b", order)]
        source = read(lab.folder / f"{file}.py").splitlines()
        stripped = [line.partition("  #")[0].strip() for line in source]
        assert put == [line for line in stripped if line in lines.values()]
