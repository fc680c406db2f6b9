"""The directive `{what-ran}` and the role `{took}`: `book/status.json` as tables and in sentences.

    ```{what-ran}
    ```
    All cells took {took}`01-synchronous-queries` here.

The file is written by the runs themselves; here it becomes the versions, and for each lesson its
experiments: when each ran, how long, how many claims held, and a link to where the book shows it.
The role is the time of one run in whole seconds, "13 s".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import TypedDict

from docutils import nodes
from run_links import Runs
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import ExtensionMetadata

from bench.course import STATUS, TOUR_LESSON, WITH_SQLALCHEMY


class Run(TypedDict):
    ran: str
    seconds: float
    claims: list[str]


class Status(TypedDict):
    python: str
    system: str
    postgresql: str
    versions: dict[str, str]
    runs: dict[str, Run]


NAMES = {  # as their authors write them
    "fastapi": "FastAPI",
    "starlette": "Starlette",
    "anyio": "AnyIO",
    "uvicorn": "Uvicorn",
    "psycopg": "psycopg",
    "asyncpg": "asyncpg",
    "aiosqlite": "aiosqlite",
    "sqlalchemy": "SQLAlchemy",
}


def stored() -> Status:
    status: Status = json.loads(STATUS.read_text(encoding="utf-8"))
    return status


def rows_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], style: str = "status-table"
) -> nodes.raw:
    """Cells are HTML; the first of a row is its head. `style` is a class of course.css."""
    top = "".join(f'<th scope="col">{one}</th>' for one in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{one}</td>" for one in rest)}</tr>'
        for first, *rest in rows
    )
    html = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    table = f'<table class="table {style}">{html}</table>'
    scrolls = f'<div class="pst-scrollable-table-container">{table}</div>'
    return nodes.raw("", scrolls, format="html")


def versions_table(status: Status) -> nodes.raw:
    rows = [("Python", status["python"]), ("PostgreSQL", status["postgresql"])]
    rows += [(NAMES.get(name, name), one) for name, one in status["versions"].items()]
    rows.append(("operating system", status["system"]))
    return rows_table(("What", "Version"), [(escape(name), escape(one)) for name, one in rows])


def lesson_of_run(name: str) -> str:
    """The digits of the lesson of a run: "01" for "01-…", "01/…" and "with_sqlalchemy/01_…"."""
    if name.startswith("tour/"):
        return TOUR_LESSON
    return name.removeprefix(f"{WITH_SQLALCHEMY.name}/")[:2]


def words_for(name: str) -> str:
    """How the page calls a run: "the notebook", "busy thread", "with SQLAlchemy: messages"."""
    room, _, script = name.partition("/")
    if room == WITH_SQLALCHEMY.name:
        return f"with SQLAlchemy: {script[3:]}".replace("_", " ")
    return script.replace("_", " ") or "the notebook"


class WhatRanDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(STATUS))
        self.env.note_reread()
        status = stored()
        where = Runs(self.env, self.env.docname)
        lessons = sorted({lesson_of_run(name) for name in status["runs"]})
        return [
            self._section("versions", "Versions", versions_table(status)),
            *(self._lesson(lesson, status["runs"], where) for lesson in lessons),
        ]

    def _lesson(self, lesson: str, runs: Mapping[str, Run], where: Runs) -> nodes.section:
        rows = []
        for name, run in runs.items():
            if lesson_of_run(name) != lesson:
                continue
            words = words_for(name)
            target = next(filter(None, map(where.target, run["claims"])), "")
            shown = f'<a href="{escape(target)}">{escape(words)}</a>' if target else escape(words)
            seconds = f"{run['seconds']:g} s"
            rows.append((shown, run["ran"], seconds, str(len(run["claims"]))))
        head = ("Experiment", "Ran on", "Took", "Claims that held")
        return self._section(f"ran-{lesson}", f"Lesson {int(lesson)}", rows_table(head, rows))

    def _section(self, name: str, title: str, content: nodes.Node) -> nodes.section:
        section = nodes.section(ids=[name], names=[name])
        section += nodes.title("", title)
        section += content
        self.state.document.note_implicit_target(section)
        return section


class TookRole(SphinxRole):
    """`{took}`: how long that run took, where its outputs were made."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        self.env.note_dependency(str(STATUS))
        if not (run := stored()["runs"].get(self.text)):
            message = f"{{took}}: book/status.json has no run {self.text!r}"
            return [], [self.inliner.reporter.warning(message, line=self.lineno)]
        return [nodes.Text(f"{run['seconds']:.0f} s")], []


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_role("took", TookRole())
    app.add_directive("what-ran", WhatRanDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
