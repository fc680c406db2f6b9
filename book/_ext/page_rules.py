"""What no page of the published book may hold. A page that does stops the build."""

from __future__ import annotations

import re

from sphinx.errors import ExtensionError

LOADS = (
    r"<(?:script|img|iframe|source|video|audio|embed|track|object)\b[^>]*"
    r"\b(?:src|srcset|data|poster)=[\"']\s*(?:https?:)?(//[^\"']+)",
    r"<link (?![^>]*rel=[\"']?(?:canonical|next|prev|license|author))[^>]*"
    r"\bhref=[\"'](?:https?:)?(//[^\"']+)",
    r"(?:url\(|@import )\s*[\"']?(?:https?:)?(//[^\"')]+)",
)
OPEN_SPOILER = r'class="[^"]*\b(?:admonition[^"]* dropdown|dropdown[^"]* admonition)\b'


class PageRefused(ExtensionError):
    """A page holds something that the published book must not contain."""


def refuse_requests(page: str, name: str) -> None:
    """The published book makes no external request: nothing is loaded from another server."""
    for pattern in LOADS:
        if found := re.search(pattern, page, flags=re.IGNORECASE):
            raise PageRefused(
                f"{name}: loads {found[1]} from another server; ship the file with the book"
                + (" (write formulas without LaTeX)" if "mathjax" in found[1] else "")
            )


def refuse_open_spoilers(page: str, name: str) -> None:
    """`:class: dropdown` opens and closes by a script that we do not load: it would stand open."""
    if re.search(OPEN_SPOILER, page):
        raise PageRefused(
            f"{name}: an admonition has the class 'dropdown'; use the directive {{dropdown}}, "
            "which stays closed without JavaScript"
        )
