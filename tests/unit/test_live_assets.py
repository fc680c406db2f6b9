"""What live cells run on is fetched whole or not at all, and is what is pinned."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import live_pins
import live_site
import pytest

import live_assets
from bench.course import COURSE
from live_assets import NotWhatIsPinned, OutOfReach, fetch

WHEEL = "soup-1.0-py3-none-any.whl"
TARBALL = "bistro-menu-2.0.tgz"
PYODIDE = "pyodide-2.0.tgz"
MODULES = {"b.py": b"b" * 1000, "a.py": b"a" * 1000, "pdb.py": b""}
FILES = {"package/LICENSE": b"yours", "package/dist/menu.wasm": b"\0asm", "package/x.map": b"{}"}


def zipped(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return body.getvalue()


def packed(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return body.getvalue()


class Registries:
    """Stands for pip and npm: `bodies` is what they bring, `commands` what was asked of them."""

    def __init__(self) -> None:
        self.bodies = {
            WHEEL: zipped({"soup.py": b"", "soup-1.0.dist-info/licenses/LICENSE": b"free"}),
            TARBALL: packed(FILES),
            PYODIDE: packed({f"package/{live_assets.STDLIB}": zipped(MODULES)}),
        }
        self.pins: dict[str, Any] = {
            **{"python": "3.14.2", "platform": "any", "abi": "none"},
            "wheels": {WHEEL: "sha256:" + hashlib.sha256(self.bodies[WHEEL]).hexdigest()},
            "npm": {
                "@bistro/menu": self.pin(TARBALL, "menu", ["LICENSE", "dist/*.wasm"]),
                "pyodide": self.pin(PYODIDE, "pyodide", [live_assets.STDLIB]),
            },
            "node": {"package": "node==1", "megabytes": 1, "hashes": ["sha256:0"]},
        }
        self.commands: list[list[str]] = []
        self.words = ""
        self.compiles = True

    def pin(self, tarball: str, folder: str, files: list[str]) -> dict[str, Any]:
        digest = base64.b64encode(hashlib.sha512(self.bodies[tarball]).digest()).decode()
        package = {"version": "2.0", "integrity": f"sha512-{digest}", "megabytes": 1}
        return package | {"folder": folder, "files": files}

    def run(self, command: list[str]) -> str:
        self.commands.append(command)
        if command[0] == "/usr/bin/node":
            assert {path.name for path in Path(command[2]).iterdir()} == {live_assets.STDLIB}
            if self.compiles:
                Path(command[3], "compiled").touch()
        name, option = WHEEL, "--dest"
        if "pack" in command:
            name = PYODIDE if "pyodide@2.0" in command else TARBALL
            option = "--pack-destination"
        if option in command and name in self.bodies:
            Path(command[command.index(option) + 1], name).write_bytes(self.bodies[name])
        return self.words


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> Registries:
    them = Registries()
    monkeypatch.setattr(live_assets, "run", them.run)
    monkeypatch.setattr(live_assets.shutil, "which", lambda name: f"/usr/bin/{name}")
    return them


def test_everything_is_unpacked_for_a_static_host(registries: Registries, tmp_path: Path) -> None:
    fetch(registries.pins, target := tmp_path / "assets")
    found = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    licences = {"licences/menu.txt", "licences/soup.txt"}
    pyodide = {f"pyodide/{live_assets.STDLIB}.gz"}
    assert found == {"packages.zip", "menu/menu.wasm.gz", live_pins.LIST, *licences, *pyodide}
    assert gzip.decompress((target / "menu/menu.wasm.gz").read_bytes()) == b"\0asm"
    assert zipfile.ZipFile(target / "packages.zip").namelist() == ["soup.py"]
    assert [path.name for path in tmp_path.iterdir()] == ["assets"], "nothing else is left"
    assert live_pins.is_whole(target)


@pytest.mark.parametrize("name", [WHEEL, TARBALL])
def test_what_is_not_pinned_is_thrown_away(
    registries: Registries, tmp_path: Path, name: str
) -> None:
    registries.bodies[name] += b"!"
    with pytest.raises(NotWhatIsPinned, match=re.escape(name)):
        fetch(registries.pins, tmp_path / "assets")
    assert not [*tmp_path.rglob(name)]
    assert not (tmp_path / "assets").exists()


def test_pip_may_refuse_it_first(registries: Registries, tmp_path: Path) -> None:
    del registries.bodies[WHEEL]
    registries.words = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."
    with pytest.raises(NotWhatIsPinned):
        fetch(registries.pins, tmp_path / "assets")


def test_an_interrupted_run_goes_on_where_it_stopped(
    registries: Registries, tmp_path: Path
) -> None:
    tarball = registries.bodies.pop(TARBALL)
    with pytest.raises(OutOfReach, match="npm could not bring @bistro/menu"):
        fetch(registries.pins, tmp_path / "assets")
    assert not live_pins.is_whole(tmp_path / "assets")
    registries.bodies[TARBALL] = tarball[:-100]
    with pytest.raises(NotWhatIsPinned):
        fetch(registries.pins, tmp_path / "assets")
    registries.bodies[TARBALL] = tarball
    registries.commands.clear()
    fetch(registries.pins, tmp_path / "assets")
    asked = [command[1] for command in registries.commands]
    assert asked[:-1] == ["pack", "pack"], "pip is not asked again"


@pytest.mark.parametrize("harm", ["missing", "shorter", "unlisted"])
def test_a_half_is_not_whole(registries: Registries, tmp_path: Path, harm: str) -> None:
    fetch(registries.pins, target := tmp_path / "assets")
    if harm == "missing":
        (target / "menu/menu.wasm.gz").unlink()
    elif harm == "shorter":
        (target / "menu/menu.wasm.gz").write_bytes(b"")
    else:
        (target / live_pins.LIST).unlink()
    assert not live_pins.is_whole(target)


def test_other_pins_want_other_assets(
    registries: Registries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(registries.pins, target := tmp_path / "assets")
    pins = tmp_path / "pins.json"
    monkeypatch.setattr(live_pins, "PINS", pins)
    text = live_pins.BOOK.joinpath("live-assets.json").read_text("utf-8")
    pins.write_text(text.replace('"megabytes": 61', '"megabytes": 62'), "utf-8")
    assert live_pins.is_whole(target), "what helps to fetch is not shipped"
    pins.write_text(text.replace("0.165.0", "0.166.0"), "utf-8")
    assert not live_pins.is_whole(target)


@pytest.mark.parametrize(("option", "status"), [([], 1), (["--if-possible"], 0)])
def test_without_a_network_it_says_what_that_means(
    registries: Registries,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: list[str],
    status: int,
) -> None:
    registries.bodies.clear()
    monkeypatch.setattr(live_assets, "is_whole", lambda: False)
    monkeypatch.setattr(live_assets, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr("sys.argv", ["live_assets.py", *option])
    assert live_assets.main() == status
    assert "So the book has no Run buttons." in capsys.readouterr().err
    [command] = registries.commands
    assert (command[command.index("--timeout") + 1] == "4") == bool(option)


def test_nothing_is_asked_when_all_is_there(
    registries: Registries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_assets, "is_whole", lambda: True)
    monkeypatch.setattr("sys.argv", ["live_assets.py"])
    assert live_assets.main() == 0
    assert registries.commands == []


def test_the_standard_library_is_stored_without_what_no_page_can_use(
    registries: Registries, tmp_path: Path
) -> None:
    fetch(registries.pins, target := tmp_path / "assets")
    body = gzip.decompress((target / "pyodide" / f"{live_assets.STDLIB}.gz").read_bytes())
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.namelist() == ["a.py", "b.py"]
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}


def test_what_could_not_be_compiled_is_not_shipped(registries: Registries, tmp_path: Path) -> None:
    registries.compiles = False
    with pytest.raises(OutOfReach, match="could not compile"):
        fetch(registries.pins, tmp_path / "assets")
    assert not live_pins.is_whole(tmp_path / "assets")


# -- what is pinned --------------------------------------------------------------------------------


def test_the_page_runs_the_versions_of_the_course() -> None:
    locked = dict(
        line.split("==")
        for line in (COURSE / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line and ";" not in line
    )
    for wheel in live_pins.read_pins()["wheels"]:
        name, version = wheel.split("-")[:2]
        assert locked[name.replace("_", "-")] == version, f"bump {wheel}, too"


def test_every_hash_is_a_whole_one() -> None:
    pins = live_pins.read_pins()
    hashes = [*pins["wheels"].values(), *pins["node"]["hashes"]]
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)
    for package in pins["npm"].values():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"])


def test_the_site_is_the_same_each_time(tmp_path: Path) -> None:
    files = [*live_site.site_files()]
    assert files == [*live_site.site_files()]
    live_site.write_site(site := tmp_path / "site.gz")
    packed = site.read_bytes()
    assert packed[4:8] == bytes(4), "gzip's date"
    with zipfile.ZipFile(io.BytesIO(gzip.decompress(packed))) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = archive.namelist()
    assert names == [name for name, _ in files]
    assert len(names) == len(set(names)) > 400
    assert {"live_boot/__init__.py", "course/labs/bench/claims.py"} < set(names)
    assert not [name for name in names if "/tests/" in name or name.endswith((".pyi", ".pem"))]


def test_every_part_has_its_licence() -> None:
    named = {path.stem for path in (live_pins.ASSETS / "licences").glob("*.txt")}
    pins = live_pins.read_pins()
    assert named == {wheel.split("-")[0] for wheel in pins["wheels"]} | {"pglite"}
    own = {path.name for path in (live_site.LIVE / "licences").glob("*.txt")}
    assert own == {"README.txt", "MPL-2.0.txt", "PostgreSQL.txt"}
