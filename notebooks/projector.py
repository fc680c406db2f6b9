"""JupyterLab for a projector: `python notebooks/projector.py 01` opens lesson 1.

Code is 20 points tall, and 60 columns of it fit a screen of 1024 × 768: no sidebars, no prompts, no
news. The cells of questions and recordings hide their code in any JupyterLab; here the place of it
is hidden, too. Your own JupyterLab stays as it is: settings and layout of this one are written
afresh into `_build/projector` each time. Ctrl+B brings the list of files. What a class changes or
clears is not saved by itself, so that slides and book keep the results of the notebook.

What follows the lesson goes to `jupyter lab`: `python notebooks/projector.py 01 --no-browser`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from jupyterlab_server.workspaces_handler import WorkspacesManager

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "_build" / "projector"

SETTINGS: dict[str, dict[str, object]] = {
    "apputils-extension/themes": {
        "theme": "JupyterLab Light",
        "overrides": {
            "code-font-size": "20pt",
            "content-font-size1": "18pt",
            "ui-font-size1": "14px",
        },
    },
    "apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
    "application-extension/shell": {"startMode": "single"},
    "docmanager-extension/plugin": {"autosave": False},
}
HIDDEN = {"collapsed": True, "visible": False, "current": None, "widgets": []}
LAYOUT = {"layout-restorer:data": {"left": HIDDEN, "right": HIDDEN}}
STYLE = """\
.jp-Notebook { --jp-notebook-padding: 0; --jp-cell-padding: 2px; --jp-cell-prompt-width: 0px; }
.jp-Notebook :is(.jp-InputPrompt, .jp-OutputPrompt) { display: none; }
.jp-Notebook .jp-InputPlaceholder { display: none; }
.jp-Notebook :is(.jp-InputCollapser, .jp-OutputCollapser) { min-width: 6px; width: 6px; }
"""


def environment(home: Path = HOME) -> dict[str, str]:
    """Write settings, layout and style below `home`; return where JupyterLab finds them."""
    shutil.rmtree(home, ignore_errors=True)
    for name, values in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values, indent=2), encoding="utf-8")
    layout = {"data": LAYOUT, "metadata": {"id": "default"}}
    WorkspacesManager(str(home / "workspaces")).save("default", json.dumps(layout))
    style = home / "config" / "custom" / "custom.css"
    style.parent.mkdir(parents=True)
    style.write_text(STYLE, encoding="utf-8")
    return {
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lesson", nargs="?", default="01", help="its number, such as 01")
    arguments, others = parser.parse_known_args()
    found = sorted((ROOT / "notebooks").glob(f"{arguments.lesson.zfill(2)}*.ipynb"))
    if not found:
        print(f"There is no lesson {arguments.lesson}.", file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "jupyter", "lab", str(found[0].relative_to(ROOT))]
    command += ["--ServerApp.root_dir=.", "--LabApp.custom_css=True", *others]
    try:
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment()}).returncode
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
