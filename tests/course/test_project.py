"""The project: what it installs is pinned, what it publishes is proven, its README is true."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from bench.course import COURSE

PROJECT = tomllib.loads((COURSE / "pyproject.toml").read_text("utf-8"))
WORKFLOWS = sorted((COURSE / ".github" / "workflows").glob("*.yml"))
README = (COURSE / "README.md").read_text("utf-8")


def lines_of(path: Path) -> list[str]:
    """The lines of a requirements file, without comments and without options such as `-e .`."""
    lines = (line.split(" #")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and line[0] not in "#-"]


def pinned(path: Path) -> dict[str, str]:
    """{canonical name: version}, of one of several lines for different systems; all are pinned."""
    found = {}
    for line in lines_of(path):
        one = Requirement(line)
        [pin] = one.specifier
        assert pin.operator == "==", f"{path.name}: {line}"
        assert "*" not in pin.version, f"{path.name}: {line}"
        found[canonicalize_name(one.name)] = pin.version
    return found


REQUIREMENTS = sorted(COURSE.glob("requirements*.txt"))
LOCK = COURSE / "constraints.txt"


def test_every_requirement_is_pinned_and_locked_with_the_same_version() -> None:
    lock = pinned(LOCK)
    wanted = {name: one for path in REQUIREMENTS for name, one in pinned(path).items()}
    assert len(wanted) > 20
    assert {name: one for name, one in wanted.items() if lock.get(name) != one} == {}


def test_all_that_the_requirements_bring_is_locked() -> None:
    lock = pinned(LOCK)
    waiting = [Requirement(line) for path in REQUIREMENTS for line in lines_of(path)]
    seen: set[tuple[str, str]] = set()
    unlocked = set()
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        for extra in one.extras or {""}:
            if (name, extra) in seen or (one.marker and not one.marker.evaluate({"extra": ""})):
                continue
            seen.add((name, extra))
            if name not in lock:
                unlocked.add(name)
            try:
                needed = map(Requirement, requires(name) or [])
            except PackageNotFoundError:  # for another system
                continue
            for other in needed:
                if other.marker is None or other.marker.evaluate({"extra": extra}):
                    other.marker = None
                    waiting.append(other)
    assert len(seen) > 100
    assert unlocked == set()


def test_binder_installs_the_same_on_a_python_that_the_course_supports() -> None:
    binder = COURSE / ".binder"
    [version] = re.findall(r"^python-(\d+\.\d+)$", (binder / "runtime.txt").read_text(), re.M)
    assert version in SpecifierSet(PROJECT["project"]["requires-python"])
    assert f" {version} " in README  # in the table of what has been run
    asked = (binder / "requirements.txt").read_text().split()
    assert "-c ../constraints.txt" in " ".join(asked)
    named = [(binder / one).resolve() for one in asked if one.endswith(".txt")]
    assert named
    assert all(path.is_file() for path in named)


# --- Workflows ------------------------------------------------------------------------------


def workflow(path: Path) -> dict[str, Any]:
    read = yaml.safe_load(path.read_text("utf-8"))
    read["on"] = read.pop(True, None) or read.get("on")  # YAML 1.1 takes `on` for a boolean
    return read


def test_workflows_are_there() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"proof", "publish"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_says_what_runs_where_and_pins_what_it_uses(path: Path) -> None:
    read = workflow(path)
    assert read["name"]
    assert read["on"]
    assert read["permissions"]["contents"] == "read"
    for job in read["jobs"].values():
        assert job["runs-on"]
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), step
            if "uses" in step:
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"]), step
    for line in path.read_text("utf-8").splitlines():
        if "uses:" in line:  # the version of the commit, for the reader
            assert re.search(r"@[0-9a-f]{40} # v\d+(\.\d+)+$", line), line


def test_only_what_a_green_proof_has_seen_is_published() -> None:
    read = workflow(COURSE / ".github/workflows/publish.yml")
    proof = workflow(COURSE / ".github/workflows/proof.yml")
    assert read["on"] == {
        "workflow_run": {"workflows": [proof["name"]], "types": ["completed"], "branches": ["main"]}
    }
    for job in read["jobs"].values():
        assert "github.event.workflow_run.conclusion == 'success'" in job["if"]
        [checkout] = [one for one in job["steps"] if "actions/checkout" in one.get("uses", "")]
        assert checkout["with"]["ref"] == "${{ github.event.workflow_run.head_sha }}"


def test_the_proof_runs_what_a_contributor_runs_on_every_python_of_the_readme() -> None:
    proof = workflow(COURSE / ".github/workflows/proof.yml")
    job = proof["jobs"]["linux"]
    assert {"run": "bash .ci/run"} in job["steps"]
    assert "make test" in (COURSE / ".ci/run").read_text()
    [row] = [line for line in README.splitlines() if line.startswith("| Python |")]
    assert set(job["strategy"]["matrix"]["python"]) == set(re.findall(r"\b3\.\d+\b", row))


# --- README and licence ---------------------------------------------------------------------


def test_the_licence_is_there_and_covers_code_and_text() -> None:
    text = " ".join((COURSE / "LICENSE").read_text("utf-8").split())
    assert "MIT" in text
    assert "Attribution 4.0" in text or "CC BY 4.0" in text
    for folder in re.findall(r"(?:labs|tests|book|notebooks)/[\w/]*", text):
        assert (COURSE / folder).exists(), folder


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_and_pictures_exist(name: str) -> None:
    text = (COURSE / name).read_text("utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    missing = [one for one in targets if "//" not in one and not (COURSE / one).exists()]
    assert missing == []
    for alternative in re.findall(r"!\[([^\]]*)\]", text):
        assert len(alternative.split()) >= 8, alternative


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "notebooks/refresh.py"])
def test_commands_exist(name: str) -> None:
    text = (COURSE / name).read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (COURSE / "Makefile").read_text(), re.M))
    code = re.findall(r"`([^`\n]+)`|^((?:make|python|bash|\.venv\\)[^\n]*)", text, re.M)
    commands = [first or second for first, second in code]
    for command in commands:
        for target in re.findall(r"^make ([a-z-]+)", command):
            assert target in targets, command
        for module in re.findall(r"python -m (bench[\w.]*)", command):
            path = COURSE / "labs" / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), command
        for path in re.findall(r"(?:^|[\s=])([\w.]+[/\\][\w./\\-]+)", command):
            shown = path.replace("\\", "/")
            if (COURSE / shown.partition("/")[0]).is_dir() and not re.search(
                "NN|…|^.venv|^_build", shown
            ):
                assert (COURSE / shown).exists(), command
    assert commands
