"""The folders of a class: that all wheels are there, and what the start script says.

The whole folder is built and started without a network by `python tests/proof classroom`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bench.course import COURSE, FOLDER_IN_THE_ZIP, ZIP_OF_THE_COURSE
from classroom import wheels
from classroom.folders import STICK, either, put_together
from classroom.systems import PYTHONS, SYSTEMS, System, here
from classroom.wheels import INSTALLER, Unresolved, best, locked, needed

LINUX, WINDOWS, APPLE, INTEL = SYSTEMS


def wheel(pool: Path, tagged: str, *needs: str) -> Path:
    """A wheel that holds nothing but what it needs: "name-1.0-py3-none-any"."""
    path = pool / f"{tagged}.whl"
    name, version = tagged.split("-")[:2]
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {one}" for one in needs]
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines))
        made.writestr("other/vendored-9.0.dist-info/METADATA", "Metadata-Version: 2.1\n")
    return path


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A course that asks for soup, and locks what soup may need."""
    lock = ["soup==1.0", "salt==2.0", "pan==3.0 ; sys_platform == 'win32'", "lid==4.0"]
    (tmp_path / "requirements.txt").write_text("soup[hot]==1.0\n-e .\n")
    (tmp_path / "constraints.txt").write_text("\n".join(lock))
    monkeypatch.setattr(wheels, "COURSE", tmp_path)
    pool = tmp_path / "pool"
    pool.mkdir()
    wheel(pool, f"{INSTALLER.replace('==', '-')}-py3-none-any")
    return pool


SOUP = (
    "salt>=1",
    "pan; sys_platform == 'win32'",
    "lid>=1; extra == 'hot'",
    "ice; extra == 'cold'",
    "old; python_version < '3.11'",
)


def names(found: list[Path]) -> list[str]:
    return [path.name.partition("-")[0] for path in found]


def test_what_another_system_needs_is_asked_about_that_system(course: Path) -> None:
    wheel(course, "soup-1.0-py3-none-any", *SOUP)
    wheel(course, "salt-2.0-cp312-cp312-win_amd64")
    wheel(course, "salt-2.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64")
    wheel(course, "pan-3.0-cp39-abi3-win_amd64")
    wheel(course, "lid-4.0-py2.py3-none-any")
    assert names(needed(course, LINUX, "3.12", download=False)) == ["lid", "pip", "salt", "soup"]
    on_windows = needed(course, WINDOWS, "3.12", download=False)
    assert names(on_windows) == ["lid", "pan", "pip", "salt", "soup"]
    assert on_windows[3].name.endswith("win_amd64.whl")


def test_the_oldest_and_the_newest_of_a_python_are_served(course: Path) -> None:
    """A lock may have two lines: Python 3.11.5 needs another version than 3.11.4."""
    lock = course.parent / "constraints.txt"
    two = "salt==2.0 ; python_full_version < '3.12.5'\nsalt==3.0 ; python_full_version >= '3.12.5'"
    lock.write_text(lock.read_text().replace("salt==2.0", two))
    wheel(course, "soup-1.0-py3-none-any", "salt")
    wheel(course, "salt-2.0-py3-none-any")
    wheel(course, "salt-3.0-py3-none-any")
    found = [one.name for one in needed(course, LINUX, "3.12", download=False)]
    assert [name for name in found if name.startswith("salt")] == [
        "salt-2.0-py3-none-any.whl",
        "salt-3.0-py3-none-any.whl",
    ]


@pytest.mark.parametrize(
    ("system", "python", "tagged"),
    [
        (LINUX, "3.12", "salt-2.0-cp311-cp311-manylinux_2_17_x86_64"),
        (LINUX, "3.12", "salt-2.0-cp312-cp312-manylinux_2_39_x86_64"),
        (WINDOWS, "3.12", "salt-2.0-cp312-cp312-win_arm64"),
        (APPLE, "3.12", "salt-2.0-cp312-cp312-macosx_14_0_arm64"),
        (INTEL, "3.12", "salt-2.0-cp312-cp312-macosx_11_0_arm64"),
        (LINUX, "3.12", "salt-1.9-py3-none-any"),
    ],
)
def test_a_wheel_that_does_not_fit_is_missing(
    course: Path, system: System, python: str, tagged: str
) -> None:
    wheel(course, "soup-1.0-py3-none-any", "salt")
    wheel(course, tagged)
    with pytest.raises(Unresolved, match=rf"no wheel of salt 2.0 for {system.name}, Python"):
        needed(course, system, python, download=False)


def test_what_no_lock_names_is_refused(course: Path) -> None:
    wheel(course, "soup-1.0-py3-none-any", "pepper")
    with pytest.raises(Unresolved, match="does not name pepper"):
        needed(course, LINUX, "3.12", download=False)


def test_of_several_wheels_the_one_that_pip_takes(course: Path) -> None:
    wheel(course, "salt-2.0-py3-none-any")
    own = wheel(course, "salt-2.0-cp312-cp312-macosx_11_0_universal2")
    salt = locked(INTEL, "3.12", 0)["salt"]  # type: ignore[index]
    assert best(course, "salt", salt, INTEL, "3.12") == own  # type: ignore[arg-type]


def test_the_folders_serve_the_pythons_that_have_been_run() -> None:
    [row] = [one for one in (COURSE / "README.md").read_text().splitlines() if "| Python |" in one]
    has_run = row.split("|")[2]
    assert all(python in has_run for python in PYTHONS)
    for one in Requirement(INSTALLER).specifier:
        assert one.operator == "=="


# -- the folder ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for Linux and this Python, with one wheel and a course of one file."""
    site = tmp_path / "site"
    (site / ZIP_OF_THE_COURSE).parent.mkdir(parents=True)
    (site / "index.html").write_text("<p>book</p>")
    (tmp_path / "slides").mkdir()
    (tmp_path / "slides" / "index.html").write_text("<p>slides</p>")
    with zipfile.ZipFile(site / ZIP_OF_THE_COURSE, "w") as packed:
        packed.writestr(f"{FOLDER_IN_THE_ZIP}/requirements.txt", "soup==1.0\n")
    made = tmp_path / "a stick" / "course-linux"
    python = "{}.{}".format(*sys.version_info[:2])
    put_together(made, LINUX, [python], [wheel(tmp_path, "soup-1.0-py3-none-any")], site)
    return made


def start(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "start.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_folder_holds_the_course_with_its_book_and_says_what_to_do(folder: Path) -> None:
    assert (folder / "course" / "requirements.txt").is_file()
    assert (folder / "course" / "_build" / "html" / "index.html").is_file()
    assert (folder / "slides" / "index.html").is_file()
    readme = (folder / "READ-ME.txt").read_text()
    assert "Start start.sh." in readme
    assert "{" not in readme
    assert start(folder, "fits").returncode == 0


def test_a_copy_with_a_hole_in_it_is_noticed(folder: Path) -> None:
    [one] = (folder / "wheels").glob("*.whl")
    one.unlink()
    one.write_bytes(b"half a wheel")
    done = start(folder, "check")
    assert (done.returncode, done.stderr) == (
        1,
        "wheels/soup-1.0-py3-none-any.whl is missing or damaged: copy the folder once more.\n",
    )


def test_a_stick_without_links_is_no_place_to_install(folder: Path) -> None:
    shutil.rmtree(folder / "course")
    done = start(folder, "check")
    assert done.returncode == 1
    assert "Copy the folder to this computer and start it there" in done.stderr


def test_a_python_that_is_not_served_is_told(folder: Path) -> None:
    (folder / "pythons.txt").write_text("3.99\n")
    assert start(folder, "fits").returncode == 1
    assert "does not serve this Python" in start(folder, "check").stderr
    done = subprocess.run(["sh", folder / "start.sh"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "It serves: 3.99" in done.stdout


def test_the_shell_finds_a_python_that_is_served(folder: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(sys.executable)
    for name in ("sh", "dirname", "sed", "tr"):
        (programs / name).symlink_to(str(shutil.which(name)))
    shutil.rmtree(folder / "course")
    done = subprocess.run(
        [str(programs / "sh"), str(folder / "start.sh"), "check"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Copy the folder to this computer" in done.stderr


def test_windows_gets_its_own_line_ends(folder: Path, tmp_path: Path) -> None:
    put_together(tmp_path / "w", WINDOWS, ["3.12"], [], tmp_path / "site")
    for name in "start.cmd", "READ-ME.txt":
        text = (tmp_path / "w" / name).read_bytes()
        assert text.count(b"\r\n") == text.count(b"\n") > 5
    assert b"\r" not in (folder / "start.sh").read_bytes()


def test_what_a_stick_holds_is_written_once() -> None:
    assert {path.name for path in STICK.iterdir()} == {
        *("start.py", "start.sh", "start.cmd", "READ-ME.txt"),
    }
    assert here() in (None, *SYSTEMS)
    assert [either(["a"]), either(["a", "b"]), either([*"abc"])] == ["a", "a or b", "a, b or c"]
