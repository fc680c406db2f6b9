"""The entry check says where first answers lead; a second try does not count."""

from __future__ import annotations

import json

from playwright.sync_api import Browser, expect

from bench.quizzes.files import load_lessons

ITEMS = [
    item for lesson in load_lessons().values() for item in lesson.items if item.asked_at == "entry"
]


def kept(right: int) -> list[tuple[str, str]]:
    """What the browser keeps of a reader whose first answers to so many questions were right."""
    found = []
    for place, item in enumerate(ITEMS):
        answers = sorted(item.answers, key=lambda one: not one.right)
        first, second = (answers[0], answers[1]) if place < right else (answers[1], answers[0])
        values = [one.ranges[0][0] if one.ranges else one.id for one in (first, second)]
        tries = [{"value": value, "at": at} for at, value in enumerate(values, 1)]
        found.append((f"async-course:quiz:1:{item.ref}", json.dumps({"tries": tries})))
    return found


def test_first_answers_lead_to_lesson_one_or_three(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 900})
    page = context.new_page()
    page.goto(f"{address}book/entry-check.html")
    route = page.locator(".entry-route")
    expect(route).to_be_empty()
    page.get_by_label("This task stands still, and other tasks run.").check()
    page.locator('[data-quiz="02/entry-next-line"] button[type=submit]').click()
    expect(route).to_have_text("1 of 5 questions answered.")
    for right, lesson in ((0, 1), (3, 1), (4, 3), (5, 3)):
        for name, value in kept(right):
            page.evaluate("([name, kept]) => localStorage.setItem(name, kept)", [name, value])
        page.reload()
        expect(route).to_have_text(
            f"{right} of 5 questions right at the first try: begin with lesson {lesson}."
        )
    context.close()
