"""The scripts of the pages speak one dialect: oxlint passes, and each says what it needs and gives.

Classic scripts, since pages also run from `file://`: each is a function that runs at once. What
others may use of it hangs on one global name, `asyncCourse`.
"""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from bench.course import COURSE, LABS
from bench.quizzes.cards import SCRIPTS

FOLDERS = (COURSE / "book" / "_static", LABS / "bench")
FETCHING = (COURSE / "book" / "_live", COURSE / "book" / "_slides")  # below lies what was fetched
THEIR_SCRIPTS = sorted(path for one in FETCHING for path in one.glob("*.js"))
PAGE_SCRIPTS = sorted(THEIR_SCRIPTS + [path for one in FOLDERS for path in one.rglob("*.js")])
every_script = pytest.mark.parametrize("script", PAGE_SCRIPTS, ids=lambda path: path.name)

HEADER = re.compile(
    r"/\* .+?\n\n   Needs: (?P<needs>.+?)\.\n   Gives: (?P<gives>.+?)\.(?:\n\n.+?)? \*/\n"
    r"\(\((?:course)?\) => \{\n  \"use strict\";\n",
    re.DOTALL,
)
NAME = re.compile(r"\basyncCourse\.(\w+)")


def linted(*paths: Path) -> subprocess.CompletedProcess[str]:
    oxlint = Path(sysconfig.get_path("scripts")) / "oxlint"
    command = [str(oxlint), "--config", str(COURSE / ".oxlintrc.json"), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_linter_has_nothing_to_say() -> None:
    assert len(PAGE_SCRIPTS) > 10
    done = linted(*FOLDERS, *THEIR_SCRIPTS)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("var one = 1; window.one = one;", "no-var"),
        ("document.body.innerHTML = location.hash;", "no-restricted-properties"),
        ("document.body.outerHTML = name;", "no-restricted-properties"),
        ("document.body['innerHTML'] = name;", "no-restricted-properties"),
        ("document.body.insertAdjacentHTML('beforeend', name);", "no-restricted-properties"),
        ("new Range().createContextualFragment(name);", "no-restricted-properties"),
        ("new DOMParser().parseFromString(name, 'text/html');", "no-restricted-properties"),
        ("document.body.setHTMLUnsafe(name);", "no-restricted-properties"),
        ("document.querySelector('iframe').srcdoc = name;", "no-restricted-properties"),
        ("document.write(name);", "no-restricted-properties"),
        ("document.writeln(name);", "no-restricted-properties"),
        ("console.log(nobody);", "no-undef"),
        ("window.same = (a, b) => a == b;", "eqeqeq"),
    ],
)
def test_the_linter_sees_what_it_is_there_for(tmp_path: Path, code: str, rule: str) -> None:
    (tmp_path / "one.js").write_text(code, encoding="utf-8")
    done = linted(tmp_path)
    assert done.returncode == 1
    assert rule in done.stdout


MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|parseFromString|srcdoc"
    r"|setHTMLUnsafe|document\.write"
)
JOINED_NAME = re.compile(r"""(?<=[\w)\]])\[\s*(?:["'`][^"'`\]\n]*["'`]\s*\+|`[^`\n]*\$\{)""")
MAY = {"timeline.js": 1, "page.js": 2, "live-output.js": 1}
"""Where markup is made from what the course itself wrote: {script: silenced lines}"""


def test_the_linter_is_told_to_look_away_where_we_looked() -> None:
    texts = {path.name: path.read_text("utf-8") for path in PAGE_SCRIPTS}
    silenced = {name: len(re.findall(r"(?:ox|es)lint-disable", s)) for name, s in texts.items()}
    assert {name: count for name, count in silenced.items() if count} == MAY
    assert [name for name, text in texts.items() if JOINED_NAME.search(text)] == []


def test_a_name_that_is_put_together_is_seen() -> None:
    assert JOINED_NAME.search("""node["inner" + "HTML"] = name;""")
    assert JOINED_NAME.search("node[`inner${'HTML'}`] = name;")
    assert not JOINED_NAME.search("""node["a b"] = [1, "x"]; text[at + 1];""")


def test_no_script_outside_the_script_files_makes_markup() -> None:
    """The linter does not read what stands in Python, in templates and in pages."""
    suffixes = {".py", ".html", ".md"}
    places = [*(LABS / "bench").rglob("*"), *(COURSE / "book").rglob("*")]
    files = [path for path in places if path.suffix in suffixes]
    assert {".py", ".html", ".md"} == {path.suffix for path in files}
    assert [path.name for path in files if MARKUP.search(path.read_text("utf-8"))] == []


@every_script
def test_a_header_says_what_a_script_needs_and_gives(script: Path) -> None:
    """And the code agrees: it takes from the global name what it needs, and sets what it gives."""
    text = script.read_text(encoding="utf-8")
    header = HEADER.match(text)
    assert header, "write a header like that of labs/bench/units.js"
    code = text[header.end() :]
    used = set(re.findall(r"\bcourse\.(\w+)", code))
    for names in re.findall(r"const \{ ([\w, ]+) \} = course;", code):
        used |= set(names.split(", "))
    assert used == set(NAME.findall(f"{header['needs']} {header['gives']}"))
    for given in NAME.findall(header["gives"]):
        assert f"course.{given} = {{" in code


def test_a_script_of_the_cards_comes_after_those_it_needs() -> None:
    given: set[str] = set()
    for script in SCRIPTS:
        header = HEADER.match(script.read_text(encoding="utf-8"))
        assert header
        assert set(NAME.findall(header["needs"])) <= given, script.name
        given |= set(NAME.findall(header["gives"]))
    assert {path.name for path in SCRIPTS} == {path.name for path in (LABS / "bench").rglob("*.js")}
