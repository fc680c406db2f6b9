"""Cells that run in the reader's browser: what their pages load, and the folder it comes from.

A notebook's cell with the tag `live` gets buttons on its page. On a Markdown page the directive

    ```{live-script} 01/busy_thread
    ```

shows a script of `labs/evidence/` with its stored output as such a cell; `lab_cells` has one for a
lab. Everything they need is copied to `_static/live/` of the built book. Where `make live-assets`
has fetched nothing, the book is built without buttons, and the log says so.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from lab_cells import LiveLab
from live_pins import is_whole, versions
from live_site import download, put_fetched, put_own
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from bench.course import EVIDENCE, STATUS, output_of

log = logging.getLogger(__name__)

CELL_FILES = (
    "live.css",
    "live-words.js",
    "live-edits.js",
    "live-colours.js",
    "live-editor.js",
    "live-output.js",
    "live-engine.js",
    "live-cell.js",
    "live.js",
)
PLAYGROUND_FILES = (
    "playground-answers.js",
    "playground-boxes.js",
    "playground-engine.js",
    "playground.js",
)
LOADED_WITH: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("live-lab", ("lab.css", "lab.js")),  # before the script that makes the buttons
    ("tag_live", CELL_FILES),
    ('class="playground"', PLAYGROUND_FILES),
)
"""A mark in a page's body, and the files of `book/_live` that come with it, in order.

The last of them has the settings of the page in its attribute `data-live`.
"""

PRELOADED = ("fastapi", "httpx", "aiosqlite")
"""Imported while the page shows progress, where its cells import them: they take a second."""


def live_folder(app: Sphinx) -> Path:
    return Path(app.outdir) / "_static" / "live"


def copy_scripts(app: Sphinx) -> None:
    """Before any page is written: it says the checksums of scripts and the size of the rest."""
    if app.builder.format != "html":
        return
    if not is_whole():
        log.info("live cells: `make live-assets` has not run, so the book has no Run buttons")
        return
    put_own(live_folder(app))


def copy_assets(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html" and is_whole():
        put_fetched(live_folder(app))


def add_to_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    wanted = [files for mark, files in LOADED_WITH if mark in context.get("body", "")]
    if doctree is None or not wanted or not is_whole():
        return
    settings = {
        "preload": preloaded(doctree),
        "versions": versions(),
        "recorded": json.loads(STATUS.read_text(encoding="utf-8"))["python"],
        "bytes": download(live_folder(app)),
    }
    for files in wanted:
        for name in files:
            if name.endswith(".css"):
                app.add_css_file(f"live/{name}")
            else:
                last = name == files[-1]
                extra: dict[str, Any] = {"data-live": json.dumps(settings)} if last else {}
                app.add_js_file(f"live/{name}", loading_method="defer", **extra)


def preloaded(doctree: nodes.document) -> list[str]:
    """The modules of PRELOADED that a live cell of this page imports."""
    code = "\n".join(
        block.astext()
        for cell in doctree.findall(nodes.container)
        if "tag_live" in cell["classes"]
        for block in cell.findall(nodes.literal_block)
    )
    imported = set(re.findall(r"^\s*(?:from|import)\s+(\w+)", code, re.MULTILINE))
    return [name for name in PRELOADED if name in imported]


class LiveScript(SphinxDirective):
    """A script of `labs/evidence` as a live cell: its code, and what it printed."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        script = EVIDENCE / f"{self.arguments[0]}.py"
        if not script.exists():
            raise self.error(f"live-script: there is no {script.name} in labs/evidence")
        parts = {
            "cell_input": ("python", script.read_text(encoding="utf-8")),
            "cell_output": ("text", output_of(script).read_text(encoding="utf-8")),
        }
        for path in (script, output_of(script)):
            self.env.note_dependency(str(path))
        cell = nodes.container(classes=["cell", "tag_live", "live-script"])
        for name, (language, text) in parts.items():
            cell += nodes.container(
                "", nodes.literal_block(text, text, language=language), classes=[name]
            )
        return [cell]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("live-script", LiveScript)
    app.add_directive("live-lab", LiveLab)
    app.connect("builder-inited", copy_scripts)
    app.connect("html-page-context", add_to_page)
    app.connect("build-finished", copy_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
