"""What the search of the book reads: the words of its pages, not of the scripts folded into them.

The scripts of the experiments are a third of all words, and each page that shows one says what it
shows. Without them the search page stays light.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def leave_scripts_out(app: Sphinx) -> None:
    """Give the builder's index a page without the Python files that it includes."""
    builder: Any = app.builder
    if not hasattr(builder, "index_page"):
        return
    index_page = builder.index_page

    def without_scripts(name: str, doctree: nodes.document, title: str) -> None:
        words = doctree.deepcopy()
        for code in list(words.findall(nodes.literal_block)):
            if "source" in code and code.get("language") == "python":
                code.parent.remove(code)
        index_page(name, words, title)

    builder.index_page = without_scripts


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("builder-inited", leave_scripts_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
