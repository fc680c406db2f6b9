"""Sphinx extension: every page passes through `page_fixes`, gets a description, and sheds weight.

Most weight is saved without code: `_config.yml` lists the extensions it wants and leaves out
`sphinx_thebe` (a script from a foreign server) and `sphinx_togglebutton` (spoilers stand open
without JavaScript). Fixes that are style alone stand in `course.css`; `THEME_RULES` watches the
rules of the theme which they override.
"""

from __future__ import annotations

import html as text
from pathlib import Path
from typing import Any

from docutils import nodes
from icons import trim_icons
from page_fixes import FIXES, ThemeChanged
from sphinx.application import Sphinx

DESCRIPTION_LENGTH = 155  # characters; search engines cut what is longer

THEME_RULES = {
    "basic.css": '@import "../basic.css"',
    "light plate behind text/html outputs": "div.cell_output .text_html:not(:has(table.dataframe))",
    "dimmed images": "img:not(.only-dark,.dark-light){filter:brightness(.8)",
    "search button hidden on wide screens": ".search-button{display:none!important}",
}


def fix_pages(app: Sphinx) -> None:
    """Let every page pass through FIXES on its way from the template to the file."""
    if app.builder.format != "html":
        return
    render = app.builder.templates.render

    def render_and_fix(template: str, context: dict[str, Any]) -> str:
        page = render(template, context)
        if "</html>" in page:  # the theme also renders parts of pages
            for fix in FIXES:
                page = fix(page, context["pagename"])
        return page

    app.builder.templates.render = render_and_fix


def describe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: Any) -> None:
    """Give every page a description: its front matter's `html_meta`, else its first paragraph."""
    metatags = context.get("metatags") or ""
    if 'name="description"' in metatags:
        return
    words = f"{context.get('title', '')}: {app.config.html_title}"
    if doctree is not None:
        paragraphs = (p.astext() for p in doctree.findall(nodes.paragraph))
        words = next((p for p in paragraphs if len(p) > 40), words)
    words = " ".join(words.split())
    if len(words) > DESCRIPTION_LENGTH:
        words = words[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0].rstrip(",;:") + " …"
    context["metatags"] = f'{metatags}<meta name="description" content="{text.escape(words)}">'


def finish(app: Sphinx, error: Exception | None) -> None:
    """Trim the theme's files in the output and see that the rules we override are still there."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    styles = "".join(path.read_text("utf-8") for path in sorted(static.glob("styles/*.css")))
    for fix, rule in THEME_RULES.items():
        if rule not in styles:
            raise ThemeChanged(fix)
    if not trim_icons(Path(app.outdir)):
        raise ThemeChanged("icon font")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", fix_pages, priority=900)
    app.connect("html-page-context", describe, priority=900)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
