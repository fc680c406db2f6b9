"""The content security policy of the book: what a page may load, and which inline scripts may run.

Every page declares it in a `<meta>`, which also holds on hosts that cannot send headers. For those
that can, FILE in the built book has it in one line: one policy for all pages. A worker takes its
policy from the header alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from page_rules import PageRefused
from theme_watch import ThemeChanged

FILE = "_static/security-policy.txt"

SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)
DATA = re.compile(r"\btype=[\"']?(?!module|text/javascript|importmap|speculationrules)[\w/]+")
HANDLER = re.compile(r"<[a-z][^<>]*\son[a-z]+\s*=\s*[\"']", re.IGNORECASE)
CHARSET = re.compile(r"<meta charset=[^>]*>")
MOST = 6
"""Inline scripts of the whole book. Each is a hash in every answer of a host that sends headers."""


def inline_scripts(page: str) -> list[str]:
    """What runs from within the page, as written there. Data, such as a trace, is no script."""
    return [
        body
        for attributes, body in SCRIPT.findall(page)
        if "src=" not in attributes and not DATA.search(attributes)
    ]


def policy(scripts: Iterable[str]) -> str:
    """The policy in one line, with the hash of each of these inline scripts.

    Styles may stand inline, since figures and tables carry their sizes; a style runs nothing.
    `wasm-unsafe-eval` lets Python for the browser start, and nothing else.
    """
    digests = {hashlib.sha256(script.encode()).digest() for script in scripts}
    hashes = sorted(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    directives = {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'wasm-unsafe-eval'", *hashes],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
    }
    return "; ".join(" ".join([name, *values]) for name, values in directives.items())


def declare(page: str, name: str) -> str:
    """Return the page with its policy, before anything that it loads.

    A handler in an attribute, such as `onclick`, would be dead: it raises `PageRefused`.
    """
    if found := HANDLER.search(page):
        raise PageRefused(f"{name}: {found[0]}… would not run; listen in a script of `_static`")
    words = escape(policy(inline_scripts(page)), quote=False)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{words}">'
    declared, count = CHARSET.subn(lambda charset: f"{charset[0]}{meta}", page, count=1)
    if not count:
        raise ThemeChanged("security policy: no <meta charset>")
    return declared


def write_for_hosts(site: Path) -> None:
    """Write FILE: the policy under which every page of `site` works."""
    pages = (path.read_text("utf-8") for path in sorted(site.rglob("*.html")))
    scripts = {script for page in pages if "</html>" in page for script in inline_scripts(page)}
    if len(scripts) > MOST:
        raise PageRefused(f"{len(scripts)} inline scripts: move what differs into `data-` words")
    (site / FILE).write_text(f"{policy(scripts)}\n", "utf-8")
