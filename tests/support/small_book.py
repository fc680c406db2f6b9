"""A small book around the ledger, built by Sphinx in seconds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ledger_entries import COURSE, runs


def small_book(source: Path) -> Path:
    """Build a book with the ledger's page and pages that link to it; return the built folder."""
    (source / "book" / "evidence").mkdir(parents=True)
    shutil.copy(COURSE / "book" / "evidence" / "ledger.md", source / "book" / "evidence")
    (source / "index.md").write_text(
        "# Index\n\n[an entry](#claim-one-query-at-a-time)\n\n"
        "{run}`ping-answers-beside-def` and {run}`waiting-task-cheaper-than-thread`\n\n"
        "```{toctree}\nbook/evidence/ledger\nbook/evidence/01-lesson\nnotebooks/01-synchronous-queries\n```\n",
        encoding="utf-8",
    )
    notebook = source / "notebooks" / "01-synchronous-queries.md"
    notebook.parent.mkdir()
    notebook.write_text("# Lesson 1\n", encoding="utf-8")
    script = runs()["waiting-task-cheaper-than-thread"].relative_to(COURSE).as_posix()
    (source / "book" / "evidence" / "01-lesson.md").write_text(
        f"# Evidence\n\nAs in `{script}`.\n\n## Memory\n\n```text\n# ../../{script}\n```\n",
        encoding="utf-8",
    )
    (source / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(COURSE / 'book' / '_ext')!r})\n"
        "extensions = ['myst_parser', 'ledger_pages']\nhtml_theme = 'basic'\n"
        "myst_enable_extensions = ['deflist']\n",
        encoding="utf-8",
    )
    built = source / "_build"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-b", "html", source, built],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return built
