"""Every live cell of the built book, run in Firefox, says what was recorded."""

from __future__ import annotations

import pytest

from answering import PATH, answering, firefox_at
from building import built_book
from live_pages import PRESS_RUN, SECONDS, Run, differences, live_documents

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
    with answering(built_book(), ASK) as served, firefox_at(f"{served.address}{document}.html"):
        answer = served.answers.get(timeout=2 * SECONDS)
    assert isinstance(answer, list), answer
    assert answer, "the page has no live cell"
    assert differences([Run(**run) for run in answer]) == []
