"""The directive `{live-lab} 07`: a lab's starter as a live cell, which a reader edits and checks.

The page's script, `lab.js`, has the words and the hints from here; the checks themselves are those
of the lab, run by `bench.practice.in_the_page`. Where the book is built without Python for the
browser, the starter is shown and nothing else.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from docutils import nodes
from live_pins import is_whole
from sphinx.directives.code import container_wrapper
from sphinx.util.docutils import SphinxDirective

from bench.practice.commands import AN_ERROR, ERROR_HINTS
from bench.practice.folders import Lab, check_titles, find, read
from bench.practice.in_the_page import PAGE_LIMIT, labs_of_the_page

WITHOUT = (
    "This copy of the book was built without Python for the browser, so it has no Check button: "
    "the checks run at a desk."
)


class LiveLab(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        lab = find(self.arguments[0])
        if lab not in labs_of_the_page():
            raise self.error(f"live-lab: every check of lab {lab.name} needs PostgreSQL")
        for path in (lab.starter, lab.folder / "hints.yml", lab.folder / "test_lab.py"):
            self.env.note_dependency(str(path))
        starter = read(lab.starter)
        code = nodes.literal_block(starter, starter, language="python")
        listing = container_wrapper(self, code, lab.shown(lab.starter))
        if not is_whole():
            return [listing, nodes.paragraph(WITHOUT, WITHOUT)]
        cell = nodes.container(classes=["cell", "tag_live", "live-lab"])
        cell += nodes.container("", listing, classes=["cell_input"])
        cell += nodes.raw("", data_of(lab), format="html")
        return [cell]


def data_of(lab: Lab) -> str:
    """What the page's script knows of the lab, in an attribute of a hidden element."""
    data: dict[str, Any] = {
        "name": lab.name,
        "file": lab.starter.name,
        "work": lab.shown(lab.work),
        "command": f"python -m bench.practice {lab.name[:2]}",
        "limit": PAGE_LIMIT,
        "titles": check_titles(lab),
        "hints": lab.hints(),
        "anError": AN_ERROR,
        "errorHints": list(ERROR_HINTS),
    }
    text = escape(json.dumps(data, ensure_ascii=False), quote=True)
    return (
        f'<div class="live-lab-data" hidden data-lab="{text}"></div>'
        "<noscript><p>Without JavaScript this page cannot run the checks.</p></noscript>"
    )
