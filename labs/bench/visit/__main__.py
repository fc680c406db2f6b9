"""`python -m bench.visit`: see `bench.visit`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from bench.visit.application import VisitError
from bench.visit.asking import Request, header, json_body, read_steps, request_line
from bench.visit.judging import EXPLAINED
from bench.visit.page import offline
from bench.visit.reading.hits import TITLES
from bench.visit.reading.hits import told as read
from bench.visit.report import as_json, beyond, told
from bench.visit.settings import database_of, given, likely_templates, surroundings
from bench.visit.visits import Plan, visit

RED, UNUSABLE = 1, 2  # exit codes: --fail-on found something; the visit could not be made


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(
        prog="python -m bench.visit",
        description="What one request of your application asks its database, and what it holds.",
        epilog="Example: python -m bench.visit --python .venv/bin/python "
        "--env 'DATABASE_URL={dsn}' app.main:app 'GET /items?limit=20' --guests 6",
    )
    add = words.add_argument
    add("--read", type=Path, metavar="SRC", help="run nothing: read the source for faults")
    add("--only", action="append", default=[], choices=list(TITLES), help="of --read, this kind")
    add("app", nargs="?", help="where it is: app.main:app, or app.main:make_app() for a factory")
    add("request", nargs="?", help="method and path: 'GET /items?limit=20'")
    add("--python", default=sys.executable, help="the application's interpreter")
    add("--folder", type=Path, default=Path(), help="the application's folder (default: here)")
    add("--dsn", default="", help="its PostgreSQL; left out: what the variable of --env says now")
    add(
        "--env",
        action="append",
        default=[],
        metavar="NAME={dsn}",
        help="the variable that leads to its database; also {host} {port} {user} {password} {db}, "
        "and {address} for all of them: postgres://{address}",
    )
    add("--setup", default="", help="a command to run before: 'alembic upgrade head'")
    add("-H", "--header", action="append", default=[], metavar="'Name: value'")
    add("--json-body", metavar="JSON|@FILE", help="the body of the request")
    add("--steps", type=Path, metavar="FILE.yml", help="requests in a row; the last is measured")
    add("--guests", type=_whole, default=1, help="how many ask at the same moment")
    add("--warm", type=_count, help="how often before it is measured (3; 1 if it is no GET)")
    add("--rounds", type=_whole, help="how often it is measured (3; 1 if it is no GET)")
    add("--rtt", type=_milliseconds, default=0.0, metavar="MS", help="ms added to each round trip")
    add("--loop", choices=["asyncio", "uvloop", "auto"], default="asyncio")
    add("--no-cost", action="store_true", help="do not measure what the instruments cost")
    add("--html", type=Path, metavar="FILE", help="write all guests' timeline as one page")
    add("--json", type=Path, metavar="FILE", help="write everything for a program; - prints it")
    add("--fail-on", default="", metavar="KIND[=N],…", help="exit with 1 for these findings")
    return words


def _whole(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000")
    return int(text)


def _count(text: str) -> int:
    return 0 if text == "0" else _whole(text)


def _milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of milliseconds from 0 to 10000")
    return value / 1000


def limits(text: str) -> dict[str, float]:
    """`--fail-on wrong-place,n-plus-one=10` as {kind: the amount from which on it fails}."""
    found = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        kind, _, number = part.partition("=")
        if kind not in EXPLAINED:
            raise VisitError(
                f"--fail-on {kind}: there is no such finding. There are {', '.join(EXPLAINED)}."
            )
        try:
            found[kind] = float(number or 0)
        except ValueError:
            raise VisitError(f"--fail-on {part}: {number!r} is no number.") from None
    return found


def planned(asked: argparse.Namespace) -> Plan:
    """The plan that the words of the command line ask for. Raises VisitError."""
    folder = asked.folder.resolve()
    if not folder.is_dir():
        raise VisitError(f"--folder {asked.folder}: there is no such folder.")
    python = asked.python
    if "/" in python or "\\" in python:  # a path: seen from here, not from the application's folder
        python = str(Path(python).absolute())
    templates, was = given(asked.env), surroundings(folder)
    if asked.dsn:  # where a variable is not set, {dsn} has the scheme of --dsn
        was = {name: asked.dsn for name, text in templates.items() if "{dsn}" in text} | was
    dsn = database_of(asked.dsn, templates, was)
    if not asked.env:
        likely = [f"--env '{one}'" for one in likely_templates(folder)]
        if likely or asked.dsn:
            these = f"Likely in its code, take what fits: {' '.join(likely)}"
            print(
                "No --env, so the application uses its own database, unseen by the proxy: name "
                "the variable that leads there. "
                + (these if likely else "I see none in its code: --env 'DATABASE_URL={dsn}'."),
                file=sys.stderr,
            )
        dsn = ""
    elif not dsn and any("{" in text for text in templates.values()):
        raise VisitError(
            f"Neither --dsn nor {' or '.join(templates)} says where its PostgreSQL is. "
            "Give --dsn postgresql://user:password@127.0.0.1:5432/name."
        )
    steps = _steps(asked)
    often = 3 if steps[-1].safe else 1  # who asks to change something, asks once
    return Plan(
        app=asked.app,
        steps=steps,
        python=python,
        folder=folder,
        dsn=dsn,
        templates=templates,
        was=was,
        guests=asked.guests,
        warm=often if asked.warm is None else asked.warm,
        rounds=asked.rounds or often,
        rtt=asked.rtt,
        loop=asked.loop,
        setup=asked.setup,
        cost=not asked.no_cost,
    )


def _steps(asked: argparse.Namespace) -> list[Request]:
    steps = read_steps(asked.steps) if asked.steps else []
    headers = dict(header(text) for text in asked.header)
    body = b""
    if asked.json_body is not None:
        body = json_body(asked.json_body)
        headers = {"Content-Type": "application/json"} | headers
    if asked.request:
        steps.append(request_line(asked.request, headers=headers, body=body))
    elif not steps:
        raise VisitError("Which request? 'GET /items?limit=20', or --steps FILE.yml.")
    return steps


def main(words: list[str]) -> int:
    """The command. 0 when it was made, 1 when --fail-on found something, 2 when it was not made."""
    asked = parser().parse_args(words)
    try:
        if asked.read:
            text, faults = read(asked.read, asked.only)
            print(text)
            return RED if faults else 0
        if not asked.app:
            raise VisitError("Which application? 'app.main:app', or --read SRC to read its source.")
        refused = limits(asked.fail_on)
        seen = asyncio.run(visit(planned(asked), lambda step: print(step, file=sys.stderr)))
        if asked.json != Path("-"):
            print(told(seen))
        if asked.json:
            text = json.dumps(as_json(seen), indent=2, ensure_ascii=False)
            if asked.json == Path("-"):
                print(text)
            else:
                asked.json.write_text(text + "\n", encoding="utf-8")
        if asked.html:
            asked.html.write_text(offline(seen), encoding="utf-8")
            print(f"\nAll guests on one timeline: {asked.html}", file=sys.stderr)
    except VisitError as problem:
        print(problem, file=sys.stderr)
        return UNUSABLE
    except OSError as problem:
        print(f"{problem.filename}: {problem.strerror}.", file=sys.stderr)
        return UNUSABLE
    if red := beyond(seen, refused):
        print(f"\n--fail-on: {', '.join(one.kind for one in red)}.", file=sys.stderr)
        return RED
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.", file=sys.stderr)
        sys.exit(130)
