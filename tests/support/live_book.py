"""A small book with live cells, built by Sphinx in seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

from bench.course import BOOK


def live_book(source: Path, *cells: str, pages: dict[str, str] | None = None) -> Path:
    """Build a book whose page `index` has these live cells; `pages` are further Markdown pages.

    Returns the built folder. The cells have no recorded output.
    """
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    notebook.cells = [
        nbformat.v4.new_markdown_cell("# Live"),
        *(nbformat.v4.new_code_cell(cell, metadata={"tags": ["live"]}) for cell in cells),
    ]
    source.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, source / "index.ipynb")
    for name, text in (pages or {}).items():
        (source / f"{name}.md").write_text(f"---\norphan: true\n---\n{text}", encoding="utf-8")
    (source / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(BOOK / '_ext')!r})\n"
        "extensions = ['myst_nb', 'page_assets', 'live_cells']\nhtml_theme = 'basic'\n"
        "nb_execution_mode = 'off'\n",
        encoding="utf-8",
    )
    built = source / "_build"
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-b", "html"]
    done = subprocess.run([*command, source, built], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return built
