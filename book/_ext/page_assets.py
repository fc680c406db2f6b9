"""Sphinx extension: which style and scripts a page loads besides those of every page.

`LOADED_WITH` is the table: a mark in the page's body, and the files that come with it. A page loads
each file once, in the order of the table; a page without a mark loads none.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from bench.course import BOOK, PAGE_ASSETS
from bench.quizzes.cards import SCRIPTS as CARD_SCRIPTS
from bench.quizzes.cards import STYLE as CARD_STYLE
from bench.traces.looks import SCRIPTS as TIMELINE_SCRIPTS

[ELEMENTS] = [path for path in CARD_SCRIPTS if path.name == "elements.js"]
LOADED_WITH: tuple[tuple[str, tuple[Path, ...]], ...] = (
    ('class="quiz', (CARD_STYLE, *CARD_SCRIPTS)),
    ('class="recall"', (CARD_STYLE,)),
    ('class="playground"', (BOOK / "_live/playground.css", ELEMENTS)),
    (
        "<async-timeline",
        (PAGE_ASSETS / "timeline/lanes.css", PAGE_ASSETS / "timeline/timeline.css"),
    ),
    ('data-simulator="yes"', (PAGE_ASSETS / "timeline/simulator.js",)),
    ("<async-timeline", TIMELINE_SCRIPTS),
    ('class="ledger-card', (PAGE_ASSETS / "ledger/ledger.css", PAGE_ASSETS / "ledger/ledger.js")),
    ("tag_live", (ELEMENTS,)),
    ("data-axes=", (PAGE_ASSETS / "guesses.js",)),
    ('class="playground"', (BOOK / "_live/playground.css",)),
    ('class="timeline-figure" data-guess=', (PAGE_ASSETS / "guesses.js",)),
    ('class="entry-route"', (*CARD_SCRIPTS, PAGE_ASSETS / "entry.js")),
    ('class="answers"', (PAGE_ASSETS / "answers/answers.css",)),
    (
        'class="answers"',
        (*CARD_SCRIPTS, PAGE_ASSETS / "answers/answers.js"),
    ),  # these read the answers
)


def loaded_by(body: str) -> list[Path]:
    """The files that a page with this body loads, in order."""
    wanted = [path for mark, files in LOADED_WITH if mark in body for path in files]
    return list(dict.fromkeys(wanted))


def address(path: Path) -> str:
    """Where the built book has that file, below `_static`."""
    return path.relative_to(PAGE_ASSETS).as_posix() if PAGE_ASSETS in path.parents else path.name


def copy_assets(app: Sphinx) -> None:
    """Before any page is written, since Sphinx puts a file's checksum into its address."""
    if app.builder.format != "html":
        return
    for _, files in LOADED_WITH:
        for path in files:
            copy = Path(app.outdir) / "_static" / address(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def add_to_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    for path in loaded_by(context.get("body", "")):
        if path.suffix == ".css":
            app.add_css_file(address(path))
        else:
            app.add_js_file(address(path), loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("builder-inited", copy_assets)
    app.connect("html-page-context", add_to_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
