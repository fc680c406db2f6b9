"""What these tests need: Chromium, and for most of them the built book.

`browser` is one Chromium for a file of tests, `address` the built book, served under a policy that
is stricter than any host's. Both end with the file: Playwright's event loop would be in the way of
a later `asyncio.run`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from browsers import chromium
from building import built_book
from strict_serving import served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(built_book()) as started:
        yield started
