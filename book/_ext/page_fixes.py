"""Mends what no template of the theme reaches: HTML that Python code of an extension writes.

A fix is a function (page's HTML) → HTML; its docstring is its reason. It looks for what is written
today and raises `ThemeChanged` with its own name when that is gone. `FIXES` at the end is their
order; `pages.py` applies them. Where the theme has a template, ours stands in `book/_templates`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from theme_watch import ThemeChanged


def substitute(fix: str, pattern: str, new: str | Callable[..., str], page: str) -> str:
    """Return `page` with every match of `pattern` replaced; no match raises `ThemeChanged`."""
    page, count = re.subn(pattern, new, page, flags=re.DOTALL)
    if not count:
        raise ThemeChanged(f"page fix '{fix}' found nothing to fix")
    return page


def load_images_late(page: str) -> str:
    """An image below the first screen must not delay the first screen. Pages may have none."""
    return re.sub(r"<img (?![^>]*\bloading=)", '<img loading="lazy" decoding="async" ', page)


def hide_icons_from_speech(page: str) -> str:
    """A glyph of an icon font is read aloud as an unknown character."""
    pattern = r'<(i|span)(?= class="[^"]*\bfa-)'
    return substitute("icons", pattern, r'<\1 aria-hidden="true"', page)


def name_sidebar_toggles(page: str) -> str:
    """The arrow beside a lesson opens the list of its pages, but has no words that say so."""
    pattern = r'(?<=<summary)(?=><span class="toctree-toggle")'
    return substitute("sidebar toggles", pattern, ' aria-label="Pages of this lesson"', page)


def name_folded_cells(page: str) -> str:
    """A folded cell shows 'Show …' and is called something else: speech control cannot open it."""
    if '<details class="admonition hide' not in page:
        return page
    pattern = r'<summary aria-label="Toggle hidden content">'
    return substitute("folded cells", pattern, "<summary>", page)


def let_claims_wrap(page: str) -> str:
    """Outputs scroll, so columns keep their places; a claim in them is a sentence and wraps."""
    if not re.search(r"(?m)(?:^|>)holds: ", page):
        return page

    def mark(output: re.Match[str]) -> str:
        line = r"(?m)^((?:.*<pre>(?:<span></span>)?)?)(holds: .*?)(?=$|</pre>)"
        return re.sub(line, r'\1<span class="claim-line">\2</span>', output[0])

    outputs = r'<div class="(?:output stream|highlight-text) .*?</pre>'
    return substitute("claims", outputs, mark, page)


def drop_options_of_a_page(page: str) -> str:
    """They serve a switch between versions, which we do not have; a policy would need 60 hashes."""
    pattern = r"<script>DOCUMENTATION_OPTIONS\.(?:pagename|search_as_you_type) = [^;<]*;</script>"
    return substitute("options of a page", pattern, "", page)


FIXES: tuple[Callable[[str], str], ...] = (
    load_images_late,
    let_claims_wrap,
    hide_icons_from_speech,
    name_sidebar_toggles,
    name_folded_cells,
    drop_options_of_a_page,
)
