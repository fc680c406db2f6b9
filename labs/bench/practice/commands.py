"""What a learner calls in a lab. A prefix of the lab's name, such as "01", is enough.

In a notebook, `submit("01-health-check")` as the last line of the cell that holds the app; then
`hint("01-health-check")` and `solution("01-health-check")`. In a terminal:

    python -m bench.practice 01              check work/health.py (the first time: make it first)
    python -m bench.practice 01 hint         the next hint for the check that fails
    python -m bench.practice 01 hint 1       the first hint again
    python -m bench.practice 01 solution     the tested solution and its reason
    python -m bench.practice 01 reset        begin again; your file is kept
    python -m bench.practice 01 --json       check, and print the outcome as one line of JSON;
                                             with --learner "Ada" it names its learner
    python -m bench.practice table FILES     such lines as a table (see `bench.practice.marking`)

A lab can have a track, which is the same task with another library. In a terminal it is the option
`--with sqlalchemy`, and in a notebook a part of the name: `submit("04/with-sqlalchemy")`.

Every outcome is one of five classes of `bench.practice.printed_outcomes`: NotAttempted, Raised,
Incorrect, Correct, and Closed when the laboratory itself could not start.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.practice.checking import LIMIT, run_checks
from bench.practice.folders import Lab, UnknownLab, find, read
from bench.practice.judgements import not_attempted
from bench.practice.marking import marked_line, table_of
from bench.practice.printed_outcomes import (
    Check,
    Correct,
    Hint,
    Outcome,
    Raised,
    Solution,
    wrapped,
)

IN_A_CELL = '{verb}("{lab.name}")'
IN_A_SHELL = "python -m bench.practice {lab.words} {verb}"
USAGE = (
    "python -m bench.practice LAB [--with TRACK] [hint [NUMBER] | solution | reset | --json "
    "[--learner NAME]], or: python -m bench.practice table FILES"
)
_SUBMIT = re.compile(r"^\s*(bench\.|practice\.)*submit\(.*$", re.MULTILINE)
_OURS = {"submit", "hint", "solution"}
AN_ERROR = {"name": "an error", "title": "the error that your code raised"}
ERROR_HINTS = (
    "Which value on the line of the error is not what that line expects, and what made it?",
    "A call of an `async def` function makes a coroutine: `await` gives its value. A task keeps "
    "its value until you ask: `task.result()`. A row of asyncpg is no dict: `dict(row)` makes one.",
    "`raise TypeError(type(___))` before that line shows which type a value has. Then remove it.",
)


def submit(lab: str) -> Outcome:
    """Save this cell as the learner's file, without the line that submits it, and check it.

    A cell that holds nothing else submits the file as it is, at first the starter. An earlier file
    that the learner edited elsewhere is kept under another name. Raises UnknownLab.
    """
    found = find(lab)
    source = without_submit(this_cell())
    kept = found.save(source) if source.strip() else None
    return replace(check(found), kept=kept or "")


def hint(lab: str, number: int | None = None) -> Hint | Outcome:
    """The next hint for the check that fails: the first, the second, the third; or the `number`th.

    Code that raises in a check gets the hints for an error: the check has judged nothing yet. The
    first call may run the checks, to learn which one fails. When all pass, the outcome is returned
    instead; also when the app does not start, unless `number` asks for a hint. Raises UnknownLab;
    ValueError for no such number.
    """
    return next_hint(find(lab), number)


def solution(lab: str) -> Solution:
    """The lab's own solution, a file that the course's tests run. Raises UnknownLab."""
    found = find(lab)
    return Solution(found.name, found.reason(), found.solution())


def check(
    lab: Lab,
    tell: Callable[[Check], object] | None = None,
    how: str = IN_A_CELL,
    limit: float = LIMIT,
) -> Outcome:
    """Check the learner's file and remember at which check it stops, failed or raised.

    Without a file, the starter becomes it. The starter is run as well, so that the learner sees how
    it fails, but that is no attempt. `how` words what to do next.
    """
    beginning = "" if lab.work.exists() else begun(lab)
    outcome = run_checks(lab, lab.work, tell, limit)
    if lab.untouched(read(lab.work)) and outcome.stopped:
        lab.remember(failing=None, hints=0)  # what an earlier try failed is no longer of use
        offer = f"The next hint: `{how.format(verb='hint', lab=lab)}`."
        return replace(not_attempted(lab, outcome, beginning), next=offer)
    if isinstance(outcome, Correct):
        lab.remember(failing=None, hints=0)
        call = how.format(verb="solution", lab=lab)
        return replace(outcome, next=f"Compare it with ours: `{call}`.")
    if outcome.stopped:
        failing = remembered(outcome.stopped)
        shown, of = noted(lab, failing), len(hints_for(lab, failing))
        call = how.format(verb="hint", lab=lab)
        offer = f"Hint {min(shown + 1, of)} of {of}: `{call}`."
        return replace(outcome, next=offer)
    return outcome


def next_hint(lab: Lab, number: int | None = None, how: str = IN_A_CELL) -> Hint | Outcome:
    failing = lab.progress().get("failing")
    if not failing:
        file = lab.work if lab.work.exists() else lab.starter
        outcome = run_checks(lab, file)
        if outcome.stopped:
            failing = remembered(outcome.stopped)
            noted(lab, failing)
        elif number is None or not isinstance(outcome, Raised):
            return outcome
        else:  # it cannot start: who asks for a hint gets one
            failing = AN_ERROR
    hints = hints_for(lab, failing)
    shown = lab.progress().get("hints", 0)
    if number is not None and not 1 <= number <= len(hints):
        raise ValueError(f"There are hints 1 to {len(hints)}, not {number}.")
    this = number or min(shown + 1, len(hints))
    if lab.progress().get("failing") == failing:
        lab.remember(hints=max(shown, this))
    used = lab.progress().get("used") or {}
    lab.remember(used=used | {failing["name"]: max(used.get(failing["name"], 0), this)})
    verb = "hint" if this < len(hints) else "solution"
    then = f"Next: `{how.format(verb=verb, lab=lab)}`."
    return Hint(failing["title"], this, len(hints), hints[this - 1], then)


def remembered(stopped: Check) -> dict[str, str]:
    """How `progress.json` names what hints are for: a check that failed, or an error."""
    if stopped.state == "raised":
        return AN_ERROR
    return {"name": stopped.name, "title": stopped.title}


def hints_for(lab: Lab, failing: dict[str, str]) -> Sequence[str]:
    return ERROR_HINTS if failing["name"] == AN_ERROR["name"] else lab.hints()[failing["name"]]


def noted(lab: Lab, failing: dict[str, str]) -> int:
    """Remember what fails; return how many hints for it have been shown."""
    progress = lab.progress()
    if (progress.get("failing") or {}).get("name") == failing["name"]:
        return progress.get("hints", 0)
    lab.remember(failing=failing, hints=0)
    return 0


def begun(lab: Lab) -> str:
    """Put the starter into `work/`, and say so."""
    lab.begin()
    return (
        f"`{lab.shown(lab.work)}` is your copy of the starter. Repair it in an editor, then run "
        "this again."
    )


def reset(lab: Lab) -> str:
    """Begin again with the starter, without the memory of hints. The learner's file is kept."""
    kept = f"Your file is kept as `{lab.keep()}`. " if lab.work.exists() else ""
    lab.begin()
    lab.remember(failing=None, hints=0, submitted=None, used={})
    return f"{kept}`{lab.shown(lab.work)}` is the starter again."


def this_cell() -> str:
    """The source of the notebook cell that is running; empty outside a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    try:
        return shell.get_parent()["content"]["code"] if shell else ""
    except (AttributeError, KeyError):
        return ""


def without_submit(cell: str) -> str:
    """The cell without the lines that are there for `bench.practice`."""
    try:
        tree = ast.parse(cell)
    except SyntaxError:  # a line of IPython's own, perhaps
        return _SUBMIT.sub("", cell)
    lines = cell.splitlines()
    for node in tree.body:
        match node:
            case ast.Expr(ast.Call(func=ast.Name("submit") | ast.Attribute(attr="submit"))):
                pass
            case ast.ImportFrom(module="bench" | "bench.practice", names=names) if {
                alias.name for alias in names
            } <= _OURS:
                pass
            case _:
                continue
        for number in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[number] = ""
    text = "\n".join(lines).strip("\n")
    return f"{text}\n" if text.strip() else ""


def asked(words: list[str]) -> tuple[str, list[str]] | None:
    """The lab's name, with the track of `--with TRACK`, and the other words.

    The option may stand anywhere. None when no lab is named, or no track behind the option.
    """
    words = " ".join(words).replace("--with=", "--with ").split()
    track = ""
    if "--with" in words:
        at = words.index("--with")
        track = "/".join(["", *words[at + 1 : at + 2]])
        del words[at : at + 2]
        if not track:
            return None
    if not words or words[0].startswith("-"):
        return None
    return words[0] + track, words[1:]


def main(words: list[str]) -> int:
    """The command. Returns 0 when it did what was asked: for a check, when all checks pass."""
    if words[:1] == ["table"]:
        return print_table(words[1:]) if words[1:] else misused()
    as_json = "--json" in words
    words, learner = without_learner([word for word in words if word != "--json"])
    if learner is None or (understood := asked(words)) is None:
        return misused()
    name, rest = understood
    try:
        lab = find(name)
    except UnknownLab as error:
        print(error)
        return 2
    if as_json or learner:
        return print_line(lab, learner) if as_json and not rest else misused()
    match rest:
        case []:
            outcome = check(lab, lambda done: print(done, flush=True), IN_A_SHELL)
            for later in outcome.checks:
                if later.state == "not reached yet":
                    print(later)
            print(outcome.closing())
            return 0 if isinstance(outcome, Correct) else 1
        case ["hint"]:
            print(next_hint(lab, None, IN_A_SHELL))
        case ["hint", number] if number.isdecimal():
            try:
                print(next_hint(lab, int(number), IN_A_SHELL))
            except ValueError as error:
                print(error)
                return 2
        case ["solution"]:
            print(solution(lab.name))
        case ["reset"]:
            print(wrapped(reset(lab)))
        case _:
            return misused()
    return 0


def misused() -> int:
    print(f"Usage: {USAGE}")
    return 2


def without_learner(words: list[str]) -> tuple[list[str], str | None]:
    """The words without `--learner NAME`, and the name: "" without the option, None without one."""
    for at, word in enumerate(words):
        if word == "--learner":
            name = " ".join("".join(words[at + 1 : at + 2]).split())
            return words[:at] + words[at + 2 :], name or None
        if word.startswith("--learner="):
            name = " ".join(word.removeprefix("--learner=").split())
            return words[:at] + words[at + 1 :], name or None
    return words, ""


def print_line(lab: Lab, learner: str) -> int:
    """Check the lab and print its outcome as one line of JSON, and nothing else."""
    outcome = check(lab, None, IN_A_SHELL)
    print(marked_line(lab, outcome, learner))
    return 0 if isinstance(outcome, Correct) else 1


def print_table(names: list[str]) -> int:
    """Print the table of these files; what could not be read goes to the error output."""
    try:
        table, problems = table_of(names)
    except OSError as error:
        problems = [f"{error.filename}: {error.strerror}"]
    else:
        print(table, end="")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0
