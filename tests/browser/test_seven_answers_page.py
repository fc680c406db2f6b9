"""The last page: every number is a key or a stored run, and the reader's guesses are drawn in."""

from __future__ import annotations

import json
import math

import answers_numbers
import pytest
from answers_figure import log_place
from playwright.sync_api import Browser

PAGE = "book/seven-answers.html"
GUESSES = {"01/sixty-guests": 0.1, "03/sixty-guests": 60, "05/sixty-guests": 100}


def test_without_a_script_the_page_has_all_answers(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + PAGE)
    table = page.locator(".answers-table tbody tr")
    label = page.locator(".answers-figure svg").get_attribute("aria-label")
    for row, one in zip(table.all(), answers_numbers.find_answers(), strict=True):
        words = row.text_content()
        assert one.said in words
        assert one.ran in words
        assert one.said in label
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_first_guesses_are_drawn_and_told(browser: Browser, address: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(address + PAGE)
    assert page.locator(".answers-guess").count() == 0
    for name, value in GUESSES.items():
        kept = json.dumps({"tries": [{"value": value, "at": 1}, {"value": 7, "at": 2}]})
        page.evaluate(
            "([name, kept]) => localStorage.setItem(name, kept)",
            [f"async-course:quiz:1:{name}", kept],
        )
    page.reload()
    page.locator(".answers-guess").first.wait_for(state="attached")
    drawn = [text.strip() for text in page.locator(".answers-guess text").all_text_contents()]
    assert drawn == ["you: 0.1 s", "you: 100 s, beyond this axis", "you: 60 guests"]
    label = page.locator(".answers-figure > svg").get_attribute("aria-label")
    assert label.endswith("Your first guesses: lesson 1 0.1 s; lesson 5 100 s; lesson 3 60 guests")
    cell = page.locator('[data-guess-of="03/sixty-guests"]')
    assert cell.text_content() == "60 guests"
    assert page.locator('[data-guess-of="07/sixty-guests"]').text_content() == "asked in lesson 7"
    # The mark stands where the figure's own dot for the same number would stand.
    plot = page.locator(".answers-figure > svg").bounding_box()
    line = page.locator('[data-question="01/sixty-guests"] .answers-guess line').bounding_box()
    wanted = plot["x"] + plot["width"] * log_place(0.1) / 100
    assert math.isclose(line["x"] + line["width"] / 2, wanted, abs_tol=2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
