"""The directives of questions in a real build of Sphinx: a page shows what a cell shows."""

from __future__ import annotations

import io
from pathlib import Path

import jupytext
import pytest
from sphinx.application import Sphinx

from bench.course import COURSE
from bench.quizzes.cards import SCRIPTS, STYLE, Transfer, progress, quiz
from bench.quizzes.files import load_recall

PAGE = """# A page

```{quiz-progress} 01
```

```{quiz} 01/m4
```

```{recall} 01
```

```{progress-transfer}
```
"""


def build(folder: Path, page: str) -> tuple[Path, str]:
    """A book of one page and lesson 1; returns the folder of HTML and what the build said."""
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    (folder / "index.md").write_text(page, encoding="utf-8")
    for path in COURSE.glob("notebooks/text/01-*.md"):
        jupytext.write(jupytext.read(path), notebooks / f"{path.stem}.ipynb")
    warnings = io.StringIO()
    settings = {
        "extensions": ["myst_nb", "quiz_pages"],
        "html_theme": "basic",
        "nb_execution_mode": "off",
        "suppress_warnings": ["toc.not_included", "myst.xref_missing"],
    }
    out = folder / "out"
    app = Sphinx(folder, None, out, folder / "trees", "html", settings, None, warnings)
    app.build()
    return out, warnings.getvalue()


def test_directives_show_what_cells_show_and_recall_links_reach_their_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(COURSE / "book/_ext")
    out, _ = build(tmp_path, PAGE)
    index = (out / "index.html").read_text(encoding="utf-8")
    for shown in (progress("01"), quiz("01/m4"), Transfer()):
        assert shown._repr_html_() in index
    for name in (STYLE.name, *(script.name for script in SCRIPTS)):
        assert f"_static/{name}" in index
        assert (out / "_static" / name).is_file()
    assert not list((out / "_static").glob("*.py"))
    (path,) = (COURSE / "book/recall").glob("01-*.yml")
    (lesson,) = (COURSE / "notebooks/text").glob("01-*.md")
    cells = (out / f"notebooks/{lesson.stem}.html").read_text(encoding="utf-8")
    for one in load_recall(path):
        assert f'href="notebooks/{lesson.stem}.html#claim-{one.see}"' in index
        assert f'id="claim-{one.see}"' in cells


def test_a_page_that_asks_an_unknown_question_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(COURSE / "book/_ext")
    _, said = build(tmp_path, "# A page\n\n```{quiz} 01/nothing\n```\n")
    assert "index.md:3: ERROR: {quiz} no question '01/nothing'" in said
