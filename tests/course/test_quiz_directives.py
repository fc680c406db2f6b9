"""The directives of questions in a real build of Sphinx: a page shows what a cell shows."""

from __future__ import annotations

import io
import os
from pathlib import Path

import jupytext
import pytest
from sphinx.application import Sphinx

from bench.claim_index import claim_homes
from bench.course import COURSE, WITH_SQLALCHEMY
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
    """A book of one page, lesson 1, and the scripts of its page for SQLAlchemy.

    Returns the folder of HTML and what the build said.
    """
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    (folder / "index.md").write_text(page, encoding="utf-8")
    for path in COURSE.glob("notebooks/text/01-*.md"):
        jupytext.write(jupytext.read(path), notebooks / f"{path.stem}.ipynb")
    shown = [os.path.relpath(path, folder) for path in sorted(WITH_SQLALCHEMY.glob("01_*.py"))]
    scripts = [f"## A script\n\n```{{literalinclude}} {path}\n```\n" for path in shown]
    (folder / "scripts.md").write_text("\n".join(["# Scripts\n", *scripts]), encoding="utf-8")
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
    homes = claim_homes()
    for one in load_recall(path):
        by_script = homes[one.see].parent == WITH_SQLALCHEMY
        page = "scripts.html" if by_script else f"notebooks/{lesson.stem}.html"
        assert f'href="{page}#claim-{one.see}"' in index
        assert f'id="claim-{one.see}"' in (out / page).read_text(encoding="utf-8")


def test_a_page_that_asks_an_unknown_question_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(COURSE / "book/_ext")
    _, said = build(tmp_path, "# A page\n\n```{quiz} 01/nothing\n```\n")
    assert "index.md:3: ERROR: {quiz} no question '01/nothing'" in said
