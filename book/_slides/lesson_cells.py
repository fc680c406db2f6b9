"""A lesson as its parts: the sections of a notebook, and in each, in order, what a reader meets.

    sections(lesson)  →  Chapter("Experiment 1: …", [Prose, Code, Vote, Recording, …])

Nothing is chosen here; that is done by `slide_rules` and `handout_rules`.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

import nbformat
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bench.course import COURSE, lesson_texts

HOOK = "Hook"
"""The section before the first heading."""
HOLDS = "holds: "
"""How a claim begins that printed its sentence."""

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_TITLE = re.compile(r"^# (\d+) · (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Prose:
    """A block of text: `kind` is that of its Markdown, `text` its Markdown, `info` of a fence."""

    kind: str  # paragraph, bullet_list, ordered_list, table, fence, blockquote, heading
    text: str
    info: str = ""


@dataclass(frozen=True)
class Code:
    source: str
    """Without its claims, which would tell what it prints."""
    tags: frozenset[str]
    printed: str
    """What it printed, without its claims."""
    claims: tuple[str, ...]
    """The sentences that held."""
    figure: str
    """The HTML of a figure; empty when it has none."""


@dataclass(frozen=True)
class Vote:
    ref: str
    html: str


@dataclass(frozen=True)
class Recording:
    html: str


Part = Prose | Code | Vote | Recording


@dataclass
class Chapter:
    heading: str
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True)
class Lesson:
    number: str
    name: str
    """Of its files: "01-synchronous-queries"."""
    title: str
    sections: tuple[Chapter, ...]

    def section(self, heading: str) -> Chapter:
        """The section that begins so; an empty one when there is none."""
        found = [one for one in self.sections if one.heading.startswith(heading)]
        return found[0] if found else Chapter(heading)


def lessons() -> list[str]:
    """The names of all lessons, in order."""
    return [path.stem for path in lesson_texts()]


class NotRun(Exception):
    """A notebook was saved without what its cells show; the text says what to do."""


def read_lesson(name: str) -> Lesson:
    """The lesson of that name, from its notebook with the stored outputs. Raises NotRun."""
    path = COURSE / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # none is typed
    title = _TITLE.search(notebook.cells[0].source)
    assert title, f"{path.name} does not begin with '# N · Title'"
    found = [Chapter(HOOK)]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for one in blocks(cell.source):
                if one.kind == "heading" and one.info == "h2":
                    found.append(Chapter(one.text))
                elif not (one.kind == "heading" and one.info == "h1"):
                    found[-1].parts.append(one)
        else:
            try:
                found[-1].parts += _of_code(cell)
            except ValueError:
                raise NotRun(
                    f"{path.name} was saved without its results. "
                    "Open it, run all its cells, and save it."
                ) from None
    return Lesson(name[:2], name, title[2], tuple(found))


def blocks(text: str) -> list[Prose]:
    """The top-level blocks of a Markdown text, each with its own Markdown."""
    lines = text.splitlines()
    found = []
    for token in _markdown.parse(text):
        if token.level or not token.map or token.nesting < 0:
            continue
        kind = token.type.removesuffix("_open")
        own = "\n".join(lines[slice(*token.map)])
        if kind == "heading":
            found.append(Prose(kind, own.lstrip("#").strip(), token.tag))
        elif kind == "fence":
            found.append(Prose(kind, token.content.rstrip("\n"), token.info.strip()))
        elif kind == "blockquote":
            found.append(Prose(kind, re.sub(r"^> ?", "", own, flags=re.MULTILINE).strip()))
        else:
            found.append(Prose(kind, own.strip()))
    return found


def html_of(text: str) -> str:
    """Markdown as HTML; a link becomes its words, since a slide leads nowhere else."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.children:
            token.children = [one for one in token.children if not one.type.startswith("link_")]
    return str(_markdown.renderer.render(tokens, _markdown.options, {})).strip()


def inline_html(text: str) -> str:
    """The same without a paragraph around it."""
    tokens: list[Token] = _markdown.parseInline(text)
    for token in tokens:
        token.children = [one for one in token.children or [] if not one.type.startswith("link_")]
    return str(_markdown.renderer.render(tokens, _markdown.options, {})).strip()


_CALLS = re.compile(r'^(quiz|recorded|progress)\(\s*"([^"]+)"')


def _of_code(cell: Any) -> list[Part]:
    tags = frozenset(cell.metadata.get("tags", []))
    if "remove-cell" in tags:
        return []
    printed, pictures = "", []
    for output in cell.outputs:
        printed += output.get("text", "") if output.output_type == "stream" else ""
        if "text/html" in output.get("data", {}):
            pictures.append(output.data["text/html"])
        elif "text/plain" in output.get("data", {}):
            printed += output.data["text/plain"] + "\n"
    called = _CALLS.match(cell.source)
    if called and called[1] == "progress":
        return []
    if called:
        [html] = pictures
        return [Vote(called[2], html) if called[1] == "quiz" else Recording(html)]
    lines = printed.splitlines()
    return [
        Code(
            _without_claims(cell.source),
            tags,
            "\n".join(line for line in lines if not line.startswith(HOLDS)).strip("\n"),
            tuple(line.removeprefix(HOLDS) for line in lines if line.startswith(HOLDS)),
            "\n".join(pictures),
        )
    ]


def _without_claims(source: str) -> str:
    """A cell's source without the calls of `claim` that stand alone."""
    lines = source.splitlines()
    for one in reversed(ast.parse(source).body):
        match one:
            case ast.Expr(value=ast.Call(func=ast.Name(id="claim"))):
                del lines[one.lineno - 1 : one.end_lineno]
    return "\n".join(lines).strip("\n")
