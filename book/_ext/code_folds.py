"""Folds code: on a phone each long piece of a lesson's code, everywhere the calls of `claim`.

A lesson is read on a phone first, and there its code is looked at, not typed. So every cell and
every shown file of more than SHORT lines stands in a `<details>`: course.css keeps it open on a
wide screen, where the summary is not shown. A cell that only makes claims is folded on every
screen, since its output says each sentence in words already. Works without a script; a browser
that cannot open a fold by style alone shows the summary everywhere.
"""

from __future__ import annotations

import ast
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LESSONS = "notebooks/"
SHORT = 4  # lines: a summary would not be shorter


def only_claims(source: str) -> bool:
    """Whether a cell does nothing but make claims."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # top-level `await` is not one; a line of IPython's own is
        return False
    return bool(body) and all(
        isinstance(line, ast.Expr)
        and isinstance(line.value, ast.Call)
        and isinstance(line.value.func, ast.Name)
        and line.value.func.id == "claim"
        for line in body
    )


def summary_of(source: str) -> tuple[str, str]:
    """The words on the fold, and its class."""
    if only_claims(source):
        count = source.count("claim(")
        return f"How {'this is' if count == 1 else 'these are'} checked", "code-fold claims-fold"
    lines = source.strip().splitlines()
    name = lines[0].removeprefix("# ") if lines[0].startswith("# labs/") else "Code"
    return f"{name}: {len(lines)} lines", "code-fold"


def fold_code(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Wrap the code of a lesson's page; what a cell hides already is left alone."""
    if app.builder.format != "html" or not page.startswith(LESSONS):
        return
    for block in list(doctree.findall(nodes.literal_block)):
        around: set[str] = {name for up in ancestors(block) for name in up["classes"]}
        if around & {"cell_output", "hide"}:
            continue
        source = block.astext()
        if source.count("\n") < SHORT and not only_claims(source):
            continue
        words, kind = summary_of(source)
        opening = f'<details class="{kind}"><summary>{escape(words)}</summary>'
        parent = block.parent
        index = parent.index(block)
        parent.insert(index, nodes.raw("", opening, format="html"))
        parent.insert(index + 2, nodes.raw("", "</details>", format="html"))


def ancestors(node: nodes.Node) -> list[nodes.Element]:
    found, up = [], node.parent
    while up is not None:
        found.append(up)
        up = up.parent
    return found


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-resolved", fold_code)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
