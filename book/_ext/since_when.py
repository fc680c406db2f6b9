"""The table `{since-when}`, and the role `{since}` that links a sentence to its row.

    A `yield` dependency ends after the reply ({since}`yield-ends-after-the-reply`).

The role becomes "since FastAPI 0.118", a link to the row of `book/since-when.yml`. An id that no
row has is a warning, and warnings stop the build. What the rows' probes printed, and when, stands
in `book/since-when-runs.json`; `python tests/proof since` writes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from bench.course import BOOK

TABLE, RUNS = BOOK / "since-when.yml", BOOK / "since-when-runs.json"
PAGE = "book/since-when"

_inline = MarkdownIt("commonmark", {"html": False}).renderInline


@dataclass(frozen=True)
class Row:
    """A sentence with the release since which it is true. It has a `probe`, or it was `read`."""

    id: str
    library: str
    since: str
    sentence: str
    read: str = ""
    probe: str = ""  # a script of tests/proof/probes, with its arguments
    here: str = ""  # what it prints with the releases that the course installs
    others: dict[str, str] = field(default_factory=dict)  # {requirements: what it prints there}


def rows(path: Path = TABLE) -> list[Row]:
    """Every row, in order. ValueError: one is neither run nor read, or an id is used twice."""
    found = [Row(**row) for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    for row in found:
        if bool(row.read) == bool(row.probe and row.here and row.others):
            raise ValueError(f"{row.id}: give `read`, or `probe`, `here` and `others`")
    if len({row.id for row in found}) < len(found):
        raise ValueError("an id is given twice")
    return found


def runs(path: Path = RUNS) -> dict[str, dict[str, Any]]:
    """{row's id: {"ran": date, "said": {requirements: what the probe printed}}}."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def how_known(row: Row, ran: dict[str, Any] | None) -> str:
    """The last cell of a row, as HTML."""
    if row.read:
        return _inline(row.read)
    if not ran:
        return "not run yet"
    said = [f"<code>{escape(name)}</code> {escape(word)}" for name, word in ran["said"].items()]
    return f"run on {ran['ran']}: " + " · ".join(said)


class SinceRole(SphinxRole):
    """`{since}`: the id of a row becomes a link to it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        self.env.note_dependency(str(TABLE))
        row = {row.id: row for row in rows()}.get(self.text)
        if row is None:
            message = f"{{since}}: book/since-when.yml has no row {self.text!r}"
            return [], [self.inliner.reporter.warning(message, line=self.lineno)]
        page = self.env.app.builder.get_relative_uri(self.env.docname, PAGE)
        text = f"since {row.library} {row.since}"
        return [nodes.reference("", text, refuri=f"{page}#{row.id}", classes=["run"])], []


class SinceWhenDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        for file in TABLE, RUNS:
            self.env.note_dependency(str(file))
        ran = runs()
        body = "".join(
            f'<tr id="{row.id}"><th scope="row">{escape(row.library)} {escape(row.since)}</th>'
            f"<td>{_inline(row.sentence)}</td><td>{how_known(row, ran.get(row.id))}</td></tr>"
            for row in rows()
        )
        head = "".join(
            f'<th scope="col">{name}</th>' for name in ("since", "what is true", "how we know")
        )
        table = f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        html = f'<div class="pst-scrollable-table-container">{table}</div>'
        return [nodes.raw("", html, format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("since", SinceRole())
    app.add_directive("since-when", SinceWhenDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
