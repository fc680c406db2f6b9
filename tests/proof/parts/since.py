"""The table "since when", asked again: its probes on older releases from pip."""

from __future__ import annotations

from memory import HOME, Memory
from older_releases import disagreements


def since(memory: Memory, only: str = "") -> list[str]:
    """the table "since when": its probes on older releases, each in an environment of its own"""
    return [f"since when: {one}" for one in disagreements(HOME, only)]
