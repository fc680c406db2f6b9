"""Leaves out the rules of the theme's style sheets that no page of the book can meet.

The theme brings whole Bootstrap: carousels, ladders of margins, cards in ten colours. A rule stays
when every class and id that it selects by is a word of a page or of a script, since scripts set
classes, too. What stands within `:is(…)` or `:not(…)` is not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import tinycss2

SHEETS = (
    "styles/pydata-sphinx-theme.css",
    "styles/sphinx-book-theme.css",
    "basic.css",
    "sphinx-design.min.css",
    "mystnb.*.css",
)
PUT_TOGETHER = ("bs-",)
"""How the names begin that Bootstrap's script joins from parts, such as `bs-tooltip-` + side."""
WORD = re.compile(r"[\w-]+")


def trim_styles(site: Path) -> dict[str, tuple[int, int]]:
    """Trim SHEETS in the built `site`; returns {file: (bytes before, bytes after)}."""
    static = site / "_static"
    known = words_of(site)
    sizes: dict[str, tuple[int, int]] = {}
    for pattern in SHEETS:
        for path in static.glob(pattern):
            text = path.read_text("utf-8")
            trimmed = trim(text, known)
            path.write_text(trimmed, "utf-8")
            sizes[path.name] = (len(text), len(trimmed))
    return sizes


def words_of(site: Path) -> set[str]:
    """Every word of the pages and scripts: a class that is none of them is on no page."""
    files = [*site.rglob("*.html"), *site.glob("_static/**/*.js")]
    return {word for path in files for word in WORD.findall(path.read_text("utf-8"))}


def trim(sheet: str, known: set[str]) -> str:
    """The rules of a style sheet that something made of these words can meet, without comments."""
    rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
    return "\n".join(kept_rules(rules, known))


def kept_rules(rules: list[Any], known: set[str]) -> Iterator[str]:
    for rule in rules:
        if (
            rule.type == "at-rule"
            and rule.content
            and rule.lower_at_keyword in ("media", "supports")
        ):
            inside = tinycss2.parse_rule_list(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            if block := "\n".join(kept_rules(inside, known)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{block}}}"
        elif rule.type == "qualified-rule":
            met = [one for one in selectors(rule.prelude) if named(one) <= known]
            if met:
                prelude = ",".join(tinycss2.serialize(one).strip() for one in met)
                yield f"{prelude}{{{tinycss2.serialize(rule.content).strip()}}}"
        else:
            yield rule.serialize()


def selectors(prelude: list[Any]) -> Iterator[list[Any]]:
    """The parts between the commas."""
    part: list[Any] = []
    for token in prelude:
        if token == ",":
            yield part
            part = []
        elif token.type != "comment":
            part.append(token)
    yield part


def named(selector: list[Any]) -> set[str]:
    """The classes and ids that an element must have."""
    names = {token.value for token in selector if token.type == "hash"}
    for before, token in pairwise(selector):
        if before == "." and token.type == "ident":
            names.add(token.value)
    return {name for name in names if not name.startswith(PUT_TOGETHER)}
