"""What PostgreSQL has answered to the playground's experiments, as HTML that needs no script.

`book/_live/playground-answers.js` makes the same elements, with the same words, from what a
PostgreSQL in the page answers; `tests/browser/test_playground.py` compares them.
"""

from __future__ import annotations

import json
import re
from html import escape
from itertools import pairwise
from typing import Any

from bench.course import BOOK

STATUS = {
    "I": "outside a transaction",
    "T": "in a transaction",
    "E": "in a failed transaction",
}
PLAN = ["QUERY PLAN"]
"""The column of EXPLAIN: its rows are the lines of one text."""


def explained_states() -> list[str]:
    """The SQLSTATEs that have an entry on the page of messages, in order."""
    page = (BOOK / "messages.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"\bSQLSTATE ([0-9A-Z]{5})\b", page)))


# -- Statements ------------------------------------------------------------------------------------


def text_of(answers: list[dict[str, Any]]) -> str:
    """The statements as a reader may edit them: each ends with `;`, its values stand above it."""
    statements = [_values(one["values"]) + one["sql"] + ";" for one in answers]
    text = statements[0]
    for before, after in pairwise(statements):
        text += ("\n\n" if "\n" in before + after else "\n") + after
    return text


def _values(values: list[Any]) -> str:
    lines = (f"-- ${number} = {json.dumps(one)}" for number, one in enumerate(values, 1))
    return "".join(f"{line}\n" for line in lines)


def answers_html(answers: list[dict[str, Any]], link: str) -> str:
    """All answers in a list; `link` is the address of the page of messages."""
    items = "\n".join(answer_html(one, link) for one in answers)
    return f'<ol class="pg-answers">\n{items}\n</ol>'


def answer_html(answer: dict[str, Any], link: str) -> str:
    """One statement with everything that came back."""
    sql = _values(answer["values"]) + answer["sql"]
    parts = [f'<pre class="pg-sql" tabindex="0">{escape(sql)}</pre>']
    parts += [_notice(notice) for notice in answer["notices"]]
    if answer["columns"] == PLAN:
        lines = "\n".join(row[0] for row in answer["rows"])
        parts.append(f'<pre class="pg-plan" tabindex="0">{escape(lines)}</pre>')
    elif answer["columns"]:
        parts.append(_table(answer["columns"], answer["rows"]))
    if answer["error"]:
        parts.append(_error(answer["sql"], answer["error"], link))
    tag = f"<code>{escape(answer['tag'])}</code> · " if answer["tag"] else ""
    if tag or answer["status"] != "I":
        parts.append(f'<p class="pg-tag">{tag}{STATUS[answer["status"]]}</p>')
    return "<li>{}</li>".format("\n".join(parts))


def _notice(notice: dict[str, Any]) -> str:
    head = f"{notice['severity']} {notice['sqlstate']}"
    return f'<p class="pg-notice"><strong>{head}</strong> {escape(notice["message"])}</p>'


def _table(columns: list[str], rows: list[list[str | None]]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    caption = f"{len(rows)} row{'s' * (len(rows) != 1)}"
    return (
        f'<div class="pg-rows" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(text: str | None) -> str:
    return "<td><em>null</em></td>" if text is None else f"<td>{escape(text)}</td>"


def _error(sql: str, error: dict[str, Any], link: str) -> str:
    state = error["sqlstate"]
    head = f"<strong>{escape(error['severity'])} {state}</strong> {escape(error['message'])}"
    parts = [f"<p>{head}</p>"]
    if "position" in error:
        parts.append(f'<pre tabindex="0">{escape(pointed_at(sql, error["position"]))}</pre>')
    for name in "detail", "hint":
        if name in error:
            parts.append(f"<p>{name.capitalize()}: {escape(error[name])}</p>")
    if state in explained_states():
        address = f"{link}#sqlstate-{state.lower()}"
        parts.append(f'<p><a href="{address}">What {state} means</a></p>')
    return f'<div class="pg-error">{"".join(parts)}</div>'


def pointed_at(sql: str, position: int) -> str:
    """The line with that character (counted from 1), and an arrow below the character."""
    before = sql[: position - 1]
    start = before.rfind("\n") + 1
    line = sql[start:].partition("\n")[0]
    return f"{line}\n{' ' * (position - 1 - start)}^"


# -- Messages --------------------------------------------------------------------------------------


def calls_html(calls: list[dict[str, Any]]) -> str:
    """The round trips of each call: a table each, with a message in each row."""
    parts = []
    for call in calls:
        trips = call["trips"]
        parts.append(f'<p class="pg-call"><code>{escape(call["call"])}</code></p>')
        for number, trip in enumerate(trips, 1):
            parts.append(trip_html(trip, f"Round trip {number} of {len(trips)}"))
    return "\n".join(parts)


def trip_html(trip: dict[str, list[dict[str, str]]], caption: str) -> str:
    """One round trip: what was sent before asyncpg waited, and what came then."""
    rows = [_row("→", "sent", one) for one in trip["sent"]]
    rows += [_row("←", "received", one) for one in trip["received"]]
    both = [*trip["sent"], *trip["received"]]
    size = sum(len(one["bytes"].split()) for one in both)
    dump = "\n".join(f"{one['letter']}  {one['bytes']}" for one in both)
    return (
        f'<table class="pg-trip"><caption>{caption}</caption>'
        '<thead><tr><th scope="col"><span>Way</span></th><th scope="col">Message</th>'
        '<th scope="col">What it says</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
        f'<details class="pg-bytes"><summary>Its {size} bytes</summary>'
        f'<pre tabindex="0">{escape(dump)}</pre></details>'
    )


def _row(arrow: str, way: str, message: dict[str, str]) -> str:
    letter, name, says, _ = map(escape, message.values())
    return (
        f'<tr class="pg-way-{way}"><td>{arrow} <span>{way}</span></td>'
        f"<td><b>{letter}</b> {name}</td><td>{says}</td></tr>"
    )
