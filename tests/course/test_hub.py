"""The page of sticks and hubs: its link and its values speak of one and the same place."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import yaml

import serve
from bench.course import BOOK, COURSE
from classroom.systems import PYTHONS, SYSTEMS

PAGE = (BOOK / "instructors" / "on-a-hub.md").read_text("utf-8")
VALUES = yaml.safe_load((BOOK / "instructors" / "hub-values.yml").read_text("utf-8"))
HOME = "/home/jovyan"  # of Zero to JupyterHub


def test_the_link_opens_a_notebook_that_is_there_and_python_looks_where_it_puts_the_course() -> (
    None
):
    [link] = re.findall(r"^https://\S+/git-pull\?\S+$", PAGE, re.M)
    asked = {name: value for name, [value] in parse_qs(urlsplit(link).query).items()}
    assert asked.keys() == {"repo", "branch", "depth", "targetpath", "urlpath"}
    folder = f"lab/tree/{asked['targetpath']}/"
    assert asked["urlpath"].startswith(folder)
    notebook = asked["urlpath"].removeprefix(folder)
    assert (COURSE / notebook).is_file()
    singleuser = VALUES["singleuser"]
    assert singleuser["extraEnv"]["PYTHONPATH"] == f"{HOME}/{asked['targetpath']}/labs"
    assert singleuser["defaultUrl"] == f"/{asked['urlpath']}"


def test_a_server_is_asked_for_what_a_learner_was_measured_to_need() -> None:
    measured = (COURSE / "labs" / "classroom" / "what_a_learner_needs.txt").read_text("utf-8")
    [three] = re.findall(r"One learner with 3 notebooks open, .*: (\d+) MB", measured)
    memory = VALUES["singleuser"]["memory"]
    guaranteed = float(memory["guarantee"].removesuffix("G")) * 1024
    assert int(three) <= guaranteed <= 1.5 * int(three)
    assert float(memory["limit"].removesuffix("G")) * 1024 >= 1.4 * guaranteed


def test_the_image_brings_what_the_link_needs() -> None:
    asked = (COURSE / ".binder" / "requirements.txt").read_text().split()
    assert [one for one in asked if re.fullmatch(r"nbgitpuller==[\d.]+", one)]


def test_the_page_names_each_folder_its_start_and_its_pythons() -> None:
    for system in SYSTEMS:
        assert re.search(rf"^\| `course-{system.name}` \|.*{re.escape(system.start)}`", PAGE, re.M)
    for python in PYTHONS:
        assert f" {python}" in PAGE


def test_yaml_for_a_hub_can_be_downloaded() -> None:
    assert "{download}`hub-values.yml <hub-values.yml>`" in PAGE
    assert ".yml" not in serve.TYPES  # an unknown kind is downloaded, not shown
