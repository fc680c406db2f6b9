"""The directives of `book/playground.md`: experiments with a PostgreSQL that runs in the page.

    :::{statements} failed-transaction
    :predict: What does commit answer?
    :options: COMMIT | ROLLBACK | an error
    :answer: ROLLBACK
    Why it is so; folded together with the recorded answers.
    :::

`{conversation}` is the same for the messages of asyncpg's calls. `{own-sql}` and `{own-messages}`
are for what a reader types; they hold the first text of the editor. Answers were recorded by
`labs/recorders/playground.py`. Without scripts, or without the fetched PostgreSQL, all but the
buttons is there.
"""

from __future__ import annotations

import json
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from live_pins import ASSETS, is_whole
from playground_answers import answers_html, calls_html, explained_states, text_of
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata, OptionSpec

from bench.course import EVIDENCE, LABS

RECORDED = EVIDENCE / "playground" / "recorded.json"
MESSAGES = "messages.html"
KITCHEN_BOOK = [LABS / "bistro" / name for name in ("schema.sql", "seed.sql")]
ENGINE = "_static/live"
ASLEEP = (
    "Here you could type: with JavaScript, in a book built after <code>make live-assets</code>."
)
CODE = re.compile(r"`([^`]+)`")


def raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def inline(text: str) -> str:
    """HTML of a short text in which code stands between backticks."""
    return CODE.sub(r"<code>\1</code>", escape(text))


def box(kind: str, name: str) -> nodes.raw:
    """The begin of the element that the script finds; it ends with `</div>`."""
    attributes = {
        "class": "playground",
        "data-kind": kind,
        "data-name": name,
        "data-messages": MESSAGES,
        "data-explained": " ".join(explained_states()),
        "data-bytes": str(bytes_of_the_engine()) if is_whole() else "",
    }
    listed = " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items())
    return raw(f"<div {listed}>")


def bytes_of_the_engine() -> int:
    """What the first click downloads: PostgreSQL, as it is shipped."""
    files = [path for path in (ASSETS / "pglite").iterdir() if path.suffix in (".gz", ".js")]
    return sum(path.stat().st_size for path in files)


class Experiment(SphinxDirective):
    """One experiment: its prediction, what is sent, and, folded, what came back and why."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[OptionSpec] = {
        "predict": directives.unchanged_required,
        "options": directives.unchanged_required,
        "answer": directives.unchanged_required,
    }
    kind = ""
    language = ""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(RECORDED))
        recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
        name = self.arguments[0]
        if name not in recorded[self.kind]:
            raise self.error(f"{self.name}: recorded.json has no {self.kind} {name!r}")
        found = recorded[self.kind][name]
        server, driver = recorded["versions"].values()
        title = f"Recorded with PostgreSQL {server}: the answers, and why"
        if self.kind == "conversations":
            title = f"Recorded with asyncpg {driver} and PostgreSQL {server}: the messages"
        text = self.text(found)
        fold = '<details class="pg-recorded"><summary>{}</summary>\n<div class="pg-output">{}</div>'
        return [
            box(self.kind, name),
            raw(self.prediction(name)),
            nodes.literal_block(text, text, language=self.language),
            raw(fold.format(title, self.answers(found))),
            *self.parse_content_to_nodes(),
            raw(f"</details>{self.data(found)}</div>"),
        ]

    def prediction(self, name: str) -> str:
        """The question with its options; a script says later which one was chosen."""
        options = [option.strip() for option in self.options["options"].split("|")]
        answer = self.options["answer"]
        if answer not in options:
            raise self.error(f"{self.name}: {answer!r} is not one of the options")
        labels = "".join(
            f'<label><input type="radio" name="pg-{name}" value="{escape(option)}"> '
            f"<span>{inline(option)}</span></label>"
            for option in options
        )
        return (
            f'<fieldset class="pg-predict" data-answer="{escape(answer)}">'
            f"<legend>{inline(self.options['predict'])}</legend>{labels}</fieldset>"
        )

    def text(self, found: list[dict[str, Any]]) -> str:
        raise NotImplementedError

    def answers(self, found: list[dict[str, Any]]) -> str:
        raise NotImplementedError

    def data(self, found: list[dict[str, Any]]) -> str:
        return ""


class Statements(Experiment):
    kind = "statements"
    language = "postgresql"

    def text(self, found: list[dict[str, Any]]) -> str:
        return text_of(found)

    def answers(self, found: list[dict[str, Any]]) -> str:
        return answers_html(found, MESSAGES)


class AsyncpgCalls(Experiment):
    kind = "conversations"
    language = "python"

    def text(self, found: list[dict[str, Any]]) -> str:
        return "\n".join(call["call"] for call in found)

    def answers(self, found: list[dict[str, Any]]) -> str:
        return calls_html(found)

    def data(self, found: list[dict[str, Any]]) -> str:
        """What asyncpg sent, for the script: it sends these bytes once more."""
        sent = [
            {
                "call": call["call"],
                "trips": [[one["bytes"] for one in trip["sent"]] for trip in call["trips"]],
            }
            for call in found
        ]
        return f'<script type="application/json" class="pg-sent">{json.dumps(sent)}</script>'


class Own(SphinxDirective):
    """An editor for what the reader types; its content is the first text."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        return [
            box(self.name, self.name),
            raw(f'<p class="pg-asleep">{ASLEEP}</p>'),
            nodes.literal_block(text, text, language="postgresql"),
            raw("</div>"),
        ]


def copy_kitchen_book(app: Sphinx, error: Exception | None) -> None:
    """The worker makes each fresh kitchen book with the bistro's own scripts."""
    if error or app.builder.format != "html" or not is_whole():
        return
    for path in KITCHEN_BOOK:
        shutil.copyfile(path, Path(app.outdir) / ENGINE / path.name)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("page_assets")
    app.setup_extension("live_cells")
    app.add_directive("statements", Statements)
    app.add_directive("conversation", AsyncpgCalls)
    app.add_directive("own-sql", Own)
    app.add_directive("own-messages", Own)
    app.connect("build-finished", copy_kitchen_book)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
