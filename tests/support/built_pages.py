"""A page of the built book, read without a browser."""

from __future__ import annotations

import functools
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from building import built_book

LOADING = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "link": ("href",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
}
NOT_LOADED = {"canonical", "next", "prev", "search", "index", "author", "license", "help"}


class Page(HTMLParser):
    """What one built page consists of, as far as tests without a browser ask."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.path = built_book() / f"{document}.html"
        self.html = self.path.read_text("utf-8")
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attributes}))

    def count(self, tag: str, **wanted: str) -> int:
        """Count elements whose attributes contain the wanted words (class_ means class)."""
        words = {name.rstrip("_"): value for name, value in wanted.items()}
        return sum(
            tag == found and all(v in given.get(n, "").split() for n, v in words.items())
            for found, given in self.elements
        )

    def loaded(self) -> list[str]:
        """Return the addresses that a browser asks for when it opens the page."""
        found = []
        for tag, given in self.elements:
            if tag == "link" and set(given.get("rel", "").lower().split()) & NOT_LOADED:
                continue
            found += [given[name] for name in LOADING.get(tag, ()) if given.get(name)]
        return [address for address in found if not address.startswith("data:")]

    def target(self, link: str) -> Path:
        """Return the file to which a link within the book leads, whether it exists or not."""
        path = unquote(re.sub(r"[?#].*", "", link))
        if not path:
            return self.path
        start = built_book() if path.startswith("/") else self.path.parent
        return (start / path.lstrip("/")).resolve()

    def files(self) -> set[Path]:
        """Return the files of the first visit: what the page loads, and the icon font."""
        local = {
            self.target(name)
            for name in self.loaded()
            if not name.startswith("#")  # url(#pattern): a part of this page
        }
        return {self.path, *local, *built_book().glob("_static/vendor/**/*.woff2")}


@functools.cache
def page_of(document: str) -> Page:
    """The page of that document, read once by all tests of a process: leave it as it is."""
    return Page(document)
