"""The directive `{get-the-course}`: how a reader of the page comes to the notebooks and labs.

Every build packs what the repository holds into one file, `_static/course.zip`, so that the page
can give the course away without knowing where its repository is. Where it is known, the
environment variable COURSE_REPOSITORY ("owner/name" on GitHub) adds a link to Binder.
"""

from __future__ import annotations

import os
import zipfile
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bench.course import (
    COURSE,
    FOLDER_IN_THE_ZIP,
    ZIP_OF_THE_COURSE,
    files_of_the_course,
)

SYSTEMS = {
    "Linux": (
        "unzip course.zip && cd course",
        "make lab        # installs, then opens the notebooks",
        "make book       # builds this book and opens it",
    ),
    "macOS": (
        "unzip course.zip && cd course",
        "make lab        # once before: xcode-select --install",
        "make book",
    ),
    "Windows (PowerShell)": (
        "Expand-Archive course.zip . ; cd course ; py -3.12 -m venv .venv",
        r".venv\Scripts\pip install -r requirements.txt -c constraints.txt",
        r".venv\Scripts\jupyter lab --preferred-dir=notebooks",
    ),
}
BINDER = "https://mybinder.org/v2/gh/{}/HEAD?urlpath=lab/tree/notebooks"


class GetTheCourse(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        up = "../" * self.env.docname.count("/")
        link = f'<a href="{up}{ZIP_OF_THE_COURSE}" download>Download the course as one file</a>'
        ways = [
            f"<p><strong>{link}</strong>, about one megabyte. "
            "All it needs is Python 3.11 or newer.</p>"
        ]
        for system, lines in SYSTEMS.items():
            code = escape("\n".join(lines))
            ways.append(
                f'<p>{system}:</p><div class="highlight"><pre tabindex="0">{code}</pre></div>'
            )
        if repository := os.environ.get("COURSE_REPOSITORY"):
            address = escape(BINDER.format(repository))
            ways.append(
                f'<p>Nothing to install: <a href="{address}">open the notebooks on Binder</a>. '
                "It starts in a minute or two. Counts hold on its slow machine, times do not.</p>"
            )
        return [nodes.raw("", "\n".join(ways), format="html")]


def pack(app: Sphinx, error: Exception | None) -> None:
    """Write the zip into the built site; the same files give the same bytes."""
    if error or app.builder.format != "html":
        return
    with zipfile.ZipFile(Path(app.outdir) / ZIP_OF_THE_COURSE, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files_of_the_course():
            entry = zipfile.ZipInfo(f"{FOLDER_IN_THE_ZIP}/{path.relative_to(COURSE).as_posix()}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (path.stat().st_mode & 0o777) << 16
            packed.writestr(entry, path.read_bytes())


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("get-the-course", GetTheCourse)
    app.connect("build-finished", pack)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
