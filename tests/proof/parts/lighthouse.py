"""What Lighthouse says of a lesson."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from building import built_book
from memory import Memory
from running import run
from strict_serving import served

LIGHTHOUSE = "lighthouse@12.8.2"


def lighthouse(memory: Memory) -> list[str]:
    """Lighthouse on lesson 1: accessibility, good practice and search must be 100; speed is told"""
    npx = shutil.which("npx")
    if npx is None:
        return ["lighthouse: npx is missing; install Node.js"]
    with served(built_book()) as address, tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        chrome = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
        command = [npx, "--yes", LIGHTHOUSE, f"{address}notebooks/01-synchronous-queries.html"]
        command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu", "--quiet"]
        command += ["--output=json", f"--output-path={report}"]
        ok, output = run(command, CHROME_PATH=chrome)
        if not ok:
            return [f"lighthouse: {output[-2000:]}"]
        categories = json.loads(report.read_text())["categories"]
    scores = {name: round(100 * found["score"]) for name, found in categories.items()}
    print(f"  {scores}")
    return [
        f"lighthouse: {name} is {score}"
        for name, score in scores.items()
        if name != "performance" and score < 100
    ]
