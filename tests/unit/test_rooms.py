"""The rooms of the code: who may import whom, and names that do not mislead.

Imports point one way. Read from the syntax trees, so an import inside a function counts as well.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import bench
from bench.course import BOOK, LABS

BENCH = LABS / "bench"
EXTENSIONS = BOOK / "_ext"
SLIDES = BOOK / "_slides"

# Room → the rooms of `bench` that it may import, beside itself. The front is what stands in `bench`
# without a wing. What instruments record is a trace, so they need its format; a trace needs no
# instrument.
ARROWS = {
    "front": set(),
    "servers": {"front"},
    "traces": {"front"},
    "instruments": {"servers", "traces", "front"},
    "figures": {"traces", "front"},
    "quizzes": {"figures", "front"},
    "practice": {"instruments", "servers", "front"},
    "ready": {"servers", "front"},
    "visit": {"front", "servers", "traces", "instruments", "figures", "quizzes", "practice"},
    "bistro": set(),
    "_ext": {"front", "traces", "quizzes", "practice"},
    "_slides": {"front", "quizzes"},
}

STANDARD_LIBRARY_ALONE = [
    *("claims", "course", "claim_index", "units", "assets", "palette", "captions"),
    *("instruments.virtual", "instruments.heartbeats"),  # the reader's browser
    *("instruments.gates", "instruments.in_vain", "instruments.simulated_sockets"),
    *("practice.in_the_page", "practice.commands"),
    *(
        "servers.supervisor",
        "servers.private",
        "servers.programs",
        "servers.server_files",
    ),  # `python -S`
]
"""Modules of `bench` whose imports at the top lead to nothing that must be installed."""

FOLDERS = (LABS / "bistro", EXTENSIONS, SLIDES)
FILES = sorted([*BENCH.rglob("*.py"), *(file for one in FOLDERS for file in one.glob("*.py"))])


def room_of(file: Path) -> str:
    if BENCH in file.parents:
        inside = file.relative_to(BENCH).parts
        return inside[0] if len(inside) > 1 else "front"
    return file.parent.name


ROOMS = sorted({room_of(file) for file in FILES})


def imports(tree: ast.AST, nodes: Iterator[ast.AST] | None = None) -> Iterator[tuple[str, str]]:
    """(module, name) for each import; the name is empty in `import module`."""
    for node in nodes or ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write imports from the top: they say where a name lives"
            yield from ((node.module or "", one.name) for one in node.names)


def read(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def room_named(module: str, name: str) -> str:
    """The room of `bench` that `from module import name` enters."""
    if module == "bench" and name in bench._HOME:
        module = f"bench.{bench._HOME[name]}"
    elif module == "bench":
        module = f"bench.{name}"
    wing = module.split(".")[1] if "." in module else ""
    return wing if wing in ARROWS and wing != "front" else "front"


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room: str) -> None:
    for file in FILES:
        entered = {
            room_named(module, name)
            for module, name in imports(read(file))
            if room_of(file) == room and module.split(".")[0] == "bench"
        }
        assert entered - {room} <= ARROWS[room], f"{file}: {room} may not import that"


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_what_is_made_with_it(room: str) -> None:
    """The instruments know no app and no page; only what makes pages knows extensions."""
    outside = {"bistro", "evidence", "recorders", "simulator", "book", "notebooks", "tests"}
    if room not in ("_ext", "_slides"):
        outside |= {one.stem for one in EXTENSIONS.glob("*.py")}
    if room != "_slides":
        outside |= {one.stem for one in SLIDES.glob("*.py") if not one.stem.startswith("__")}
    for file in FILES:
        if room_of(file) == room:
            tops = {module.split(".")[0] for module, _ in imports(read(file))}
            assert not tops & (outside - {room}), file


def test_every_wing_has_its_arrows() -> None:
    wings = {file.parent.name for file in BENCH.glob("*/__init__.py")}
    assert wings <= ARROWS.keys()
    order = [*ARROWS]
    for room, may in ARROWS.items():
        assert all(order.index(one) < order.index(room) for one in may), f"{room}: a circle"


@pytest.mark.parametrize("module", STANDARD_LIBRARY_ALONE)
def test_some_rooms_need_the_standard_library_alone(module: str) -> None:
    seen, ahead = set(), [f"bench.{module}"]
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        if name.split(".")[0] != "bench":
            assert name.split(".")[0] in sys.stdlib_module_names, f"{module} needs {name}"
            continue
        path = LABS / (name.replace(".", "/") + ".py")
        if path.exists():
            tree = read(path)
            top = iter(
                [n for n in at_import(tree.body) if isinstance(n, ast.Import | ast.ImportFrom)]
            )
            ahead += [module for module, _ in imports(tree, top)]


def at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported."""
    for node in body:
        yield node
        for branch in ("body", "orelse"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from at_import(getattr(node, branch, []))


def test_no_module_shares_its_name() -> None:
    """Neither with what it gives, nor with what `bench` gives, nor with another module.

    A module of the bistro may: a lesson shows it as a reader's own file.
    """
    named = [file for file in FILES if room_of(file) != "bistro"]
    for file in named:
        given = {
            node.name
            for node in read(file).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        assert file.stem not in given, file
        assert file.stem not in bench.__all__, file
    twice = Counter(file.stem for file in named if not file.stem.startswith("__"))
    assert [name for name, times in twice.items() if times > 1] == []


def test_an_extension_gives_no_name_that_bench_gives() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    given: dict[bool, set[str]] = {True: set(), False: set()}
    for file in FILES:
        if room_of(file) != "bistro":
            names = {node.name for node in read(file).body if isinstance(node, kinds)}
            given[room_of(file) == "_ext"] |= {one for one in names if one[0] != "_"}
    assert "timeline" in given[False]
    assert given[True] & given[False] == set()


def test_a_process_that_must_not_hear_an_interrupt_is_described_once() -> None:
    words = ("start_new_session", "creationflags", "CREATE_NEW_PROCESS_GROUP")
    homes = {file.stem for file in FILES if any(word in file.read_text() for word in words)}
    assert homes == {"detached"}
