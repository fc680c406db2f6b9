"""What `python -m bench.ready` finds on a computer, tried with one fault after the other."""

from __future__ import annotations

import asyncio
import resource
import shutil
import socket
import sys
import webbrowser
from pathlib import Path

import psutil
import pytest

from bench.course import COURSE
from bench.ready import attempts, machine, verdict
from bench.ready.attempts import NotReady
from bench.ready.remarks import Remark, note


def texts(look: object) -> str:
    assert callable(look)
    return "\n".join(map(str, look()))


def stops(look: object) -> bool:
    assert callable(look)
    return any(remark.stops for remark in look())


@pytest.fixture(autouse=True)
def _a_quiet_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer on which all is well: each test plants one fault."""
    for name in (*machine.PROXIES, "DATABASE_URL", "PGHOST", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine, "PORTS", {})
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("firefox"))


def test_nothing_is_found_where_all_is_well() -> None:
    assert [remark for remark in machine.look() if remark.stops] == []


def test_every_finding_that_stops_says_what_to_do() -> None:
    """Each look is a public function of the module, and none is forgotten."""
    looks = {
        value
        for name, value in vars(machine).items()
        if getattr(value, "__annotations__", {}).get("return") == "Iterator[Remark]"
        and name[0] != "_"
    }
    assert set(machine.LOOKS) == looks


def test_a_port_in_use_is_named_with_what_happens_then(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(machine, "PORTS", {port: "the book"})
        assert texts(machine.ports) == (
            f"Port {port} is taken by another program. "
            "The book takes the next one: read the address it prints."
        )
        assert not stops(machine.ports)
    assert texts(machine.ports) == ""


def test_variables_of_libpq_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert "(PGHOST, PGSSLMODE); no experiment hears them." in texts(machine.shell)
    assert not stops(machine.shell)
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@example.org/app")
    said = texts(machine.shell)
    assert "with DATABASE_URL they count" in said
    assert "unset it to use that one" in said
    assert "secret" not in said


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy"])
def test_a_proxy_is_named_without_its_address(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://me:secret@proxy.example:3128")
    assert f"A proxy is set ({name})" in texts(machine.shell)
    assert "set NO_PROXY to *" in texts(machine.shell)
    assert "secret" not in texts(machine.shell)


def test_a_full_disk_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(COURSE)._replace(free=123 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    said = texts(machine.disk)
    assert said.startswith("Only 123 MB are free in the temporary folder (")
    assert "Make room for 500 MB" in said
    assert stops(machine.disk)


def test_a_low_limit_of_open_files_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (128, 128))
    assert "the system allows 128. Run `ulimit -n 512`" in texts(machine.open_files)
    assert stops(machine.open_files)


def test_a_limit_that_a_program_may_raise_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (128, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: raised.append(limits))
    assert texts(machine.open_files) == ""
    assert raised == [(512, 4096)]


def no_browser() -> webbrowser.BaseBrowser:
    raise webbrowser.Error("could not locate runnable browser")


@pytest.mark.parametrize("found", [no_browser, lambda: webbrowser.GenericBrowser("lynx")])
def test_no_browser_is_said(found: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "get", found)
    assert texts(machine.browser).startswith("No browser that opens a window was found. Install")
    assert not stops(machine.browser)


def test_a_missing_package_stops_and_another_version_does_not(tmp_path: Path) -> None:
    lines = ["pytest==0.1", "no-such-package==1.0", "-e .", "# words", 'x==1 ; sys_platform == "x"']
    (tmp_path / "requirements.txt").write_text("\n".join(lines))
    other, missing = sorted(machine.packages(tmp_path), key=lambda remark: remark.stops)
    assert "pytest" in str(other)
    assert "instead of 0.1" in str(other)
    assert not other.stops
    assert "lacks no-such-package. " in str(missing)
    assert machine.INSTALL in str(missing)
    assert missing.stops


def test_an_old_python_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OLDEST", (3, 99))
    assert "needs 3.99 or newer. Install" in texts(machine.python)
    assert stops(machine.python)


def test_a_path_with_umlauts_stops_on_windows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = Path("/Käse") / ("long" * 30)
    assert list(machine.course_path(deep)) == []
    monkeypatch.setattr(sys, "platform", "win32")
    letters, length = machine.course_path(deep)
    assert r"such as C:\course" in str(letters)
    assert letters.stops
    assert "126 letters" in str(length)
    assert not length.stops
    assert list(machine.course_path(Path("/course"))) == []


def test_a_home_that_nobody_can_write_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/proc/nobody-can-write-here")
    assert "Set HOME" in texts(machine.home)
    assert stops(machine.home)


def test_little_memory_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    free = psutil.virtual_memory()._replace(available=300 * 2**20)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert texts(machine.memory).startswith("Only 300 MB of memory are free")
    assert not stops(machine.memory)


def test_a_loopback_that_is_closed_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: object, timeout: float) -> None:
        raise PermissionError("not allowed")

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert "127.0.0.1 (not allowed). Allow Python in your firewall" in texts(machine.loopback)
    assert stops(machine.loopback)


def test_an_experiment_that_fails_says_its_last_line_and_how_to_see_all(tmp_path: Path) -> None:
    script = COURSE / "labs" / "evidence" / "none.py"
    with pytest.raises(NotReady) as failed:
        attempts.experiment(script)
    assert "No such file" in failed.value.remark.problem
    assert failed.value.remark.cure == "All it says: python labs/evidence/none.py."


def test_a_machine_that_cannot_is_not_tried() -> None:
    said: list[str] = []
    found = [note("A proxy is set."), Remark("The disk is full.", "Make room.")]
    outcome = asyncio.run(verdict._tried(found, 0, said.append))
    assert said == []
    assert not outcome.ready
    assert outcome.lines() == ["Note: A proxy is set.", "Not ready: The disk is full. Make room."]


def test_one_line_says_that_all_is_ready() -> None:
    outcome = verdict.Verdict((note("A proxy is set."),), ("a notebook runs (2.0 s)",), 4.2)
    assert outcome.ready
    ready = "Ready: a notebook runs (2.0 s). All of it took 4 s."
    assert outcome.lines() == ["Note: A proxy is set.", ready]
