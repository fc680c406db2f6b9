"""How an application is shown another database: by which variables, and what they say then."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.visit.__main__ import parser, planned
from bench.visit.settings import filled, likely_templates

PROXY = "postgresql://cook:p%40ss@127.0.0.1:6000/bistro"


@pytest.mark.parametrize(
    ("files", "likely"),
    [
        ({"app.py": "import os\nurl = os.getenv('DATABASE_URL')"}, ["DATABASE_URL={dsn}"]),
        (
            {"app.py": "", ".env.example": "DATABASE__HOSTNAME=localhost\nDATABASE__PORT=5432\n"},
            ["DATABASE__HOSTNAME={host}", "DATABASE__PORT={port}"],
        ),
        (
            {"config.py": "class Settings(BaseSettings):\n    postgres_password: str\n"},
            ["POSTGRES_PASSWORD={password}"],
        ),
        ({"app.py": "import os\nos.getenv('DB_POOL_SIZE')"}, []),
        ({"app.py": "os.getenv('SHOP_URL')\nos.getenv('PG_URL')"}, ["PG_URL={dsn}"]),
        ({"app.py": "os.getenv('SHOP_URL')"}, ["SHOP_URL={dsn}"]),
    ],
)
def test_the_likely_variables_are_ready_to_be_typed(
    files: dict[str, str], likely: list[str], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert likely_templates(tmp_path) == likely


@pytest.mark.parametrize(
    ("template", "was", "shown"),
    [
        ("{dsn}", "", PROXY),
        (
            "{dsn}",
            "postgresql+asyncpg://x/y",
            f"postgresql+asyncpg{PROXY.removeprefix('postgresql')}",
        ),
        ("postgres://{address}", "", f"postgres{PROXY.removeprefix('postgresql')}"),
        ("{host}:{port}", "", "127.0.0.1:6000"),
        ("{password}", "", "p@ss"),
    ],
)
def test_a_template_shows_the_proxy(template: str, was: str, shown: str) -> None:
    assert filled({"NAME": template}, PROXY, {"NAME": was}) == {"NAME": shown}


def test_an_unset_variable_takes_the_scheme_of_dsn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_DB", raising=False)
    said = "postgresql+asyncpg://cook@127.0.0.1/shop"
    words = ["app:app", "GET /", "--dsn", said, "--env", "SHOP_DB={dsn}"]
    plan = planned(parser().parse_args(words))
    assert plan.dsn == "postgresql://cook@127.0.0.1/shop"
    assert filled(plan.templates, PROXY, plan.was)["SHOP_DB"].startswith("postgresql+asyncpg://")


def test_no_warm_up_can_be_asked_for() -> None:
    assert planned(parser().parse_args(["app:app", "POST /", "--warm", "0"])).warm == 0
