"""Stops the build when the theme has changed under something that we put in its place.

Three kinds of ours depend on what the theme writes today: templates that stand instead of its own
(`book/_templates`), fixes of its HTML (`page_fixes.py`), rules of `course.css` that override its
style. A new version of the theme must be looked at: what finds nothing to mend hides the fault
that it was made for.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pydata_sphinx_theme
import sphinx
import sphinx_book_theme
from sphinx.errors import ExtensionError

THEMES = {
    module.__name__: Path(module.__file__ or "").parent / "theme" / module.__name__
    for module in (pydata_sphinx_theme, sphinx_book_theme)
}

OVERRIDDEN_RULES = {
    "basic.css": '@import "../basic.css"',
    "light plate behind text/html outputs": "div.cell_output .text_html:not(:has(table.dataframe))",
    "dimmed images": "img:not(.only-dark,.dark-light){filter:brightness(.8)",
    "search button hidden on wide screens": ".search-button{display:none!important}",
}

# A template names what it was written against, one a line: theme/file and the start of its sha256.
WRITTEN_AGAINST = re.compile(r"^ +(\w+_theme)/(\S+\.html) ([0-9a-f]{12})$", re.MULTILINE)


class ThemeChanged(ExtensionError):
    """The theme no longer writes what something of ours was made for."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: the theme changed, so look at a page and adapt or delete ours")


SEARCH = Path(sphinx.__file__).parent / "themes/basic/static/searchtools.js"
WRAPPED_SEARCH = (  # messages.js calls this function and adds to what it returns
    "  _performSearch: (query,",
    "const [docName, title, anchor, descr, score, _filename] = item;",
)


def check_templates(folder: Path) -> None:
    """Raise `ThemeChanged` when a template in `folder` was written against another theme.

    Every template that stands instead of one of the theme names what it was written against.
    """
    for template in sorted(folder.rglob("*.html")):
        sources = WRITTEN_AGAINST.findall(template.read_text("utf-8"))
        instead = any(next(theme.rglob(template.name), None) for theme in THEMES.values())
        if instead and not sources:
            raise ExtensionError(f"{template.name} does not name what it was written against")
        for theme, name, digest in sources:
            source = THEMES[theme] / name
            found = sha256(source.read_bytes()).hexdigest()[:12] if source.exists() else "gone"
            if found != digest:
                raise ThemeChanged(f"template {template.name}: {theme}/{name} is now {found}")


def check_search(script: Path = SEARCH) -> None:
    """Raise `ThemeChanged` when Sphinx's search is not the one that `messages.js` wraps."""
    for line in WRAPPED_SEARCH:
        if line not in script.read_text("utf-8"):
            raise ThemeChanged(f"search: {line!r} is gone")


def check_styles(static: Path) -> None:
    """Raise `ThemeChanged` when the built style sheets lack a rule that `course.css` overrides."""
    styles = "".join(path.read_text("utf-8") for path in sorted(static.glob("styles/*.css")))
    for what, rule in OVERRIDDEN_RULES.items():
        if rule not in styles:
            raise ThemeChanged(f"style '{what}'")
