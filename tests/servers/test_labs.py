"""Every lab is provable: starter and wrong repairs fail where they should, right ones pass.

`make proof` runs every repair. `make test` runs starter and solution of each lab, and two of the
wrong repairs that the phone variant offers: those that fail the earliest and the latest check. And
it runs one repair that is right in another style than the solution's.

A new lab is found by its `test_lab.py` and needs no change here. A track of a lab is one more lab.
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

import repairs
from bench.course import COURSE
from bench.practice.checking import run_checks
from bench.practice.folders import GIVEN, Lab, check_names, every_lab, find, needs_nothing, read
from bench.practice.in_the_page import check_in_the_page, labs_of_the_page
from bench.practice.printed_outcomes import Correct, Incorrect, Outcome, RightSoFar
from bench.servers.postgres import Postgres
from bistro.app import app
from repairs import Repair

LABS = [one for lab in every_lab() for one in (lab, *lab.tracks())]

PHONE = {  # what the reply to an order says, and which file or repair has this order
    "01": {
        "All six checks pass": "solution",
        "This is the starter": "starter",
        "check 2 fails as before": "polite_but_blocking",
        "Check 4 fails": "twin_trap",
    },
    "02": {
        "All six checks pass": "solution",
        "check 2 finds no new row": "forgotten_note",
        "Check 3 fails": "note_in_the_background",
        "Check 4 fails": "async_in_name_only",
    },
    "03": {
        "All seven checks pass": "solution",
        "Check 3 fails": "f_string_kept",
        "Check 4 fails": "wishes_as_text",
        "Check 5 fails": "zone_cut_off",
        "Check 6 fails": "list_in_in",
    },
    "04": {
        "All seven checks pass": "solution",
        "Check 2 fails": "no_deadline",
        "Check 4 fails": "release_on_exception",
        "Check 5 fails": "forgot_reserve",
    },
    "04 --with sqlalchemy": {
        "All seven checks pass": "solution",
        "Check 2 fails: there is no limit": "pool_size_zero",
        "Check 2 fails: nobody catches": "pythons_timeout_error",
        "Check 5 fails": "default_overflow",
        "Check 7 fails": "default_scope",
    },
    "05": {
        "All nine checks pass": "solution",
        "Check 2 fails": "commit_after_the_reply",
        "Check 5 fails": "no_retry",
        "Check 8 fails: between": "read_then_write",
        "Check 8 fails: each worker": "lock_in_the_app",
    },
    "06": {
        "All five checks pass": "solution",
        "Check 1 fails": "error_in_a_group",
        "Check 2 fails": "leaves_the_query",
        "Check 3 fails": "stops_everybody",
        "Check 4 fails: after": "deadline_without_cancel",
        "Check 4 fails: `cancel()`": "cancelled_not_awaited",
    },
    "07": {
        "All eight checks pass": "solution",
        "hears no socket": "deaf_while_sleeping",
        "a core burns": "asks_again_and_again",
        "Check 1 fails": "asks_only_when_idle",
    },
}

each_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)


def short(lab: Lab) -> str:
    """What a learner types: "04", "04 --with sqlalchemy"."""
    name, option, track = lab.words.partition(" ")
    return name[:2] + option + track


def wrong_repairs(lab: Lab) -> list[Repair]:
    """Two that the phone variant offers; with COURSE_WRONG=all every one of the lab."""
    every = [repair for repair in repairs.load(lab) if repair.fails]
    if os.environ.get("COURSE_WRONG") == "all":
        return every
    offered = PHONE.get(short(lab), {}).values()
    order = check_names(lab)
    wrong = [repair for repair in every if repair.name in offered]
    wrong.sort(key=lambda repair: order.index(repair.fails))
    return wrong[:1] + wrong[1:][-1:]


def right_repairs(lab: Lab) -> list[Repair]:
    """One of the first lab; with COURSE_WRONG=all every one of each lab."""
    every = [repair for repair in repairs.load(lab) if not repair.fails]
    if os.environ.get("COURSE_WRONG") == "all":
        return every
    return every[-1:] if lab == LABS[0] else []


WRONG = [(lab, repair) for lab in LABS for repair in wrong_repairs(lab)]
RIGHT = [(lab, repair) for lab in LABS for repair in right_repairs(lab)]


def page(lab: Lab) -> str:
    name = f"{short(lab)[:2]}-{lab.folder.name}" if " " in lab.words else lab.name
    return read(COURSE / "book" / "labs" / f"{name}.md")


def sources(lab: Lab) -> dict[str, str]:
    """The files that the lab knows, by name: starter, solution, and every repair."""
    named = {repair.name: repair.source for repair in repairs.load(lab)}
    return {"starter": read(lab.starter), "solution": lab.solution()} | named


def asked_for(tests: list[pytest.Item]) -> Iterator[tuple[Lab, str]]:
    """Lab and name of each file whose outcome one of these tests wants to know."""
    for test in tests:
        parameters = test.callspec.params if hasattr(test, "callspec") else {"lab": find("01")}
        repair = parameters.get("wrong") or parameters.get("right")
        names = [repair.name] if repair else ["starter", "solution"]
        yield from ((parameters["lab"], name) for name in names)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Outcome]]:
    """What the checks say of each file, by lab and name. Four at a time: they mostly wait.

    Of the files alone that the chosen tests ask for.
    """
    tests = [one for one in request.session.items if "outcomes" in getattr(one, "fixturenames", ())]
    names = list(dict.fromkeys(asked_for(tests)))

    home = tmp_path_factory.mktemp("labs")  # pytest's folders are not for several threads

    def outcome(lab: Lab, name: str) -> Outcome:
        file = home / lab.name / name / lab.work.name
        file.parent.mkdir(parents=True)
        file.write_text(sources(lab)[name], encoding="utf-8")
        return run_checks(lab, file, limit=240)

    server = asyncio.run(Postgres(max_connections=300).start())
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setenv("DATABASE_URL", server.dsn)
        ran = pool.map(lambda one: outcome(*one), names)
        keys = [(lab.name, name) for lab, name in names]
        yield dict(zip(keys, ran, strict=True))
    asyncio.run(server.stop())


# -- what the checks say --


@each_lab
def test_the_solution_passes(lab: Lab, outcomes: dict[tuple[str, str], Outcome]) -> None:
    outcome = outcomes[lab.name, "solution"]
    assert isinstance(outcome, Correct), outcome
    assert [check.name for check in outcome.checks] == check_names(lab)
    assert len(lab.reason()) > 60, "reason.md gives the reason"
    assert lab.reason() in outcome.message


@each_lab
def test_the_starter_serves_and_fails(lab: Lab, outcomes: dict[tuple[str, str], Outcome]) -> None:
    outcome = outcomes[lab.name, "starter"]
    assert isinstance(outcome, Incorrect), outcome
    assert outcome.checks[0].state == "passed", "the first check shows that the starter serves"
    assert outcome.failed


@pytest.mark.parametrize(("lab", "wrong"), WRONG, ids=lambda one: one.name)
def test_a_wrong_repair_fails_its_own_check(
    lab: Lab, wrong: Repair, outcomes: dict[tuple[str, str], Outcome]
) -> None:
    outcome = outcomes[lab.name, wrong.name]
    assert isinstance(outcome, Incorrect), outcome
    assert outcome.failed
    assert outcome.failed.name == wrong.fails
    before = check_names(lab).index(wrong.fails)
    later = len(check_names(lab)) - before - 1
    states = [check.state for check in outcome.checks]
    assert states == ["passed"] * before + ["failed"] + ["not reached yet"] * later
    assert len(outcome.message.split()) >= 12, "the message says what happens, and why"


@pytest.mark.parametrize(("lab", "right"), RIGHT, ids=lambda one: one.name)
def test_a_right_repair_passes(
    lab: Lab, right: Repair, outcomes: dict[tuple[str, str], Outcome]
) -> None:
    outcome = outcomes[lab.name, right.name]
    assert isinstance(outcome, Correct), outcome


@each_lab
def test_every_check_catches_a_wrong_repair(lab: Lab) -> None:
    wrong = [repair for repair in repairs.load(lab) if repair.fails]
    assert len(wrong) >= 3
    assert {repair.fails for repair in wrong} == set(check_names(lab))


@each_lab
def test_every_repair_is_another_file_and_says_why(lab: Lab) -> None:
    every = repairs.load(lab)
    assert len({repair.name for repair in every} | {"starter", "solution"}) == len(every) + 2
    assert any(repair.fails is None for repair in every), "one right repair at least"
    files = list(sources(lab).values())
    assert len(set(files)) == len(files)
    for repair in every:
        assert len(repair.why.split()) >= 6, repair.name
        assert repair.why.endswith("."), repair.name


def test_the_starter_of_lab_1_fails_beside_one_report(
    outcomes: dict[tuple[str, str], Outcome],
) -> None:
    failed = outcomes[find("01").name, "starter"].failed
    assert failed
    assert failed.name == "test_health_answers_beside_one_report"


# -- what a page says of them --


@pytest.mark.parametrize("lab", labs_of_the_page(), ids=lambda lab: lab.name)
def test_a_page_says_what_the_command_says(
    lab: Lab, outcomes: dict[tuple[str, str], Outcome], tmp_path: Path
) -> None:
    """Of every file that the command has checked here, word for word; starters among them."""
    for (name, file), at_the_desk in outcomes.items():
        if name != lab.name:
            continue
        path = tmp_path / lab.work.name
        path.write_text(sources(lab)[file], encoding="utf-8")
        in_the_page = check_in_the_page(lab, path)
        assert in_the_page.checks == at_the_desk.checks, file
        if isinstance(at_the_desk, Correct):
            assert isinstance(in_the_page, Correct if needs_nothing(lab) else RightSoFar)
        else:
            said = without_counts(in_the_page.message)
            assert said.endswith(without_counts(at_the_desk.message)) or file in RACES, file
            assert in_the_page.code == at_the_desk.code


RACES = {"note_after_the_answer"}
"""The note comes after the answer, before or after the next question: two sentences are true."""


def without_counts(message: str) -> str:
    """How many came in time depends on the machine, and the stand-ins have no hurry."""
    return re.sub(r"\d+( (is|are|waits?))?\b", "…", message)


def test_each_page_says_where_its_checks_run() -> None:
    for lab in LABS:
        here = lab in labs_of_the_page()
        assert (f"{{live-lab}} {short(lab)}" in page(lab)) == here
        assert ("The checks of this lab need a real PostgreSQL" in page(lab)) == (not here)


# -- the files --


@each_lab
def test_the_starter_is_no_attempt(lab: Lab) -> None:
    assert lab.untouched(read(lab.starter))
    assert not lab.untouched(lab.solution())


@each_lab
def test_a_check_has_three_different_hints(lab: Lab) -> None:
    hints = lab.hints()
    assert list(hints) == check_names(lab)
    for check, three in hints.items():
        assert len(three) == len(set(three)) == 3, check
        question, _, sketch = three
        assert question.endswith("?"), f"{check}: the first hint is a question"
        assert "___" in sketch, f"{check}: the third hint is a sketch with a gap"
        assert all(len(hint.split()) >= 6 for hint in three), check


@each_lab
def test_the_files_of_a_lab_are_formatted(lab: Lab, tmp_path: Path) -> None:
    """A wrong repair need not be clean: an import may be left over from the solution."""
    paths = [lab.folder / "test_lab.py"]
    for name, source in sources(lab).items():
        paths.append(tmp_path / f"{name}.py")
        paths[-1].write_text(source, encoding="utf-8")
    clean = [path for path in paths if path.stem in ("test_lab", "starter", "solution")]
    for words in ["format", "--check", *paths], ["check", "--ignore=E402", *clean]:
        config = "--no-cache", "--config", "pyproject.toml"
        ruff = [sys.executable, "-m", "ruff", words[0], *config, *map(str, words[1:])]
        done = subprocess.run(ruff, cwd=COURSE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@each_lab
def test_the_bistro_has_the_module_that_the_lab_leaves(lab: Lab) -> None:
    if lab.repaired.is_relative_to(lab.folder):  # it stays the learner's own
        assert importlib.util.find_spec(f"bistro.{lab.repaired.stem}") is None
        return
    module = importlib.import_module(f"bistro.{lab.repaired.stem}")
    assert not hasattr(module, "app"), "a module is a part of the bistro's app"
    assert GIVEN in lab.solution(), "the starter's last lines make an app of it"
    if not hasattr(module, "router"):  # no routes of its own: those of the bistro use it
        used = [path for path in COURSE.glob("labs/bistro/*.py") if module.__name__ in read(path)]
        assert used, f"nothing in the bistro imports {module.__name__}"
        return
    left = {route.path for route in module.router.routes}
    assert left
    assert left <= app.openapi()["paths"].keys(), "bistro/app.py must include the router"


def test_the_smallest_change_of_lab_1_is_two_lines() -> None:
    lab = find("01")
    files = read(lab.starter), lab.solution()
    lines = [file.split('"""', 2)[2].splitlines() for file in files]
    code = [
        [line.partition("  #")[0] for line in one] for one in lines
    ]  # a comment changes nothing
    changes = [line for line in ndiff(*code) if line[0] in "+-"]
    assert changes == [
        "- async def report() -> dict[str, int]:",
        "+ def report() -> dict[str, int]:",
        "- def health() -> str:",
        "+ async def health() -> str:",
    ]


# -- the page --


@each_lab
def test_the_page_shows_the_files_themselves(lab: Lab) -> None:
    editor = f"{{live-lab}} {short(lab)}\n"
    for file in (lab.repaired,) if editor in page(lab) else (lab.starter, lab.repaired):
        assert f"{{literalinclude}} ../../{file.relative_to(COURSE).as_posix()}\n" in page(lab)
    assert f"python -m bench.practice {short(lab)}\n" in page(lab)
    assert f'submit("{lab.name}")' in page(lab)
    assert f"{{include}} ../../labs/{lab.name}/reason.md\n" in page(lab)


@each_lab
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


@each_lab
def test_the_page_says_which_check_a_wrong_repair_fails(lab: Lab) -> None:
    rows = re.findall(r"^\| (\d) \| .*: `(\w+)` \|$", page(lab), re.MULTILINE)
    names = check_names(lab)
    wrong = [repair for repair in repairs.load(lab) if repair.fails]
    fails = [(str(names.index(repair.fails) + 1), repair.name) for repair in wrong]
    assert sorted(rows) == sorted(fails)


def phone_variant(lab: Lab) -> tuple[str, list[tuple[str, str]]]:
    """The part for a phone, and its (letters, reply) pairs."""
    variant = page(lab).partition("## On a phone")[2].partition("\n## ")[0]
    return variant, re.findall(r"^:::\{dropdown\} (.+)\n([\s\S]*?)\n:::$", variant, re.MULTILINE)


@each_lab
def test_the_phone_variant_has_one_right_answer_and_names_the_check_of_each_wrong_one(lab: Lab):
    _, orders = phone_variant(lab)
    replies = [" ".join(reply.split()) for _, reply in orders]
    assert len({letters for letters, _ in orders}) == len(orders) >= 3
    [right] = [reply for reply in replies if re.match(r"All \w+ checks pass", reply)]
    checks = {str(number) for number in range(1, len(check_names(lab)) + 1)}
    for reply in replies:
        named = set(re.findall(r"[Cc]heck (\d)", reply))
        assert reply == right or (named and named <= checks), reply


@each_lab
def test_each_order_of_the_phone_variant_is_a_file_that_was_run(lab: Lab) -> None:
    """The right order is the solution's; the reply to a wrong one names the check that fails."""
    variant, orders = phone_variant(lab)
    lines = dict(re.findall(r"^([A-H])  (.+)$", variant, re.MULTILINE))
    files = PHONE[short(lab)]
    assert len(lines) == 8
    assert len(orders) == len(files)
    for said, file in files.items():
        [order] = [letters for letters, reply in orders if said in " ".join(reply.split())]
        put = [lines[letter] for letter in re.findall(r"\b[A-H]\b", order)]
        source = sources(lab)[file].splitlines()
        stripped = [line.partition("  #")[0].strip() for line in source]
        assert put == [line for line in stripped if line in lines.values()]
