"""Style and script for a notebook that runs outside the book, where no page loads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Assets:
    """The last value of a notebook's set-up cell (tag: remove-cell); `print` shows `says`."""

    says: str
    style: Path
    script: Path

    def __repr__(self) -> str:
        return self.says

    def _repr_html_(self) -> str:
        style, script = (path.read_text(encoding="utf-8") for path in (self.style, self.script))
        return f"<style>\n{style}</style>\n<script>\n{script}</script>"
