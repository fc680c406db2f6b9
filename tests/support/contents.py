"""What the book consists of: the documents of `_toc.yml`, and of which kind each page is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import yaml

from bench.course import COURSE

OWN_MARKUP = re.compile(r"^(<svg|[`:]{3,}\{(timeline|ledger|recall|quiz|what-ran)\})", re.MULTILINE)


def documents() -> list[str]:
    """Return every document of `_toc.yml` in reading order, without suffix."""
    toc = yaml.safe_load((COURSE / "_toc.yml").read_text("utf-8"))
    found = [toc["root"]]

    def collect(node: object) -> None:
        if isinstance(node, dict):
            found.extend([node["file"]] if "file" in node else [])
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(toc)
    return [re.sub(r"\.(md|ipynb)$", "", name) for name in found]


def kind_of(document: str) -> str:
    """Numbered pages (`01-…`) in one folder are of one kind, and so is all plain prose.

    A page with markup or a directive of the course's own is its own kind. One that shows questions
    and nothing else is of the kind of the intro, which opens with two.
    """
    folder, name = Path(document).parent.name, Path(document).name
    if re.match(r"\d", name):
        return folder
    text = (COURSE / f"{document}.md").read_text(encoding="utf-8")
    shown = {directive or markup for markup, directive in OWN_MARKUP.findall(text)}
    if shown == {"quiz"}:
        return "intro"
    return name if shown else "prose"


def kinds_of_page() -> dict[str, str]:
    """Return kind → document: the first of each kind, or with `COURSE_PAGES=all` every page."""
    if os.environ.get("COURSE_PAGES") == "all":
        return {document: document for document in documents()}
    kinds: dict[str, str] = {}
    for document in documents():
        kinds.setdefault(kind_of(document), document)
    return kinds
