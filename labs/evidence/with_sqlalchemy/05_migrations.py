"""`alembic upgrade` of an async project, asked from a lifespan: three ways work, the plain one not.

The async template calls `asyncio.run`, which a running loop refuses. In a thread or a process no
loop is running, and a connection that is handed over needs none. What runs in the application's
process also reads `alembic.ini`: `fileConfig` silences every logger that exists by then, and sets
the level of all others to WARNING.

A migration that is generated from SQLModel's tables names `sqlmodel`, and imports it only if the
template does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Field, SQLModel
from tables import desk

from bench import Postgres, claim

MIGRATION = """
from alembic import op
revision, down_revision = {!r}, {!r}
def upgrade(): op.execute("{} select current_setting('lock_timeout')")
"""
MIGRATIONS = (("0001", None, "create table guest as"), ("0002", "0001", "insert into guest"))
TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"
READS_THE_INI = "fileConfig(config.config_file_name)"
KEEPS_LOGGERS = "fileConfig(config.config_file_name, disable_existing_loggers=False)"
READS_NOTHING = "pass  # the application has set up its own logging"
NO_TABLES = "target_metadata = None"
SQLMODELS_TABLES = "from sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata"
RUNS = "asyncio.run(run_async_migrations())"
TAKES_A_CONNECTION = """if config.attributes.get("connection"):
        do_run_migrations(config.attributes["connection"])
    else:
        asyncio.run(run_async_migrations())"""

BEGINS = """connection=connection, target_metadata=target_metadata)

    with context.begin_transaction():"""
SETS_A_LIMIT = f"""{BEGINS}
        context.execute("set local lock_timeout = '2s'")"""
ONE_BY_ONE = SETS_A_LIMIT.replace("metadata)", "metadata, transaction_per_migration=True)")

IMPORTS_SQLALCHEMY = "import sqlalchemy as sa"
IMPORTS_SQLMODEL = f"{IMPORTS_SQLALCHEMY}\nimport sqlmodel"


class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str


Way = Callable[[Config, AsyncEngine], Awaitable[object]]


async def plain(config: Config, engine: AsyncEngine) -> None:
    command.upgrade(config, "head")


async def in_a_thread(config: Config, engine: AsyncEngine) -> None:
    await asyncio.to_thread(command.upgrade, config, "head")


async def with_a_connection(config: Config, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        config.attributes["connection"] = connection.sync_connection
        await connection.run_sync(lambda _: command.upgrade(config, "head"))


async def in_its_own_process(config: Config, engine: AsyncEngine) -> None:
    upgrade = [sys.executable, "-m", "alembic", "-c", config.config_file_name, "upgrade", "head"]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*upgrade, stdout=quiet, stderr=quiet)
    await process.wait()


def edit(file: Path, old: str, new: str) -> None:
    assert file.read_text().count(old) == 1, old
    file.write_text(file.read_text().replace(old, new))


def project(folder: Path, url: str, *edits: tuple[str, str]) -> Config:
    """An async Alembic project with two migrations; `edits` change its env.py."""
    with contextlib.redirect_stdout(io.StringIO()):  # it lists the files that it makes
        config = Config(folder / "alembic.ini")
        command.init(config, str(folder / "migrations"), template="async")
    for migration in MIGRATIONS:
        place = folder / "migrations" / "versions" / f"{migration[0]}.py"
        place.write_text(MIGRATION.format(*migration))
    env = folder / "migrations" / "env.py"
    for old, new in edits:
        edit(env, old, new)
    ini = folder / "alembic.ini"
    address = url.replace("%", "%%")
    ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", address))
    return Config(ini)


async def started(
    pg: Postgres, way: Way, *edits: tuple[str, str]
) -> tuple[str, list[str], str, list[str]]:
    """What the start of an app says, the tables then, and what its logger lets through after it.

    Last the lock_timeout that each migration had, if they ran.
    """
    logger = logging.getLogger("bistro.orders")
    logging.getLogger().setLevel(logging.INFO)
    engine = create_async_engine(pg.url("asyncpg"))
    with tempfile.TemporaryDirectory() as folder:
        config = project(Path(folder), pg.url("asyncpg"), *edits)

        @contextlib.asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            await way(config, engine)
            yield

        app, said = FastAPI(lifespan=lifespan), "started"
        with contextlib.redirect_stderr(io.StringIO()):  # Alembic's log, and a warning of asyncio
            try:
                async with app.router.lifespan_context(app):
                    pass
            except RuntimeError as error:
                said = f"RuntimeError: {error}"
            gc.collect()
    await engine.dispose()
    async with desk(pg.dsn) as connection:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        patience = await connection.fetch("select * from guest") if tables else []
        await connection.execute("drop schema public cascade; create schema public")
    level = "nothing" if logger.disabled else logging.getLevelName(logger.getEffectiveLevel())
    logger.disabled = False
    logging.getLogger().handlers.clear()
    return said, tables, level, [row[0] for row in patience]


async def generated(pg: Postgres, imports: str) -> tuple[list[str], str, list[str]]:
    """A migration generated from `Hero`, where the template has these `imports`.

    Its lines that name sqlmodel, what its upgrade says, and the tables then.
    """
    with tempfile.TemporaryDirectory() as folder:
        edits = (READS_THE_INI, READS_NOTHING), (NO_TABLES, SQLMODELS_TABLES)
        config = project(Path(folder), pg.url("asyncpg"), *edits)
        config.stdout = io.StringIO()
        migrations = Path(folder) / "migrations"
        for written in (migrations / "versions").glob("*.py"):
            written.unlink()
        edit(migrations / "script.py.mako", IMPORTS_SQLALCHEMY, imports)
        with contextlib.redirect_stdout(io.StringIO()):
            await asyncio.to_thread(command.revision, config, "heroes", autogenerate=True)
        (script,) = (migrations / "versions").glob("*.py")
        lines = [line.strip() for line in script.read_text().splitlines() if "sqlmodel" in line]
        said = "done"
        try:
            await asyncio.to_thread(command.upgrade, config, "head")
        except NameError as error:
            said = f"NameError: {error}"
    async with desk(pg.dsn) as connection:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        await connection.execute("drop schema public cascade; create schema public")
    return lines, said, tables


async def main() -> None:
    handed_over = (RUNS, TAKES_A_CONNECTION)
    async with Postgres() as pg:
        refused = await started(pg, plain)
        ways = {
            "a thread": await started(pg, in_a_thread),
            "a connection": await started(pg, with_a_connection, handed_over),
            "a process": await started(pg, in_its_own_process),
        }
        kept = await started(pg, in_a_thread, (READS_THE_INI, KEEPS_LOGGERS))
        edits = (READS_THE_INI, READS_NOTHING), (BEGINS, SETS_A_LIMIT)
        edited = await started(pg, in_a_thread, *edits)
        local = await started(pg, in_a_thread, (BEGINS, ONE_BY_ONE))
        lasting = await started(pg, in_a_thread, (BEGINS, ONE_BY_ONE.replace("set local", "set")))
        forgotten = await generated(pg, IMPORTS_SQLALCHEMY)
        imported = await generated(pg, IMPORTS_SQLMODEL)
    print(f"command.upgrade   {refused[0]}; tables {refused[1]}")
    for name, (said, tables, level, _) in ways.items():
        print(f"{name:17} {said}; tables {tables}; logged: {level}")
    print(f"disable_existing_loggers=False   logged: {kept[2]}")
    print(f"env.py without fileConfig        logged: {edited[2]}")
    print(f"lock_timeout of two migrations   set local in env.py: {edited[3]}")
    print(f"    transaction_per_migration    set local: {local[3]}; set: {lasting[3]}")
    for name, (lines, said, tables) in {"template": forgotten, "with import": imported}.items():
        print(f"SQLModel, {name:11}  {said}; tables {tables}; generated:", *lines, sep="\n    ")
    claim(
        "upgrade-in-a-running-loop-is-refused",
        "command.upgrade() in a lifespan: asyncio.run() is refused, and no table is made.",
        refused[0] == "RuntimeError: asyncio.run() cannot be called from a running event loop"
        and refused[1] == [],
    )
    claim(
        "three-ways-migrate-in-a-lifespan",
        "In a thread, over a connection that is handed on, and in a process, the table is made.",
        [way[:2] for way in ways.values()] == [("started", ["alembic_version", "guest"])] * 3,
    )
    claim(
        "alembic-silences-the-loggers",
        "Both ways in the application's process disable its loggers; another process does not.",
        [way[2] for way in ways.values()] == ["nothing", "nothing", "INFO"],
    )
    claim(
        "existing-loggers-can-be-kept",
        "disable_existing_loggers=False keeps warnings; without fileConfig INFO is kept, too.",
        (kept[2], edited[2]) == ("WARNING", "INFO"),
    )
    claim(
        "one-place-limits-all-migrations",
        "context.execute() in env.py sets lock_timeout for the migrations; without it, it is 0.",
        (edited[3], ways["a thread"][3]) == (["2s", "2s"], ["0", "0"]),
    )
    claim(
        "a-local-limit-ends-with-the-first-migration",
        "With a transaction for each migration `set local` holds for the first, `set` for both.",
        (local[3], lasting[3]) == (["2s", "0"], ["2s", "2s"]),
    )
    column = "sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),"
    claim(
        "autogenerate-forgets-sqlmodel",
        "autogenerate names sqlmodel and does not import it: upgrade is NameError, no table.",
        forgotten == ([column], "NameError: name 'sqlmodel' is not defined", ["alembic_version"]),
    )
    claim(
        "the-template-imports-sqlmodel",
        "With import sqlmodel in script.py.mako the upgrade makes the table.",
        imported == (["import sqlmodel", column], "done", ["alembic_version", "hero"]),
    )


if __name__ == "__main__":
    asyncio.run(main())
