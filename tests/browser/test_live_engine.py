"""The engine of live cells: Python in the page, on a small book of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from live_book import live_book, run_live, served_plainly

CELLS = (
    'from bench import claim\nprint("hello")',
    'claim("two-and-two", "Two and two is four.", 2 + 2 == 4)',
)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_plainly(live_book(tmp_path_factory.mktemp("live"), *CELLS)) as address:
        yield address


def test_cells_run_in_the_page(browser: Browser, book: str) -> None:
    page = browser.new_page()
    page.goto(f"{book}index.html")
    assert run_live(page) == ["hello\n", "holds: Two and two is four.\n"]
    page.close()
