"""Style and scripts for a notebook that runs outside the book, where no page loads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LAB_KEYS = 'data-lm-suppress-shortcuts="true"'
"""On every control: JupyterLab takes arrows and letters for itself unless the focused element says
no."""


@dataclass(frozen=True)
class Assets:
    """The last value of a notebook's set-up cell (tag: remove-cell); `print` shows `says`."""

    says: str
    files: tuple[Path, ...]
    """Styles (.css) and scripts (.js), in their order."""

    def __repr__(self) -> str:
        return self.says

    def _repr_html_(self) -> str:
        tags = {".css": "style", ".js": "script"}
        return "\n".join(
            f"<{tag}>\n{path.read_text(encoding='utf-8')}</{tag}>"
            for path in self.files
            for tag in [tags[path.suffix]]
        )
