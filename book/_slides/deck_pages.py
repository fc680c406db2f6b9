"""A deck as one HTML file that needs no other file and no network.

It holds reveal.js, the course's cards and timelines, and the notes. Without scripts, on paper and
on a phone it is a page to scroll; elsewhere reveal.js shows one slide at a time.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from page_assets import loaded_by

from bench.course import PAGE_ASSETS
from lesson_cells import Lesson
from slide_rules import Slide

HERE = Path(__file__).parent
WIDE = "(min-width: 40.01rem) and (scripting: enabled)"
"""Where one slide is shown at a time; deck.js asks the same."""
LANGUAGE = "en"
NOTHING_ELSE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'\">"
)
"""The browser holds a file to what it promises: it loads nothing."""


def deck_html(lesson: Lesson, slides: list[Slide], reveal: dict[str, str]) -> str:
    """The whole file. `reveal` holds the texts of reveal.js and reveal.css."""
    body = "\n".join(_slide(slide, number) for number, slide in enumerate(slides, 1))
    files = [*loaded_by(body), PAGE_ASSETS / "guesses.js"]
    styles = "\n".join(_read(path) for path in files if path.suffix == ".css")
    scripts = [reveal["reveal.js"], *(_read(one) for one in files if one.suffix == ".js")]
    title = f"{int(lesson.number)} · {lesson.title}"
    return f"""<!doctype html>
<html lang="{LANGUAGE}" data-theme="light">
<head>
<meta charset="utf-8">
{NOTHING_ELSE}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}: slides</title>
<style media="{WIDE}">
{reveal["reveal.css"]}</style>
<style>
{styles}
{_read(HERE / "deck.css")}</style>
</head>
<body>
<main>
<h1 class="unseen">{escape(title)}</h1>
<div class="reveal" data-deck="{lesson.number}">
<div class="slides">
{body}
</div>
</div>
</main>
{_scripts([*scripts, *(_read(HERE / name) for name in ("speaker.js", "deck.js"))])}
</body>
</html>
"""


def index_html(rows: list[tuple[str, str, list[tuple[str, str]]]]) -> str:
    """The list of what there is: (number, title, [(file, what it is)])."""
    items = "\n".join(
        f"<li><h2>{number} · {escape(title)}</h2><p>"
        + " · ".join(f'<a href="{file}">{escape(what)}</a>' for file, what in files)
        + "</p></li>"
        for number, title, files in rows
    )
    return f"""<!doctype html>
<html lang="{LANGUAGE}">
<head>
<meta charset="utf-8">
{NOTHING_ELSE}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slides and handouts</title>
<style>
{_read(HERE / "index.css")}</style>
</head>
<body>
<main>
<h1>Slides and handouts</h1>
<p>Everything here works without a network. In a deck: arrow keys or a swipe go on,
<kbd>S</kbd> opens the speaker's window, <kbd>T</kbd> changes light and dark,
<kbd>Esc</kbd> shows all slides, <kbd>B</kbd> makes the screen black.</p>
<ul>
{items}
</ul>
</main>
</body>
</html>
"""


def _slide(slide: Slide, number: int) -> str:
    kicker = f'<p class="kicker">{slide.kicker}</p>\n' if slide.kicker else ""
    ref = f' data-vote="{slide.ref}"' if slide.ref else ""
    body = "\n".join(slide.body)
    notes = "\n".join(slide.notes)
    return f"""<section id="slide-{number}" class="slide {slide.kind}"{ref}>
<header>{kicker}<h2>{slide.heading}</h2></header>
<div class="body">
{body}
</div>
<aside class="notes" hidden>
{notes}
</aside>
</section>"""


def _scripts(texts: list[str]) -> str:
    return "\n".join(f"<script>\n{text}\n</script>" for text in texts)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
