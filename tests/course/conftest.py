"""What these tests need: the files of the course, and for some of them the built book.

They say whether what is written here holds together. No browser, no database.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from building import built_book
from small_book import small_book


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built book."""
    return built_book()


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small book around the ledger."""
    return small_book(tmp_path_factory.mktemp("book"))
