"""What a learner meets in a lab: typed outcomes, hints, solutions, and no lost work."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest

import edits
import repairs
from bench.course import COURSE
from bench.instruments.gates import until
from bench.practice import commands, judgements
from bench.practice.checking import run_checks
from bench.practice.folders import Lab, UnknownLab, check_names, find, read
from bench.practice.marking import course_version
from bench.practice.printed_outcomes import (
    Check,
    Closed,
    Correct,
    Hint,
    Incorrect,
    NotAttempted,
    Outcome,
    Raised,
)
from bench.practice.submission import last_error
from bistro.database import prepare

POSTGRES = {"max_connections": 300}
STARTER = read(find("01").starter)
CONSTANT = {repair.name: repair.source for repair in repairs.load(find("01"))}["constant_report"]


@pytest.fixture(scope="module")
def database(dsn: str) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", dsn)
        yield dsn


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Lab 1 in a folder of its own, as nobody has touched it: the reader's work stays as it is."""
    return in_a_folder_of_its_own("01", tmp_path, monkeypatch)


@pytest.fixture
def lab_with_a_track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return in_a_folder_of_its_own("04", tmp_path, monkeypatch)


def in_a_folder_of_its_own(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    folder = find(name).folder
    copy = tmp_path / "labs" / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("work", "__pycache__"))
    monkeypatch.setenv("COURSE_LABS", str(tmp_path / "labs"))
    return find(name)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "bench.practice", *words]
    return subprocess.run(run, capture_output=True, text=True, encoding="utf-8", check=False)


def edited(old: str, new: str) -> str:
    return edits.edited(STARTER, old, new, "the starter of lab 1")


# -- broken submissions: one clear sentence each --

QUERY = "takings = window.execute(TAKINGS).fetchone()"
BROKEN = {  # what is submitted, the message (None: a library's own words), and the line shown
    "syntax": (
        edited("async def report() -> dict[str, int]:", "async def report() -> dict[str, int]"),
        "SyntaxError: expected ':'. Python cannot read the file.",
        "async def report() -> dict[str, int]",
    ),
    "null": (STARTER + "\0", None, ""),
    "import": (
        edited("import psycopg\n", "import psycopgg\n"),
        "ModuleNotFoundError: No module named 'psycopgg'",
        "import psycopgg",
    ),
    "no app": (
        edited("app = alone(router, pool=None)\n", ""),
        "NoApp: The file has no `app`. Keep the last lines of the starter.",
        "",
    ),
    "library": (  # raised deep inside FastAPI
        edited(
            "async def report() -> dict[str, int]:", "async def report() -> psycopg.Connection:"
        ),
        None,
        '@router.get("/report")',
    ),
    "exits": (STARTER + "raise SystemExit(3)\n", "SystemExit: 3", "raise SystemExit(3)"),
    "kills": (
        STARTER + "\nimport os\nos._exit(0)\n",
        "no exception: Python ended while it read the file. Remove the call that ends it.",
        "",
    ),
    "raises": (
        edited(QUERY, "takings = window.execute(TAKING).fetchone()"),
        "NameError: name 'TAKING' is not defined",
        "takings = window.execute(TAKING).fetchone()",
    ),
    "another type": (  # FastAPI's own text has many lines, and the first says nothing
        edited('return {"takings_cents": ', 'return TAKINGS, {"takings_cents": '),
        "ResponseValidationError: GET /report returned a tuple. Its return type wants a "
        "dictionary.",
        "async def report() -> dict[str, int]:",
    ),
    "a task": (
        edited(QUERY, "import asyncio; takings = [asyncio.create_task(asyncio.sleep(0))]"),
        "ResponseValidationError: GET /report returned a dict with a Task. Its return type wants "
        "an integer. A task keeps its value: ask for `.result()` when it is done.",
        "async def report() -> dict[str, int]:",
    ),
    "port": (  # what differs from run to run is left out
        edited(QUERY, 'raise OSError("no server at 127.0.0.1:43211, port 43211")'),
        "OSError: no server at 127.0.0.1:…, port …",
        'raise OSError("no server at 127.0.0.1:43211, port 43211")',
    ),
    "ends the server": (
        edited(QUERY, "import os; os._exit(1)"),
        "no exception: GET /report ended the whole server. A route must return or raise.",
        "",
    ),
}
AT_THE_START = {"syntax", "null", "exits", "kills"}
ONLY_NOTED = {"import", "no app", "library", "another type", "a task", "port"}
"""They differ from the others in what the diary says alone, so no checks are run on them."""
NOTES = """
import asyncio, os, runpy, sys
import httpx

async def ask(app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://lab") as client:
        await client.get("/report")

for file in sys.argv[1:]:
    os.environ |= {"LAB_FILE": file, "LAB_DIARY": f"{file}.diary"}
    try:
        app = runpy.run_module("bench.practice.served_file")["app"]
    except Exception:
        continue
    asyncio.run(ask(app))
"""
HANGS = STARTER + "while True:\n    pass\n"


@pytest.fixture(scope="module")
def ran(database: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The outcome of the broken submissions, and of one wrong repair."""
    files: dict[str, Path] = {}
    sources = {name: BROKEN[name][0] for name in BROKEN.keys() - ONLY_NOTED}
    for number, (name, source) in enumerate((sources | {"constant": CONSTANT}).items()):
        file = files[name] = tmp_path_factory.mktemp(f"work{number}") / "health.py"
        file.write_text(source, encoding="utf-8")
    with ThreadPoolExecutor(3) as pool:
        outcomes = pool.map(lambda file: run_checks(find("01"), file, limit=240), files.values())
        return dict(zip(files, outcomes, strict=True))


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - ONLY_NOTED))
def test_broken_code_gets_one_clear_sentence(name: str, ran: dict[str, Outcome]) -> None:
    outcome, (source, message, code) = ran[name], BROKEN[name]
    assert isinstance(outcome, Raised), outcome
    assert message in (outcome.message, None)
    lines = [line.strip() for line in source.splitlines()]
    assert outcome.code == (f"line {lines.index(code) + 1}: {code}" if code else "")
    assert outcome.failed is None
    reached = None if name in AT_THE_START else check_names(find("01"))[0]
    assert (outcome.stopped and outcome.stopped.name) == reached
    for shown in (repr(outcome), outcome._repr_html_()):
        assert "Your code raised" in shown
        assert not re.search(r"Traceback|site-packages|/health\.py|/tmp", shown), shown


@pytest.fixture(scope="module")
def diaries(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The diary of each app in ONLY_NOTED, which was asked for its report."""
    files = {name: tmp_path_factory.mktemp("noted") / "health.py" for name in ONLY_NOTED}
    for name, file in files.items():
        file.write_text(BROKEN[name][0], encoding="utf-8")
    asyncio.run(prepare(dsn))
    command = [sys.executable, "-c", NOTES, *map(str, files.values())]
    subprocess.run(command, env=os.environ | {"BISTRO_DSN": dsn}, check=True)
    return {name: Path(f"{file}.diary") for name, file in files.items()}


@pytest.mark.parametrize("name", sorted(ONLY_NOTED))
def test_an_error_is_noted_in_one_clear_sentence(name: str, diaries: dict[str, Path]) -> None:
    source, message, code = BROKEN[name]
    noted = last_error(diaries[name])
    assert noted
    said = f"{noted['raised']}: {noted['message']}"
    assert message in (said, None)
    assert not re.search(r"Traceback|site-packages|/health\.py|/tmp|\n", said)
    assert noted["code"] == code
    if code:
        assert source.splitlines()[noted["line"] - 1].strip() == code


def test_a_hang_is_ended_and_named(database: str, tmp_path: Path) -> None:
    file = tmp_path / "health.py"
    file.write_text(HANGS, encoding="utf-8")
    outcome = run_checks(find("01"), file, limit=4)  # it would never end
    assert isinstance(outcome, Incorrect), outcome
    assert outcome.message.startswith("The checks did not come to their end in 4 seconds.")

    def left() -> list[psutil.Process]:
        return [one for one in psutil.process_iter() if serves(one, file)]

    asyncio.run(until(lambda: not left(), what="the server of the hanging file to leave"))


def serves(process: psutil.Process, file: Path) -> bool:
    try:
        return process.environ().get("LAB_FILE") == str(file.resolve())
    except psutil.Error:
        return False


def test_no_database_is_not_the_learners_mistake(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    outcome = run_checks(lab, lab.starter)
    assert isinstance(outcome, Closed), outcome
    assert {check.state for check in outcome.checks} == {"not reached yet"}
    assert "The laboratory could not start: The server of DATABASE_URL" in " ".join(
        repr(outcome).split()
    )
    assert "DATABASE_URL, or unset it to use the embedded server." in outcome.message


@pytest.mark.parametrize(
    ("beginning", "sentence"),
    [
        ("import no_such_module_of_the_course", "No module named"),
        (
            "import pytest\n@pytest.fixture(autouse=True)\ndef port(): raise OSError('in use')",
            "OSError: in use",
        ),
    ],
)
def test_a_laboratory_that_breaks_is_not_the_learners_mistake(
    lab: Lab, beginning: str, sentence: str
) -> None:
    test = lab.folder / "test_lab.py"
    test.write_text(read(test).replace("\nimport socket\n", f"\n{beginning}\nimport socket\n"))
    outcome = run_checks(lab, lab.starter)
    assert isinstance(outcome, Closed), outcome
    assert sentence in outcome.message


# -- in a terminal --


def test_the_first_time_the_command_puts_the_starter_there_and_shows_how_it_fails(
    database: str, lab: Lab
) -> None:
    first = command("01")
    assert first.returncode == 1
    lines = first.stdout.splitlines()
    assert lines[1] == "failed:          The health check answers while one report waits"
    said = " ".join(first.stdout.split())
    copied = "Not attempted yet: `labs/01-health-check/work/health.py` is your copy of the starter."
    assert copied in said
    assert "This is how it fails: One report waits in the database, and `/health` gives no" in said
    assert "python -m bench.practice 01-health-check hint" in said
    assert read(lab.work) == STARTER
    assert lab.progress() == {"failing": None, "hints": 0}, "it was no attempt"


def test_the_command_shows_a_line_for_each_check_then_a_hint(database: str, lab: Lab) -> None:
    lab.begin()
    lab.work.write_text(CONSTANT, encoding="utf-8")
    failed = command("01")
    assert (failed.returncode, failed.stderr) == (1, "")
    lines = failed.stdout.splitlines()
    assert lines[0] == "failed:          The report reads the kitchen book"
    assert lines[5] == "not reached yet: The loop beats, whatever the database does"
    assert "Not yet: Two new orders bring in 46.50, and the takings changed by 0.00." in lines[6]
    assert lines[-1] == "Hint 1 of 3: `python -m bench.practice 01-health-check hint`."
    for number in (1, 2, 3, 3):
        told = command("01", "hint").stdout
        assert told.startswith(f"Hint {number} of 3 for “The report reads the kitchen book”\n")
    assert "solution" in told
    assert command("01", "hint", "1").stdout.startswith("Hint 1 of 3")
    assert command("01", "hint", "4").stdout == "There are hints 1 to 3, not 4.\n"


def test_the_command_shows_the_solution_and_begins_again(lab: Lab) -> None:
    shown = command("01", "solution")
    assert lab.solution() in shown.stdout
    lab.begin()
    lab.work.write_text("mine = 1\n", encoding="utf-8")
    again = command("01", "reset")
    assert "kept as `labs/01-health-check/work/health.1.py`" in again.stdout
    assert read(lab.work) == STARTER
    assert read(lab.work.with_name("health.1.py")) == "mine = 1\n"
    lab.work.write_text("mine = 2\n", encoding="utf-8")
    command("01", "reset")
    assert read(lab.work.with_name("health.1.py")) == "mine = 1\n"
    assert read(lab.work.with_name("health.2.py")) == "mine = 2\n"


@pytest.mark.parametrize("words", [(), ("--help",), ("01", "cheat"), ("01", "hint", "x")])
def test_a_wrong_command_says_how(words: tuple[str, ...], lab: Lab) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout.split()[0]) == (2, "Usage:")


def test_an_unknown_lab_says_which_there_are(lab: Lab) -> None:
    for name in ("99", ""):
        with pytest.raises(UnknownLab, match=r"There is no lab '.*'. Choose one of: 01-health-c"):
            find(name)
    shutil.copytree(lab.folder, lab.folder.with_name("01-another"))
    with pytest.raises(UnknownLab, match=r"Several .* '01'. Choose one of: 01-another, 01-health"):
        find("01")
    assert command("99").stdout.startswith("There is no lab '99'.")


# -- hints and memory, without running anything --


class Verdicts:
    """Stands in for `run_checks`: says what it is told to, and counts."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.calls = lab, 0
        self.says = "passed"

    def __call__(self, lab: Lab, file: Path, *_: object) -> Outcome:
        self.calls += 1
        checks = tuple(Check(name, name, "passed") for name in check_names(lab))
        if self.says == "passed":
            return Correct(lab.name, "All pass.", checks=checks)
        if self.says == "cannot start":
            return Raised(
                lab.name, "No.", checks=tuple(replace(c, state="not reached yet") for c in checks)
            )
        if self.says.startswith("raised in "):
            raised = replace(checks[int(self.says[-1])], state="raised")
            return Raised(lab.name, "No.", checks=(raised,))
        failed = replace(checks[int(self.says)], state="failed")
        return Incorrect(lab.name, "No.", checks=(failed,))


@pytest.fixture
def verdicts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Verdicts:
    stand_in = Verdicts(lab)
    monkeypatch.setattr(commands, "run_checks", stand_in)
    lab.begin()
    lab.work.write_text("app = 1\n", encoding="utf-8")
    return stand_in


def numbers(lab: Lab, times: int) -> list[int]:
    return [commands.hint("01").number for _ in range(times)]


def test_hints_climb_and_belong_to_the_failing_check(lab: Lab, verdicts: Verdicts) -> None:
    verdicts.says = "1"
    assert numbers(lab, 4) == [1, 2, 3, 3]
    assert verdicts.calls == 1, "only the first hint has to find out which check fails"
    explicit = commands.hint("01", 2)
    assert isinstance(explicit, Hint)
    assert explicit.text == lab.hints()[check_names(lab)[1]][1]
    assert commands.submit("01").next == 'Hint 3 of 3: `hint("01-health-check")`.'
    verdicts.says = "2"  # the check passes now, and the next one fails
    assert commands.submit("01").next == 'Hint 1 of 3: `hint("01-health-check")`.'
    assert numbers(lab, 2) == [1, 2]
    with pytest.raises(ValueError, match="There are hints 1 to 3, not 0"):
        commands.hint("01", 0)


def test_code_that_raises_gets_hints_for_an_error_and_not_those_of_the_check(
    lab: Lab, verdicts: Verdicts
) -> None:
    verdicts.says = "raised in 2"
    raised = commands.submit("01")
    assert isinstance(raised, Raised)
    assert raised.next == 'Hint 1 of 3: `hint("01-health-check")`.'
    told = commands.hint("01")
    assert (told.number, told.text) == (1, commands.ERROR_HINTS[0])
    assert told.check == "the error that your code raised"
    assert numbers(lab, 1) == [2]
    verdicts.says = "2"
    assert numbers(lab, 1) == [3], "whoever only asks for hints has not submitted again"
    assert commands.submit("01").next == 'Hint 1 of 3: `hint("01-health-check")`.'
    assert commands.hint("01").text == lab.hints()[check_names(lab)[2]][0]


def test_an_app_that_cannot_start_has_a_hint_only_for_who_asks_for_one(
    lab: Lab, verdicts: Verdicts
) -> None:
    verdicts.says = "cannot start"
    assert commands.submit("01").next == "", "the error says it all"
    assert isinstance(commands.hint("01"), Raised)
    told = commands.hint("01", 2)
    assert (told.number, told.text) == (2, commands.ERROR_HINTS[1])
    verdicts.says = "0"
    assert numbers(lab, 1) == [1], "it was no hint for the check that fails now"


def test_hints_are_forgotten_when_all_pass(lab: Lab, verdicts: Verdicts) -> None:
    verdicts.says = "0"
    assert numbers(lab, 2) == [1, 2]
    verdicts.says = "passed"
    passed = commands.submit("01")
    assert isinstance(passed, Correct)
    assert passed.next == 'Compare it with ours: `solution("01-health-check")`.'
    assert isinstance(commands.hint("01"), Correct), "there is nothing to hint at"
    verdicts.says = "0"
    assert numbers(lab, 1) == [1]


def test_the_starter_shows_how_it_fails_and_is_no_attempt(lab: Lab, verdicts: Verdicts) -> None:
    lab.work.write_text(f"# a comment is no attempt\n{STARTER}", encoding="utf-8")
    verdicts.says = "1"
    assert numbers(lab, 2) == [1, 2]
    told = commands.submit("01")
    assert isinstance(told, NotAttempted)
    assert told.failed
    assert told.failed.name == check_names(lab)[1]
    assert told.message == f"{judgements.STILL} This is how it fails: No."
    assert lab.progress() == {"failing": None, "hints": 0, "used": {check_names(lab)[1]: 2}}
    assert numbers(lab, 1) == [1], "a hint is there before the first attempt, too"


def test_without_a_file_the_starter_is_submitted(lab: Lab, verdicts: Verdicts) -> None:
    lab.work.unlink()
    verdicts.says = "1"
    told = commands.submit("01")
    assert isinstance(told, NotAttempted)
    assert told.message.startswith("`labs/01-health-check/work/health.py` is your copy of the")
    assert read(lab.work) == STARTER


def test_damaged_memory_is_no_obstacle(lab: Lab, verdicts: Verdicts) -> None:
    (lab.folder / "work" / "progress.json").write_text("{", encoding="utf-8")
    verdicts.says = "0"
    assert numbers(lab, 2) == [1, 2]


# -- a track: the same task with another library --

WITH = "04-twenty-connections/with-sqlalchemy"


def test_a_track_is_found_by_the_beginning_of_its_name(lab_with_a_track: Lab) -> None:
    assert find("04").name == "04-twenty-connections", "the lab itself stays what it was"
    assert [track.name for track in find("04").tracks()] == [WITH]
    for name in "04/sqlalchemy", "4/with-sqlalchemy", "04/sql", WITH:
        track = find(name)
        assert track.name == WITH
        assert track.words == "04-twenty-connections --with sqlalchemy"
        assert track.shown(track.work) == f"labs/{WITH}/work/sessions.py"


def test_an_unknown_track_says_which_there_are(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnknownLab, match=r"^There is no track 'sql': lab 01-health-check has none"):
        find("01/sql")
    monkeypatch.delenv("COURSE_LABS")
    shutil.rmtree(tmp_path / "labs")
    in_a_folder_of_its_own("04", tmp_path, monkeypatch)
    for name in "tortoise", "":
        with pytest.raises(
            UnknownLab, match=rf"^There is no track '{name}'. Choose one of: sqlalchemy.$"
        ):
            find(f"04/{name}")


@pytest.mark.parametrize(
    "words",
    ["04 --with sqlalchemy {}", "04 {} --with sqlalchemy", "--with=sqlalchemy 04 {}"],
)
def test_the_command_works_on_the_track_and_leaves_the_lab_alone(
    words: str,
    lab_with_a_track: Lab,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    track = find("04/sqlalchemy")
    verdicts = Verdicts(track)
    monkeypatch.setattr(commands, "run_checks", verdicts)

    def say(verb: str) -> str:
        commands.main(words.format(verb).split())
        return " ".join(capsys.readouterr().out.split())

    verdicts.says = "1"
    hint = "python -m bench.practice 04-twenty-connections --with sqlalchemy hint"
    assert f"`{hint}`" in say(""), "the first time it makes the file"
    assert f"`labs/{WITH}/work/sessions.py` is your copy" not in say("")
    assert "Hint 1 of 3 for “test_a_full_pool_refuses_in_time”" in say("hint 1")
    assert f"`labs/{WITH}/work/sessions.py` is the starter again." in say("reset")
    fields = json.loads(say("--json"))
    assert (fields["lab"], fields["track"]) == ("04-twenty-connections", "sqlalchemy")
    assert "create_async_engine( database_url(), pool_size=3," in say("solution")
    assert not lab_with_a_track.work.parent.exists()


@pytest.mark.parametrize("words", [("04", "--with"), ("--with", "sqlalchemy"), ("--with",)])
def test_an_option_without_its_word_says_how(
    words: tuple[str, ...], lab_with_a_track: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main([*words]) == 2
    assert capsys.readouterr().out.startswith("Usage: python -m bench.practice LAB [--with TRACK]")


def test_a_cell_of_a_track_is_saved_in_its_folder(
    lab_with_a_track: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = find("04/sqlalchemy")
    verdicts = Verdicts(track)
    monkeypatch.setattr(commands, "run_checks", verdicts)
    monkeypatch.setattr(commands, "this_cell", lambda: f'app = 2\nsubmit("{WITH}")')
    verdicts.says = "0"
    assert commands.submit("04/with-sqlalchemy").next == f'Hint 1 of 3: `hint("{WITH}")`.'
    assert read(track.work) == "app = 2\n"
    assert not lab_with_a_track.work.parent.exists()


# -- for an instructor's table --


def line_of(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    code = commands.main(["01", "--json", *words])
    [line] = capsys.readouterr().out.splitlines()
    return code, json.loads(line)


def test_an_outcome_is_one_line_of_json_with_the_hints_that_were_used(
    lab: Lab, verdicts: Verdicts, capsys: pytest.CaptureFixture[str]
) -> None:
    names = check_names(lab)
    verdicts.says = "1"
    numbers(lab, 2)
    code, fields = line_of(capsys)
    assert code == 1
    assert fields == {
        "lab": "01-health-check",
        "track": "",
        "outcome": "incorrect",
        "passed": 0,
        "checks": len(names),
        "failing": names[1],
        "hints": 2,
        "course": course_version(),
    }
    verdicts.says = "2"
    commands.submit("01")
    numbers(lab, 3)
    verdicts.says = "passed"
    code, fields = line_of(capsys, "--learner", " Ada  Lovelace ")
    assert code == 0
    passed = fields["outcome"], fields["passed"], fields["failing"], fields["hints"]
    assert passed == ("correct", len(names), None, 5), "all hints, also those for earlier checks"
    assert fields["learner"] == "Ada Lovelace"
    commands.main(["01", "reset"])
    capsys.readouterr()
    verdicts.says = "0"
    again = line_of(capsys)[1]
    assert (again["outcome"], again["hints"]) == ("not attempted", 0)
    assert "learner" not in again


@pytest.mark.parametrize(
    ("says", "outcome", "failing"),
    [("raised in 1", "raised", 1), ("cannot start", "raised", None), ("0", "incorrect", 0)],
)
def test_the_line_names_the_check_that_stopped(
    says: str,
    outcome: str,
    failing: int | None,
    lab: Lab,
    verdicts: Verdicts,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verdicts.says = says
    _, fields = line_of(capsys)
    assert fields["outcome"] == outcome
    assert fields["failing"] == (None if failing is None else check_names(lab)[failing])


@pytest.mark.parametrize(
    "words", ["01 --json hint", "01 --learner Ada", "01 --json --learner", "table", "--json"]
)
def test_a_line_that_is_asked_for_wrongly_says_how(
    words: str, lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(words.split()) == 2
    assert "--json [--learner NAME]" in capsys.readouterr().out


# -- in a notebook --


def test_a_cell_is_saved_without_the_lines_that_submit_it() -> None:
    app = "from fastapi import FastAPI\n\n\napp = FastAPI()  # submit('not this')\n"
    for last in ('submit("01")', 'bench.submit("01")', 'submit(\n    "01"\n)', ' submit("01")'[1:]):
        cell = f"from bench import hint, submit\n{app}\n{last}"
        assert commands.without_submit(cell) == app
    assert commands.without_submit('from bench import submit\nsubmit("01")\n') == ""
    broken = commands.without_submit('def app(:\n    pass\nsubmit("01")\n')
    assert broken.split("\n")[:2] == ["def app(:", "    pass"]
    assert "submit" not in broken


def test_an_edited_file_is_kept_when_a_cell_replaces_it(
    lab: Lab, verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit(cell: str) -> Outcome:
        monkeypatch.setattr(commands, "this_cell", lambda: f'{cell}\nsubmit("01")')
        return commands.submit("01")

    assert submit("app = 2").kept == "labs/01-health-check/work/health.1.py"
    assert read(lab.work.with_name("health.1.py")) == "app = 1\n"
    assert read(lab.work) == "app = 2\n"
    assert submit("app = 3").kept == "", "what a cell holds is not lost"
    lab.work.write_text("app = 4  # in an editor\n", encoding="utf-8")
    assert submit("").kept == "", "an empty cell submits the file as it is"
    assert "health.2.py" in repr(submit("app = 5"))
    assert read(lab.work.with_name("health.2.py")) == "app = 4  # in an editor\n"


def test_submitting_works_in_a_kernel_and_under_nbval(
    ran: dict[str, Outcome], database: str, lab: Lab, tmp_path: Path
) -> None:
    """The stored output is made in this process; in a kernel, nbval finds the same."""
    outcome = replace(ran["constant"], next='Hint 1 of 3: `hint("01-health-check")`.')
    shown = {
        f'from bench import solution, submit\n{CONSTANT}\nsubmit("01")': outcome,
        'solution("01")': commands.solution("01"),
    }
    book = nbformat.v4.new_notebook()
    for number, (source, value) in enumerate(shown.items(), 1):
        data = {"text/plain": repr(value), "text/html": value._repr_html_()}
        result = nbformat.v4.new_output("execute_result", data, execution_count=number)
        cell = nbformat.v4.new_code_cell(source, outputs=[result], execution_count=number)
        book.cells.append(cell)
    nbformat.write(book, tmp_path / "lab.ipynb")
    nbval = ["--nbval", "--nbval-cell-timeout=240", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *nbval, tmp_path / "lab.ipynb"],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout
    assert read(lab.work).strip() == CONSTANT.strip(), "without the lines that submit it"


# -- what a reader sees --


def test_the_solution_in_a_page_is_the_tested_file_behind_a_click(lab: Lab) -> None:
    shown = commands.solution("01")._repr_html_()
    assert shown.startswith("<details><summary>")
    assert "-&gt; dict[str, int]:" in shown
    assert "ours is a <code>def</code> route" in shown
    assert lab.solution().strip() in repr(commands.solution("01"))


def test_an_outcome_is_text_and_html_with_nothing_left_raw() -> None:
    checks = Check("a", "Is 1 < 2", "passed"), Check("b", "Next", "failed"), Check("c", "Last")
    outcome = Incorrect("01-x", "Use `a < b`.", "line 1: a < b", checks, "Ask.", "work/health.1.py")
    assert repr(outcome) == textwrap.dedent(
        """\
        Lab 01-x
        passed:          Is 1 < 2
        failed:          Next
        not reached yet: Last
        Not yet: Use `a < b`.
            line 1: a < b
        Ask.
        Your earlier file is kept as `work/health.1.py`."""
    )
    shown = outcome._repr_html_()
    assert "<li>passed: Is 1 &lt; 2</li><li>failed: Next</li>" in shown
    assert "Use <code>a &lt; b</code>." in shown
    assert "<pre><code>line 1: a &lt; b</code></pre>" in shown
    assert "a < b" not in shown


def test_practice_is_imported_with_the_standard_library_alone() -> None:
    code = "import sys, bench.practice; print({'pytest', 'yaml', 'asyncpg'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=COURSE, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
