"""Runs the checks of a lab in this very process, where there is no PostgreSQL: in a browser's page.

The checks are the lab's own, and so are the words of every outcome. Of lab 7 all of them need
nothing but sockets, and where the system has none, they meet simulated ones. Those of labs 1, 2 and
6 meet stand-ins for PostgreSQL and the server (`stand_ins`); so a file that passes there is
right so far, and not more. What no stand-in knows ends in "cannot judge", never in a verdict.

Needs the standard library and what the submitted file needs.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.instruments.simulated_sockets import WaitsForEver, install
from bench.instruments.virtual import VirtualDeadlock, run_virtual
from bench.practice.folders import Lab, check_titles, every_lab, find, needs_nothing, read
from bench.practice.judgements import Judgement, event_of, not_attempted, unreadable
from bench.practice.printed_outcomes import NEVER_COMES, STUCK, Correct, Outcome, RightSoFar
from bench.practice.stand_ins.kitchen import now
from bench.practice.stand_ins.stage_of_checks import foreign_modules, stage

PLAYED = "01", "02", "06"
"""Labs whose checks run where stand-ins play PostgreSQL and the server."""
PAGE_LIMIT = 60.0  # seconds, some three on a quiet machine; then the page ends the checks

IN_A_PAGE = sys.platform == "emscripten"
CANNOT_JUDGE = "So this page cannot judge your file; at a desk the checks can."
UNKNOWN = "Your file asks for something that this page's stand-ins do not know: {what}. "
SO_FAR = (
    "All {number} checks pass in this page, where stand-ins play PostgreSQL and the server. Take "
    "your file to a desk, where `python -m bench.practice {lab}` runs them on real ones."
)

Tell = Callable[[dict[str, Any]], object]


def labs_of_the_page() -> list[Lab]:
    """The labs whose checks can run in a page, in order."""
    return [lab for lab in every_lab() if lab.name[:2] in PLAYED or needs_nothing(lab)]


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
    """Run the lab's checks on `file`, one after the other, until one fails.

    `tell` is called before each check with the states so far, and with the outcome if the checks
    have to be ended after PAGE_LIMIT seconds. One process checks one file after the other, so the
    functions that a file replaces in other modules are put back.
    """
    if problem := unreadable(lab, file):
        return problem
    linecache.clearcache()  # else an error would show a line of the file's earlier text
    os.environ["LAB_FILE"] = str(file)
    judgement = Judgement(lab)
    judgement.hear({"checks": [list(one) for one in check_titles(lab).items()]})
    with functions_put_back():
        try:
            if needs_nothing(lab):
                run_checks_here(judgement, tell)
            else:
                run_on_stand_ins(judgement, file, tell)
        except (WaitsForEver, VirtualDeadlock):
            outcome = judgement.stuck(NEVER_COMES)
        else:
            outcome = judgement.at_the_end("No check ran.")
    if lab.untouched(read(file)) and outcome.stopped:
        return not_attempted(lab, outcome)
    if isinstance(outcome, Correct) and not needs_nothing(lab):
        said = SO_FAR.format(number=len(outcome.checks), lab=lab.words)
        return RightSoFar(lab.name, said, checks=outcome.checks)
    return outcome


def run_checks_here(judgement: Judgement, tell: Tell | None) -> None:
    """Run checks that ask for no laboratory. WaitsForEver passes on."""
    if IN_A_PAGE:
        install()
    path = judgement.lab.folder / "test_lab.py"
    spec = importlib.util.spec_from_file_location("test_lab", path)
    assert spec
    assert spec.loader
    checks = sys.modules["test_lab"] = importlib.util.module_from_spec(spec)  # for dataclasses
    spec.loader.exec_module(checks)
    for check in judgement.so_far():
        tell_of(judgement, tell)
        try:
            getattr(checks, check.name)()
        except WaitsForEver:
            raise
        except BaseException as error:  # a SystemExit of the submitted code, too
            event = event_of(check.name, error)
        else:
            event = {"check": check.name, "result": "passed"}
        if judgement.hear(told(event)):
            return


def run_on_stand_ins(judgement: Judgement, file: Path, tell: Tell | None) -> None:
    """Run checks of a served app. VirtualDeadlock passes on."""
    if foreign := foreign_modules(read(file)):
        tell_of(judgement, tell)
        message = UNKNOWN.format(what=f"the module `{foreign[0]}`") + CANNOT_JUDGE
        first = judgement.so_far()[0].name
        judgement.hear({"check": first, "result": "closed", "message": message})
        return
    with stage(judgement.lab.folder / "test_lab.py", file) as played:

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            async with AsyncExitStack() as stack:
                app: Any = None
                for check in judgement.so_far():
                    tell_of(judgement, tell)
                    during = app is not None
                    try:
                        app = app or await played.app(stack)
                        during = True
                        await played.run(check.name, app)
                    except (VirtualDeadlock, GeneratorExit):
                        raise
                    except BaseException as error:
                        event = event_of(check.name, error, during=during)
                    else:
                        event = {"check": check.name, "result": "passed"}
                    if judgement.hear(told(event)):
                        return

        run_virtual(main())


def told(event: dict[str, Any]) -> dict[str, Any]:
    """The event, or the one that says why nothing can be judged here."""
    if now.unknown:
        message = UNKNOWN.format(what=now.unknown)
    elif IN_A_PAGE and event.get("raised") == "ModuleNotFoundError":
        message = f"{event['message']} in this page. "
    elif IN_A_PAGE and event.get("raised") == "NotInTheBrowser":
        message = f"{event['message']} "
    else:
        return event
    return {"check": event["check"], "result": "closed", "message": message + CANNOT_JUDGE}


def tell_of(judgement: Judgement, tell: Tell | None) -> None:
    """Tell what is known before the next check."""
    if tell:
        states = [asdict(check) for check in judgement.so_far()]
        stuck = judgement.stuck(STUCK.format(limit=PAGE_LIMIT))
        tell({"checks": states, "if_ended": as_data(stuck)})


@contextmanager
def functions_put_back() -> Iterator[None]:
    """Functions and classes that the block replaces in loaded modules are put back."""
    modules = [module for module in sys.modules.values() if isinstance(module, ModuleType)]
    before = [(vars(module), dict(vars(module))) for module in modules]
    try:
        yield
    finally:
        for now_there, then in before:
            for name, value in then.items():
                if callable(value) and now_there.get(name) is not value:
                    now_there[name] = value
