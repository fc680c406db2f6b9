"""`python -m bench.ready` in a hostile shell. (In `make test` the notebook 00-ready runs it.)"""

from __future__ import annotations

import psutil
from test_ready_command import ready


def of_the_course() -> set[int]:
    """The processes of notebooks and servers that the course has started."""
    words = ("ipykernel", "bench.servers", "supervisor.py", "pginstall")
    return {
        one.pid
        for one in psutil.process_iter(["cmdline"])
        if any(word in " ".join(one.info["cmdline"] or []) for word in words)
        and one.environ().get("READY_TEST")
    }


def test_it_is_ready_with_a_hostile_shell_and_leaves_nothing_running() -> None:
    done = ready(PGHOST="nowhere.invalid", HTTP_PROXY="http://127.0.0.1:9", READY_TEST="1")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[-1].startswith("Ready: PostgreSQL ")
    for part in "an experiment holds", "a notebook runs":
        assert part in lines[-1]
    assert any(line.startswith("Note: libpq's variables are set (PGHOST") for line in lines)
    assert any(line.startswith("Note: A proxy is set (HTTP_PROXY)") for line in lines)
    assert "Traceback" not in done.stderr
    assert of_the_course() == set()
