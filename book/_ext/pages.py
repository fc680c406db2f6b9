"""Sphinx extension: every page gets a description and a policy, is mended, checked, made light.

Most is done without code: `_config.yml` lists the extensions it wants and leaves out `sphinx_thebe`
(a script from a foreign server) and `sphinx_togglebutton` (spoilers stand open without JavaScript);
templates of ours stand in `book/_templates`, and style in `course.css`. `theme_watch.py` sees
whether the theme is still the one for which they were written.
"""

from __future__ import annotations

import html as text
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from icons import trim_icons
from page_fixes import FIXES
from page_rules import refuse_open_spoilers, refuse_requests
from security_policy import declare, write_for_hosts
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from theme_watch import ThemeChanged, check_search, check_styles, check_templates
from unused_styles import trim_styles

TEMPLATES = Path(__file__).resolve().parents[1] / "_templates"
DESCRIPTION_LENGTH = 155  # characters; search engines cut what is longer
LOST = "404"
RELATIVE = re.compile(r'\b(href|src|action)="(?![a-z]+:|[#/])')
SECOND_VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>\s*')


def mend_pages(app: Sphinx) -> None:
    """Let every page pass through FIXES on its way from the template to the file.

    A host shows the page LOST at whatever address does not exist, so its links begin with the
    place of the book on its host: COURSE_BASE, by default "/".
    """
    if app.builder.format != "html":
        return
    check_templates(TEMPLATES)
    check_search()
    render = app.builder.templates.render

    def render_and_mend(template: str, context: dict[str, Any]) -> str:
        page: str = render(template, context)
        if "</html>" in page:  # the theme also renders parts of pages
            for fix in FIXES:
                page = fix(page)
            if context["pagename"] == LOST:
                page = RELATIVE.sub(rf'\1="{os.environ.get("COURSE_BASE", "/")}', page)
            refuse_requests(page, context["pagename"])
            refuse_open_spoilers(page, context["pagename"])
            page = declare(page, context["pagename"])
        return page

    app.builder.templates.render = render_and_mend


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give every page a description: its front matter's `html_meta`, else its first paragraph.

    Docutils adds a viewport to these elements, and Sphinx has written one before them.
    """
    metatags = SECOND_VIEWPORT.sub("", context.get("metatags") or "")
    context["metatags"] = metatags
    if 'name="description"' in metatags:
        return
    words = ": ".join(filter(None, [context.get("title"), app.config.html_title]))
    if doctree is not None:
        paragraphs = (p.astext() for p in doctree.findall(nodes.paragraph))
        words = next((p for p in paragraphs if len(p) > 40), words)
    words = " ".join(words.split())
    if len(words) > DESCRIPTION_LENGTH:
        words = words[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0].rstrip(",;:") + " …"
    context["metatags"] = f'{metatags}<meta name="description" content="{text.escape(words)}">'


def finish_book(app: Sphinx, error: Exception | None) -> None:
    """Trim the theme's files, see that the rules we override are there, write the policy."""
    if error or app.builder.format != "html":
        return
    check_styles(Path(app.outdir) / "_static")
    if not trim_icons(Path(app.outdir)):
        raise ThemeChanged("icon font: nothing to trim")
    trim_styles(Path(app.outdir))
    write_for_hosts(Path(app.outdir))


def digest_of_extensions() -> str:
    """As a setting, it lets Sphinx read every page anew after an extension of ours has changed."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("course_extensions", digest_of_extensions(), "env", types=(str,))
    app.connect("builder-inited", mend_pages, priority=900)
    app.connect("html-page-context", describe, priority=900)
    app.connect("build-finished", finish_book, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
