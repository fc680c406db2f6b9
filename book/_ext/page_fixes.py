"""What is wrong with the pages that the theme writes, one function for each fault.

A fix is a function (page's HTML, page's name) → HTML; its docstring is its reason. It looks for
what the theme writes today and raises `ThemeChanged` with its own name when that is gone. A new
version of the theme must be looked at: a fix that finds nothing hides the fault it was made for.
`FIXES` at the end is their order; `pages.py` applies them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sphinx.errors import ExtensionError

# Resolves "auto" before the first paint: the theme's own line leaves data-theme="auto", which is
# drawn light until its deferred script has run, so that a dark page starts with a white flash.
EARLY_SCRIPT = """<script>
(function (page) {
  var mode = null;
  try { mode = localStorage.getItem("mode"); } catch (blocked) {}
  if (mode !== "light" && mode !== "dark") mode = "auto";
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  page.mode = mode;
  page.theme = mode === "auto" ? (dark ? "dark" : "light") : mode;
})(document.documentElement.dataset);
</script>"""

WRAP_BUTTON = """<button type="button" class="btn btn-sm pst-navbar-icon pst-js-only"
  data-page-action="wrap" aria-pressed="false" title="Wrap long lines of code">
  <i class="fa-solid fa-text-width"></i>
</button>
"""


class ThemeChanged(ExtensionError):
    """The theme no longer writes what a fix replaces."""

    def __init__(self, fix: str) -> None:
        super().__init__(
            f"page fix '{fix}' found nothing to fix: the theme changed, so look at the page and "
            "adapt or delete this fix"
        )


class PageRefused(ExtensionError):
    """A page holds something that the published book must not contain."""


def substitute(fix: str, pattern: str, new: str | Callable[..., str], page: str) -> str:
    """Return `page` with every match of `pattern` replaced; no match raises `ThemeChanged`."""
    page, count = re.subn(pattern, new, page, flags=re.DOTALL)
    if not count:
        raise ThemeChanged(fix)
    return page


# --- Weight ---------------------------------------------------------------------------------


def drop_icon_script(page: str, name: str) -> str:
    """FontAwesome's script (540 kB gzipped) draws what the theme's style sheet draws as well."""
    pattern = r'\s*<script defer src="[^"]*/fontawesome\.js[^"]*"></script>'
    return substitute("FontAwesome script", pattern, "", page)


def drop_search_scripts(page: str, name: str) -> str:
    """The search index is read by the search page only; elsewhere it would grow with the book."""
    if name == "search":
        return page
    pattern = r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'
    return substitute("search scripts", pattern, "", page)


def link_basic_style(page: str, name: str) -> str:
    """The theme imports Sphinx's style from a style sheet of its own: one round trip more, and
    Chromium's look-ahead asks for it at a wrong address (404 in the console of every page)."""
    pattern = r'(<link href="[^"]*_static/)styles/theme\.css[^"]*"'
    return substitute("basic.css", pattern, r'\1basic.css"', page)


def load_images_late(page: str, name: str) -> str:
    """An image below the first screen must not delay the first screen. Pages may have none."""
    return re.sub(r"<img (?![^>]*\bloading=)", '<img loading="lazy" decoding="async" ', page)


# --- One of each ----------------------------------------------------------------------------


def keep_one_search(page: str, name: str) -> str:
    """The search page has a field of its own: the dialog and its button would be a second one."""
    if name != "search":
        return page
    page = substitute("search dialog", r'<dialog id="pst-search-dialog">.*?</dialog>', "", page)
    pattern = r'<button class="[^"]*\bsearch-button__button\b.*?</button>'
    return substitute("search button", pattern, "", page)


def keep_one_viewport(page: str, name: str) -> str:
    """Docutils, Sphinx and the theme each write a viewport element; two of the three go."""
    head, first, rest = page.partition('<meta name="viewport"')
    return head + first + substitute("viewport", r'<meta name="viewport"[^>]*>', "", rest)


def drop_print_contents(page: str, name: str) -> str:
    """A hidden copy of title and contents gives each page two h1; our print style needs neither."""
    pattern = r'<div id="jb-print-docs-body".*?</nav>\s*</div>\s*</div>\s*</div>'
    bare = r'<div id="jb-print-docs-body".*?<div id="jb-print-toc">\s*</div>\s*</div>\s*</div>'
    if name == "search":  # replaces the block in which the theme writes the copy
        return page
    return substitute("print contents", f"(?:{bare}|{pattern})", "", page)


# --- Names for those who do not see the page --------------------------------------------------


def hide_icons_from_speech(page: str, name: str) -> str:
    """A glyph of an icon font is read aloud as an unknown character."""
    pattern = r'<(i|span)(?= class="[^"]*\bfa-)'
    return substitute("icons", pattern, r'<\1 aria-hidden="true"', page)


def name_sidebar(page: str, name: str) -> str:
    """Logo and navigation stand outside every landmark. (A div: the theme's script asks for it.)"""
    pattern = r'<div id="pst-primary-sidebar" '
    new = r'<div id="pst-primary-sidebar" role="complementary" aria-label="Book" '
    return substitute("sidebar landmark", pattern, new, page)


def name_sidebar_toggles(page: str, name: str) -> str:
    """The arrow beside a lesson opens the list of its pages, but has no words that say so."""
    pattern = r'(?<=<summary)(?=><span class="toctree-toggle")'
    return substitute("sidebar toggles", pattern, ' aria-label="Pages of this lesson"', page)


def name_search_as_shown(page: str, name: str) -> str:
    """The button shows an icon alone; its name says what it does, its tooltip the shortcut."""
    if name == "search":
        return page
    pattern = r'(search-button__button[^>]*?) title="Search" aria-label="Search"'
    new = r'\1 type="button" title="Search (Ctrl+K)" aria-label="Search (Ctrl+K)"'
    return substitute("search button's name", pattern, new, page)


def name_theme_switcher(page: str, name: str) -> str:
    """Titles of the hidden icons are part of the button's name: it was called three things."""
    pattern = r'(<i [^>]*class="theme-switch [^>]*?) title="[^"]*"'
    return substitute("theme switcher icons", pattern, r"\1", page)


def name_folded_cells(page: str, name: str) -> str:
    """A folded cell shows 'Show …' and is called something else: speech control cannot open it."""
    if '<details class="admonition hide' not in page:
        return page
    pattern = r'<summary aria-label="Toggle hidden content">'
    return substitute("folded cells", pattern, "<summary>", page)


# --- Behaviour --------------------------------------------------------------------------------


def resolve_theme_early(page: str, name: str) -> str:
    """No white flash before a dark page: see EARLY_SCRIPT. Without JavaScript the theme would stay
    "auto", for which its style sheet has no colours of code and boxes: the page says "light"."""
    page = substitute("theme without script", 'data-theme="auto"', 'data-theme="light"', page)
    pattern = r'<script data-cfasync="false">.*?</script>'
    return substitute("early theme script", pattern, EARLY_SCRIPT, page)


def listen_instead_of_onclick(page: str, name: str) -> str:
    """Inline handlers forbid a strict content security policy; `page.js` listens instead."""
    if name != "search":  # it has no source to download, hence no print button beside it
        page = substitute("print", r'onclick="window\.print\(\)"', 'data-page-action="print"', page)
    new = 'data-page-action="fullscreen"'
    return substitute("full screen", r'onclick="toggleFullScreen\(\)"', new, page)


def download_instead_of_open(page: str, name: str) -> str:
    """A browser shows a notebook as a wall of JSON: save it."""
    if name == "search":
        return page
    pattern = r'target="_blank"(\s+class="[^"]*btn-download-)'
    return substitute("download buttons", pattern, r"download\1", page)


def offer_wrapping(page: str, name: str) -> str:
    """On a phone a line of code is longer than the screen: the reader may wrap it."""
    if "<pre>" not in page:
        return page
    pattern = r"(?=<button [^>]*theme-switch-button)"
    return substitute("wrap button", pattern, WRAP_BUTTON, page)


def let_claims_wrap(page: str, name: str) -> str:
    """Outputs scroll, so columns keep their places; a claim in them is a sentence and wraps."""
    if not re.search(r"(?m)(?:^|>)holds: ", page):
        return page

    def mark(output: re.Match[str]) -> str:
        line = r"(?m)^((?:.*<pre>(?:<span></span>)?)?)(holds: .*?)(?=$|</pre>)"
        return re.sub(line, r'\1<span class="claim-line">\2</span>', output[0])

    outputs = r'<div class="(?:output stream|highlight-text) .*?</pre>'
    return substitute("claims", outputs, mark, page)


# --- What no page may hold --------------------------------------------------------------------


def refuse_requests(page: str, name: str) -> str:
    """The published book makes no external request: nothing is loaded from another server."""
    loads = (
        r"<(?:script|img|iframe|source|video|audio|embed|track|object)\b[^>]*"
        r"\b(?:src|srcset|data|poster)=[\"']\s*(?:https?:)?(//[^\"']+)",
        r"<link (?![^>]*rel=[\"']?(?:canonical|next|prev|license|author))[^>]*"
        r"\bhref=[\"'](?:https?:)?(//[^\"']+)",
        r"(?:url\(|@import )\s*[\"']?(?:https?:)?(//[^\"')]+)",
    )
    for pattern in loads:
        if found := re.search(pattern, page, flags=re.IGNORECASE):
            raise PageRefused(
                f"{name}: loads {found[1]} from another server; ship the file with the book"
                + (" (write formulas without LaTeX)" if "mathjax" in found[1] else "")
            )
    return page


def refuse_open_spoilers(page: str, name: str) -> str:
    """`:class: dropdown` opens and closes by a script that we do not load: it would stand open."""
    if re.search(r'class="[^"]*\b(?:admonition[^"]* dropdown|dropdown[^"]* admonition)\b', page):
        raise PageRefused(
            f"{name}: an admonition has the class 'dropdown'; use the directive {{dropdown}}, "
            "which stays closed without JavaScript"
        )
    return page


FIXES: tuple[Callable[[str, str], str], ...] = (
    drop_icon_script,
    drop_search_scripts,
    link_basic_style,
    load_images_late,
    keep_one_search,
    keep_one_viewport,
    drop_print_contents,
    offer_wrapping,
    let_claims_wrap,
    hide_icons_from_speech,
    name_sidebar,
    name_sidebar_toggles,
    name_search_as_shown,
    name_theme_switcher,
    name_folded_cells,
    resolve_theme_early,
    listen_instead_of_onclick,
    download_instead_of_open,
    refuse_requests,
    refuse_open_spoilers,
)
