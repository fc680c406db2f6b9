"""An edit of a text: how a seeded fault, a change and a repair of a lab are written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# The same in C where PyYAML was built with it: each process of a test run reads all tables.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def entries(table: Path) -> list[dict[str, Any]]:
    """The entries of a YAML file."""
    return yaml.load(table.read_text(encoding="utf-8"), LOADER)


def edited(text: str, replace: str, becomes: str, where: str) -> str:
    """`text` with that part replaced; ValueError, naming `where`, unless it occurs exactly once."""
    if (count := text.count(replace)) != 1:
        raise ValueError(f"{where}: the text to replace occurs {count} times: {replace!r}")
    return text.replace(replace, becomes)
