"""The directive `{timeline}`: a recorded or simulated trace as a figure that the reader can play.

    ```{timeline} 01-async-def
    :beside: 01-def
    :guess: 01/hook-async
    ```

The argument is a file in `book/traces/` without its suffix. Options:

`beside`     names of other traces on the page; all of them share one time axis
`guess`      id of the quiz item whose answer is drawn in as "your guess"
`axis`       least length of the time axis in seconds
`simulator`  the reader may change the parameters; the trace must come from the simulator

Only pages with a timeline load its style and scripts: Jupyter Book would load every file below
`_static` on every page, so this extension takes its own files out of that list and copies them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from bench.traces.looks import ASSETS
from bench.traces.recordings import TRACES, page_html
from bench.traces.trace import TraceError


class timeline(nodes.General, nodes.Element):
    """Holds the finished HTML; its text stays out of the search index."""


class TimelineDirective(SphinxDirective):
    required_arguments = 1
    option_spec = {  # noqa: RUF012 (docutils declares it so)
        "beside": directives.unchanged_required,
        "guess": directives.unchanged_required,
        "axis": lambda text: float(text),
        "simulator": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        for used in [name, *self.options.get("beside", "").split()]:
            self.env.note_dependency(str(TRACES / f"{used}.json"))
        key = f"timeline-{self.env.new_serialno('timeline') + 1}"
        try:
            return [timeline(html=page_html(name, key, self.options))]
        except TraceError as error:
            raise self.error(f"timeline {name}: {error}") from error


def visit_html(writer: Any, node: timeline) -> None:
    writer.body.append(node["html"])
    raise nodes.SkipNode


def visit_other(writer: Any, node: timeline) -> None:
    raise nodes.SkipNode


def keep_off_other_pages(app: Sphinx, config: Config) -> None:
    """Jupyter Book lists whatever it finds below `_static`; ours is added page by page below."""
    for setting in ("html_js_files", "html_css_files"):
        files = getattr(config, setting)
        files[:] = [
            one for one in files if "timeline/" not in (one if isinstance(one, str) else one[0])
        ]


def copy_assets(app: Sphinx) -> None:
    if app.builder.format == "html":
        shutil.copytree(ASSETS, Path(app.outdir) / "_static" / "timeline", dirs_exist_ok=True)


def add_to_page(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    body = context.get("body", "")
    if "<async-timeline" not in body:
        return
    app.add_css_file("timeline/lanes.css")
    app.add_css_file("timeline/timeline.css")
    if 'data-simulator="yes"' in body:
        app.add_js_file("timeline/simulator.js", loading_method="defer")
    app.add_js_file("timeline/timeline.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(
        timeline, html=(visit_html, None), latex=(visit_other, None), text=(visit_other, None)
    )
    app.add_directive("timeline", TimelineDirective)
    app.connect("config-inited", keep_off_other_pages, priority=100)
    app.connect("builder-inited", copy_assets)
    app.connect("html-page-context", add_to_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
