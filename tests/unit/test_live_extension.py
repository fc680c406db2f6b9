"""What a page with live cells loads, and a book for which nothing was fetched."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import live_cells
import pytest
from docutils import nodes
from docutils.utils import new_document
from live_cells import add_to_page, copy_assets, copy_scripts, preloaded

BODY = '<div class="cell tag_live docutils container">'


class Loads:
    """Stands for Sphinx: notes what a page is told to load."""

    def __init__(self, folder: Path) -> None:
        self.outdir = folder
        self.builder = SimpleNamespace(format="html")
        self.files: list[str] = []
        self.settings: dict[str, Any] = {}

    def add_css_file(self, name: str) -> None:
        self.files.append(name)

    def add_js_file(self, name: str, **attributes: str) -> None:
        assert attributes.pop("loading_method") == "defer"
        self.files.append(name)
        self.settings = json.loads(attributes.get("data-live", "{}"))


def page_with(*codes: str) -> nodes.document:
    page = new_document("page")
    for code in codes:
        cell = nodes.container(classes=["cell", "tag_live"])
        cell += nodes.literal_block(code, code)
        page += cell
    other = nodes.container(classes=["cell"])
    other += nodes.literal_block("", "import httpx")
    page += other
    return page


def test_what_its_cells_import_is_loaded_beside_python() -> None:
    assert preloaded(page_with("from fastapi import FastAPI", "import aiosqlite, json")) == [
        "fastapi",
        "aiosqlite",
    ]
    assert preloaded(page_with("import asyncio  # no fastapi here")) == []


def test_a_page_with_live_cells_loads_their_scripts(tmp_path: Path) -> None:
    app: Any = Loads(tmp_path)
    copy_scripts(app)
    add_to_page(app, "index", "", {"body": BODY}, page_with("import fastapi"))
    assert app.files == [f"live/{name}" for name in live_cells.CELL_FILES]
    assert app.settings["preload"] == ["fastapi"]
    assert app.settings["versions"]["Python"].startswith("3.14.")
    assert 8_000_000 < app.settings["bytes"] <= 9_500_000
    assert {path.name for path in (tmp_path / "_static/live").iterdir()} >= {
        "live-worker.mjs",
        "site.zip.gz",
    }


@pytest.mark.parametrize("page", [page_with(), None])
def test_other_pages_load_nothing(tmp_path: Path, page: nodes.document | None) -> None:
    app: Any = Loads(tmp_path)
    add_to_page(app, "index", "", {"body": "<p>tag live</p>"}, page)
    assert app.files == []


def test_without_what_is_fetched_the_book_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(live_cells, "is_whole", lambda: False)
    monkeypatch.setattr(live_cells.log, "info", said.append)
    app: Any = Loads(tmp_path)
    copy_scripts(app)
    add_to_page(app, "index", "", {"body": BODY}, page_with("import fastapi"))
    copy_assets(app, None)
    assert app.files == []
    assert not [*tmp_path.iterdir()]
    assert said == ["live cells: `make live-assets` has not run, so the book has no Run buttons"]
