"""Runs those checks of a lab that need no PostgreSQL, in this very process: for a browser's page.

The checks are the lab's own, and so are the words of every outcome. Of a lab whose checks need
nothing, all of `test_lab.py` runs. Of another one, `without_postgres.py` names parts of checks; the
others say "only at a desk", and a file that passes is right so far, and not more.

Needs the standard library and what the submitted file needs. Where the system has no sockets, the
checks meet simulated ones; where there is no driver of PostgreSQL, names that cannot be called.
"""

from __future__ import annotations

import importlib.util
import json
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.instruments.simulated_sockets import WaitsForEver, install
from bench.practice.driver_names import NoPostgres, stand_in
from bench.practice.folders import (
    Lab,
    check_names,
    check_titles,
    every_lab,
    find,
    needs_nothing,
    read,
)
from bench.practice.judgements import Judgement, event_of, not_attempted, unreadable
from bench.practice.printed_outcomes import (
    NEVER_COMES,
    NO_APP,
    STUCK,
    Check,
    Correct,
    Outcome,
    RightSoFar,
    State,
)
from bench.practice.raised_code import CodeRaised, NoApp, entry_of

PARTS_FILE = "without_postgres.py"
PAGE_LIMIT = 60.0  # seconds, some three on a quiet machine; then the page ends the checks

Part = Callable[[], object]
Tell = Callable[[dict[str, Any]], object]

SO_FAR = (
    "What this page can check is right: parts of checks {numbers}. All else needs PostgreSQL. "
    "Take your file to a desk, where `python -m bench.practice {lab}` runs every check."
)
NOWHERE = "postgresql://nobody@127.0.0.1/nowhere"
ASKS = (
    "Your code asks PostgreSQL, and in a page there is none. So this page cannot judge your file; "
    "at a desk the checks can."
)


def labs_of_the_page() -> list[Lab]:
    """The labs of which a page can run checks, in order: all of them, or parts of some."""
    return [lab for lab in every_lab() if needs_nothing(lab) or (lab.folder / PARTS_FILE).exists()]


def check_for_a_page(name: str, source: str, display: Callable[[object], object]) -> None:
    """Check `source`, the learner's text, for a page's script, which reads what is displayed: JSON.

    Before each check comes {"checks": …, "if_ended": an outcome}, and at the end an outcome, which
    is {"kind": …, "headline": …, "message": …, "code": …, "checks": [{"name", "title", "state"}]}.
    Raises UnknownLab.
    """
    lab = find(name)
    lab.work.parent.mkdir(exist_ok=True)
    lab.work.write_text(source, encoding="utf-8")
    display(Json(as_data(check_in_the_page(lab, lab.work, lambda news: display(Json(news))))))


def as_data(outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": type(outcome).__name__,
        "headline": outcome.headline,
        "message": outcome.message,
        "code": outcome.code,
        "checks": [asdict(check) for check in outcome.checks],
    }


@dataclass(frozen=True)
class Json:
    """Is shown as JSON."""

    data: object

    def __repr__(self) -> str:
        return json.dumps(self.data)


def check_in_the_page(lab: Lab, file: Path, tell: Tell | None = None) -> Outcome:
    """Check `file` with what of the lab needs no PostgreSQL.

    `tell` is called before each check with the states so far, and with the outcome if the checks
    have to be ended after PAGE_LIMIT seconds. One process checks one file after the other, so the
    functions that a file replaces in other modules are put back.
    """
    linecache.clearcache()  # else an error would show a line of the file's earlier text
    with functions_put_back():
        outcome = run_checks_here(lab, file, tell)
    if lab.untouched(read(file)) and outcome.stopped:
        return not_attempted(lab, outcome)
    return outcome


def run_checks_here(lab: Lab, file: Path, tell: Tell | None = None) -> Outcome:
    """Run the checks on `file`, one after the other, until one fails."""
    if problem := unreadable(lab, file):
        return problem
    os.environ["LAB_FILE"] = str(file)
    os.environ.setdefault("BISTRO_DSN", NOWHERE)
    if sys.platform == "emscripten":
        install()
    stand_in()
    parts = parts_of(lab)
    judgement = Judgement(lab)
    judgement.hear({"checks": [[name, check_titles(lab)[name]] for name in parts]})
    for name in parts:
        if tell:
            states = [asdict(check) for check in whole(lab, judgement.so_far())]
            stuck = in_parts(lab, judgement.stuck(STUCK.format(limit=PAGE_LIMIT)))
            tell({"checks": states, "if_ended": as_data(stuck)})
        try:
            event = what_comes_of(name, parts[name], lab, file)
        except WaitsForEver:
            return in_parts(lab, judgement.stuck(NEVER_COMES))
        if judgement.hear(event):
            break
    return in_parts(lab, judgement.at_the_end("No check ran."))


def parts_of(lab: Lab) -> dict[str, list[Part]]:
    """What runs here of each check, by its name; a check that needs PostgreSQL is left out."""
    if needs_nothing(lab):
        checks = loaded(lab.folder / "test_lab.py")
        return {name: [getattr(checks, name)] for name in check_names(lab)}
    return loaded(lab.folder / PARTS_FILE).PARTS


def what_comes_of(name: str, parts: list[Part], lab: Lab, file: Path) -> dict[str, Any]:
    """Run one check; return its event. WaitsForEver passes on."""
    if not needs_nothing(lab):  # elsewhere a server would load the file, before the first check
        try:
            must_have_an_app(file)
        except CodeRaised as error:
            return event_of(name, error, during=False)
        except NoPostgres:
            return {"check": name, "result": "closed", "message": ASKS}
    try:
        for part in parts:
            part()
    except WaitsForEver:
        raise
    except NoPostgres:
        return {"check": name, "result": "closed", "message": ASKS}
    except BaseException as error:  # a SystemExit of the submitted code, too
        return event_of(name, error)
    return {"check": name, "result": "passed"}


def must_have_an_app(file: Path) -> None:
    """Raise CodeRaised as a server does that loads the submitted file."""
    try:
        if not callable(getattr(loaded(file), "app", None)):
            raise NoApp(NO_APP)
    except (WaitsForEver, NoPostgres):
        raise
    except BaseException as error:
        raise CodeRaised(entry_of(error, file)) from error


def loaded(file: Path) -> ModuleType:
    """The module in `file`, afresh each time."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # a dataclass looks for its module there
    spec.loader.exec_module(module)
    return module


def in_parts(lab: Lab, outcome: Outcome) -> Outcome:
    """The outcome of a lab of which only parts run here: the other checks are for a desk."""
    if needs_nothing(lab):
        return outcome
    checks = whole(lab, outcome.checks)
    if not isinstance(outcome, Correct):
        return replace(outcome, checks=checks)
    ran = {check.name for check in outcome.checks}
    numbers = [str(number) for number, name in enumerate(check_names(lab), 1) if name in ran]
    said = SO_FAR.format(numbers=" and ".join(numbers), lab=lab.words)
    return RightSoFar(lab.name, said, checks=checks)


def whole(lab: Lab, checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """All checks of the lab: those that ran here, and those that need a desk."""
    if needs_nothing(lab):
        return checks
    here: dict[str, State] = {
        check.name: "a part passed" if check.state == "passed" else check.state for check in checks
    }
    titles = check_titles(lab).items()
    return tuple(Check(name, title, here.get(name, "only at a desk")) for name, title in titles)


@contextmanager
def functions_put_back() -> Iterator[None]:
    """Functions and classes that the block replaces in loaded modules are put back."""
    modules = [module for module in sys.modules.values() if isinstance(module, ModuleType)]
    before = [(vars(module), dict(vars(module))) for module in modules]
    try:
        yield
    finally:
        for now, then in before:
            for name, value in then.items():
                if callable(value) and now.get(name) is not value:
                    now[name] = value
