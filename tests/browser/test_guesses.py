"""What a reader guesses is drawn into the figures of a lesson."""

from __future__ import annotations

from playwright.sync_api import Browser


def test_the_guesses_of_lesson_1_are_drawn_into_its_figures(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}notebooks/01-synchronous-queries.html")
    for item, guess in ("01/one-word", "1,5"), ("01/hundred-guests", "0.25 s"):
        card = page.locator(f'form[data-quiz="{item}"]')
        card.locator("input[inputmode=decimal]").fill(guess)
        card.locator("button", has_text="Commit").first.click()
    timeline = page.locator('async-timeline[data-guess="01/one-word"]')
    assert "your guess 1.5 s" in timeline.text_content()
    staircase = page.locator('figure[data-guess="01/hundred-guests"] svg')
    assert "your guess 0.25 s" in staircase.text_content()
    page.reload()
    page.locator(".course-guess").first.wait_for(state="attached")
    assert "your guess 0.25 s" in staircase.text_content()
    assert "your guess 1.5 s" in timeline.text_content()
    page.close()
