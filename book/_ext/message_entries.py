"""Sphinx extension: each entry of the messages' page has an address, and the search finds it first.

The page `book/messages` is a definition list: one message or several (between ` · `), and what they
mean. An entry gets

- the anchor `#message-<words of its first message>`, and `#sqlstate-<code>` for each SQLSTATE that
  it names; a page of the book links to it by `[text](#message-…)`;
- the names under which asyncpg and psycopg raise these SQLSTATEs, as installed; a class with which
  the explanation begins is a name of the entry, too;
- a place in the search page: `messages.js` puts it before the other results.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, cast

import asyncpg
import psycopg.errors
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.util.typing import ExtensionMetadata

PAGE = "book/messages"
DRIVERS = ("asyncpg.", "psycopg.errors.")
CLASS = re.compile(r"([A-Z][a-z]+){2,}")
SQLSTATE = re.compile(r"\bSQLSTATE ([0-9A-Z]{5})\b")


@dataclass(frozen=True)
class MessageEntry:
    """What the search page knows of an entry. `means` is HTML. All of it is in the page."""

    anchor: str
    means: str
    messages: list[str]
    keys: list[str]  # SQLSTATEs and names of classes: those of the drivers, and the first word
    code: str  # words of code in the explanation, without those of `messages` and `keys`


def list_items(doctree: nodes.document) -> Iterator[tuple[nodes.term, nodes.definition]]:
    """The terms of the page with their explanations, in order."""
    for item in doctree.findall(nodes.definition_list_item):
        [term] = item.findall(nodes.term)
        [definition] = item.findall(nodes.definition)
        yield term, definition


def class_names(sqlstate: str) -> list[str]:
    """The classes under which the installed drivers raise that SQLSTATE."""
    found = [
        f"asyncpg.{name}"
        for name, one in sorted(vars(asyncpg.exceptions).items())
        if isinstance(one, type) and vars(one).get("sqlstate") == sqlstate
    ]
    with suppress(KeyError):
        found.append(f"psycopg.errors.{psycopg.errors.lookup(sqlstate).__name__}")
    return found


def name_entries(app: Sphinx, doctree: nodes.document) -> None:
    """Give each entry its anchors and the names of its classes."""
    page = app.env.docname
    if page != PAGE:
        return
    labels = cast(StandardDomain, app.env.get_domain("std"))
    given: set[str] = set()
    for term, definition in list_items(doctree):
        states = SQLSTATE.findall(definition.astext())
        wanted = [f"message-{nodes.make_id(messages_of(term)[0])}"]
        wanted += [f"sqlstate-{state.lower()}" for state in states]
        anchors = [anchor for anchor in wanted if anchor not in given]
        if anchors[:1] != wanted[:1]:
            raise ValueError(f"{PAGE}: two entries begin with {messages_of(term)[0]!r}")
        given.update(anchors)
        term["ids"] += anchors
        for anchor in anchors:
            labels.note_hyperlink_target(
                anchor, page, anchor, text_of(term)
            )  # of the standard domain
        if names := [name for state in states for name in class_names(state)]:
            raised = nodes.paragraph("", "Raised as ")
            for number, name in enumerate(names):
                if number:
                    raised += nodes.Text(" and " if number == len(names) - 1 else ", ")
                raised += nodes.literal("", name)
            raised += nodes.Text(".")
            definition += raised
        link = f'<a class="headerlink" href="#{wanted[0]}" aria-label="Link to this message">#</a>'
        term += nodes.raw("", link, format="html")


def text_of(term: nodes.term) -> str:
    return "".join(part.astext() for part in term if not isinstance(part, nodes.raw))


def messages_of(term: nodes.term) -> list[str]:
    return text_of(term).split(" · ")


def words_of(*texts: str) -> list[str]:
    return re.findall(r"\w+", " ".join(texts).lower())


def entries_of(doctree: nodes.document) -> list[MessageEntry]:
    """The entries as the search page needs them."""
    found = []
    for term, definition in list_items(doctree):
        explained = definition.astext()
        code = [literal.astext() for literal in definition.findall(nodes.literal)]
        names = [one.rpartition(".")[2] for one in code if one.startswith(DRIVERS)]
        if code and explained.startswith(code[0]) and CLASS.fullmatch(code[0]):
            names.append(code[0])
        keys = SQLSTATE.findall(explained) + names
        told = set(words_of(*messages_of(term), *keys))
        found.append(
            MessageEntry(
                anchor=term["ids"][0],
                means=escape(explained.partition(" (")[0].partition("\n\n")[0]),
                messages=messages_of(term),
                keys=keys,
                code=" ".join(word for word in dict.fromkeys(words_of(*code)) if word not in told),
            )
        )
    return found


def tell_search_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if page != "search" or PAGE not in app.env.found_docs:
        return
    entries = [asdict(entry) for entry in entries_of(app.env.get_doctree(PAGE))]
    told = {"page": PAGE, "entries": entries}
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    context["message_entries"] = data.replace("<", "\\u003c")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-read", name_entries)
    app.connect("html-page-context", tell_search_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
