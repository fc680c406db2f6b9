"""What a cell shows of a trace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A timeline; `print` shows its one-sentence summary."""

    summary: str
    html: str

    def __repr__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return self.html
