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
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata, OptionSpec
from sphinx.writers.html5 import HTML5Translator

from bench.course import TRACES
from bench.traces.recordings import page_html
from bench.traces.trace import TraceError


class timeline_figure(nodes.General, nodes.Element):
    """Holds the finished HTML; its text stays out of the search index."""


class TimelineDirective(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {
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
            return [timeline_figure(html=page_html(name, key, self.options))]
        except TraceError as error:
            raise self.error(f"timeline {name}: {error}") from error


def visit_html(writer: HTML5Translator, node: timeline_figure) -> None:
    writer.body.append(node["html"])
    raise nodes.SkipNode


def visit_other(writer: HTML5Translator, node: timeline_figure) -> None:
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("page_assets")
    app.add_node(
        timeline_figure,
        html=(visit_html, None),
        latex=(visit_other, None),
        text=(visit_other, None),
    )
    app.add_directive("timeline", TimelineDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
