"""Every live cell of the built book in Firefox, and in a browser that cannot switch stacks."""

from __future__ import annotations

import pytest

from answering import PATH, answering, firefox_at
from browsers import chromium
from building import built_book
from live_pages import PRESS_RUN, SECONDS, Run, differences, live_documents, opened
from strict_serving import served

ASK = f"""
let answer;
try {{
  answer = await ({PRESS_RUN})([0, {SECONDS}]);
}} catch (error) {{
  answer = String(error);
}}
await fetch("{PATH}", {{ method: "POST", body: JSON.stringify(answer) }});
"""


@pytest.mark.parametrize("document", live_documents())
def test_firefox_says_what_was_recorded(document: str) -> None:
    with answering(built_book(), ASK) as site, firefox_at(f"{site.address}{document}.html"):
        answer = site.answers.get(timeout=2 * SECONDS)
    assert isinstance(answer, list), answer
    assert answer, "the page has no live cell"
    assert differences([Run(**run) for run in answer]) == []


def test_what_needs_no_second_stack_needs_no_cell_that_does() -> None:
    """Where cells about threads have no Run button, those below them still find their names."""
    with served(built_book()) as address, chromium() as browser:
        for document in live_documents():
            visit = opened(browser, address, document, "delete WebAssembly.Suspending")
            refused = visit.page.locator(".tag_needs-jspi").count()
            visit.start()
            runs = visit.runs()
            assert len(runs) == visit.cells - refused > 0, document
            assert differences(runs) == [], document
            visit.page.close()
