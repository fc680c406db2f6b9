"""What SQLAlchemy, SQLModel, Alembic and FastAPI say, each provoked once, with its class.

SQLAlchemy wraps what a driver says: its class and the driver's come first, then the words, then the
statement and a link. The words are the ones to look up.
"""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import alembic
import asyncpg
import httpx
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from sqlalchemy import ForeignKey, MetaData, create_engine, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession

from bench import Postgres, claim, until

ONE = text("select 1")
TABLE = """
    create table guest (id serial primary key, name text, seen timestamptz default now());
    create table drink (id serial primary key, guest_id int references guest);
    insert into guest (name) values ('Anna'), ('Ben')"""
ENV = """
from alembic import context
from sqlalchemy import create_engine
with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes["tables"],
        include_object=lambda table, name, kind, reflected, other: not reflected,
    )
    context.run_migrations()
"""
REVISION = "revision, down_revision = {!r}, {!r}\ndef upgrade(): pass\ndef downgrade(): pass\n"


class Base(DeclarativeBase):
    pass


class Guest(Base):
    __tablename__ = "guest"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    seen: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    drinks: Mapped[list[Drink]] = relationship()


class EagerGuest(Base):
    __table__ = Guest.__table__
    __mapper_args__: ClassVar = {"eager_defaults": True}


class Drink(Base):
    __tablename__ = "drink"
    id: Mapped[int] = mapped_column(primary_key=True)
    guest_id: Mapped[int] = mapped_column(ForeignKey("guest.id"))


class Visitor(SQLModel, table=True):
    id: int = Field(primary_key=True)
    name: str


def words(error: BaseException) -> str:
    """Class and first line of an error, without SQLAlchemy's link, addresses and password."""
    line = str(error).splitlines()[0].partition(" (Background on")[0].partition(". If you are")[0]
    line = re.sub(r"0x[0-9a-f]+|(?<=session ')\d+|(?<=this is ')\d+|(?<=\+psycopg:)\S+", "…", line)
    return f"{type(error).__name__}: {line}"


async def message(call: Callable[[], object]) -> str:
    """Class and words of what a call raises, or its awaitable."""
    try:
        answer = call()
        if isinstance(answer, Awaitable):
            await answer
    except Exception as error:
        return words(error)
    return "nothing"


async def together(*calls: Awaitable[object]) -> str:
    """What the second of two calls hears while the first is under way."""
    _, second = await asyncio.gather(*calls, return_exceptions=True)
    return words(second) if isinstance(second, Exception) else "nothing"


async def of_transactions(engine: AsyncEngine, boss: asyncpg.Connection) -> dict[str, str]:
    said = {}
    async with AsyncSession(engine) as session:
        session.add(Guest(id=1, name="twice"))
        said["a number twice"] = await message(session.flush)
        said["… asked again"] = await message(lambda: session.execute(ONE))
    async with AsyncSession(engine) as session:
        pid = await session.scalar(text("select pg_backend_pid()"))
        await boss.execute("select pg_terminate_backend($1)", pid)
        gone = "select not exists (select from pg_stat_activity where pid = $1)"
        await until(lambda: boss.fetchval(gone, pid), what="the end of the backend")
        connection = await session.connection()
        raw = (await connection.get_raw_connection()).driver_connection
        await until(raw.is_closed, what="the driver to hear of it")
        said["a lost connection"] = await message(lambda: session.execute(ONE))
        said["… and asked again"] = await message(lambda: session.execute(ONE))
    async with AsyncSession(engine) as session:
        await session.execute(ONE)
        said["begin() too late"] = await message(lambda: session.begin().start())
    async with AsyncSession(engine) as session, session.begin():
        await session.commit()
        said["commit() in begin()"] = await message(lambda: session.execute(ONE))
    async with AsyncSession(engine, close_resets_only=False) as session:
        await session.execute(ONE)
    said["a closed session"] = await message(lambda: session.execute(ONE))
    return said


async def of_sharing(engine: AsyncEngine) -> dict[str, str]:
    said = {}
    async with AsyncSession(engine) as session:
        session.add(Guest(name="Cleo"))
        said["flush() beside flush()"] = await together(session.flush(), session.flush())
        during_commit = session.execute(ONE)
        said["execute() beside commit()"] = await together(session.commit(), during_commit)
    async with AsyncSession(engine) as session:
        await session.execute(ONE)
        said["commit() beside commit()"] = await together(session.commit(), session.commit())
    return said


async def of_engines(blocking: str) -> dict[str, str]:
    async def as_async() -> None:
        async with Session(create_engine(blocking)):
            pass

    return {
        "a blocking driver": await message(lambda: create_async_engine("sqlite://")),
        "a blocking engine": await message(lambda: AsyncSession(create_engine(blocking))),
        "a blocking session": await message(as_async),
    }


async def of_questions(engine: AsyncEngine) -> dict[str, str]:
    async with AsyncSession(engine) as session, AsyncSession(engine) as other:
        anna = await session.get(Guest, 1)
        both = await session.execute(select(Guest))
        nobody = await session.execute(select(Guest).where(Guest.id == 0))
        joined = await session.execute(select(Guest).options(joinedload(Guest.drinks)))
        return {
            "a plain text": await message(lambda: session.execute("select 1")),
            "no value for :id": await message(lambda: session.execute(text("select :id"), {})),
            "none of one": await message(nobody.scalar_one),
            "two of one": await message(both.scalar_one),
            "of another session": await message(lambda: other.add(anna)),
            "refresh() too early": await message(lambda: session.refresh(Guest(name="Dan"))),
            "exec(), no SQLModel": await message(lambda: session.exec(ONE)),
            "query()": await message(lambda: session.query(Guest)),
            "joined, no unique()": await message(joined.all),
        }


async def of_kept_values(engine: AsyncEngine) -> dict[str, str]:
    """What `expire_on_commit=False` does not keep, and what `eager_defaults` keeps."""
    said = {}
    async with AsyncSession(engine, expire_on_commit=False) as session:
        for name, what in (("Cleo", "commit(), onupdate"), ("Dan", "… eager_defaults")):
            guest = await session.get_one(Guest if name == "Cleo" else EagerGuest, 1)
            guest.name = name
            await session.commit()
            said["commit(), name"] = await message(lambda guest=guest: guest.name)
            said[what] = await message(lambda guest=guest: guest.seen)
        await session.execute(ONE)
        await session.rollback()
        said["rollback(), name"] = await message(lambda: guest.name)
    return said


async def of_fastapi() -> dict[str, str]:
    app = FastAPI()

    def row() -> Guest:
        return Guest(id=1)

    def needs_a_session(session: AsyncSession) -> None: ...

    @app.get("/object")
    def typed_object() -> object:
        return Guest(id=1)

    @app.get("/untyped")
    def untyped():
        return Guest(id=1)

    door = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=door, base_url="http://bistro") as client:
        return {
            "-> Guest": await message(lambda: app.get("/row")(row)),
            "… response_model=None": await message(lambda: app.get("/", response_model=None)(row)),
            "a session, no Depends": await message(lambda: app.get("/needs")(needs_a_session)),
            "-> object": await message(lambda: client.get("/object")),
            "… no return type": await message(lambda: client.get("/untyped")),
        }


async def of_sqlmodel(engine: AsyncEngine) -> str:
    """The warning of SQLModel's session for `execute`, in one line."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        async with SQLModelSession(engine) as session:
            await session.execute(ONE)
    return " ".join(str(heard[0].message).split()).partition(". ")[0].lstrip("🚨 ")


@contextmanager
def scripts(url: str, tables: MetaData, template: str = "") -> Iterator[Config]:
    """The configuration of a folder of migrations that is empty."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "versions").mkdir()
        Path(folder, "env.py").write_text(ENV, encoding="utf-8")
        Path(folder, "script.py.mako").write_text(template, encoding="utf-8")
        config = Config(attributes={"tables": tables})
        config.set_main_option("script_location", folder)
        config.set_main_option("path_separator", "os")
        config.set_main_option("sqlalchemy.url", url)
        yield config


def refusal(call: Callable[..., object], *args: object, **more: object) -> str:
    """Class and words of what a command of Alembic raises."""
    try:
        call(*args, **more)
    except Exception as error:
        return words(error)
    return "nothing"


def of_alembic(url: str) -> dict[str, str]:
    """Behind the newest, an unknown revision, two heads; and a table of SQLModel."""
    said = {}
    with scripts(url, MetaData()) as config:
        versions = Path(config.get_main_option("script_location") or "", "versions")
        Path(versions, "a.py").write_text(REVISION.format("a", None), encoding="utf-8")
        said["behind the newest"] = refusal(command.revision, config, autogenerate=True)
        said["an unknown revision"] = refusal(command.upgrade, config, "b")
        for twin in ("c", "d"):
            Path(versions, f"{twin}.py").write_text(REVISION.format(twin, "a"), encoding="utf-8")
        said["two heads"] = refusal(command.upgrade, config, "head")
    plain = Path(alembic.__file__).with_name("templates") / "generic" / "script.py.mako"
    template = plain.read_text(encoding="utf-8")
    for what, written in {
        "a table of SQLModel": template,
        "… import sqlmodel": template.replace("import sqlalchemy", "import sqlmodel, sqlalchemy"),
    }.items():
        with scripts(url, SQLModel.metadata, written) as config:
            with redirect_stdout(io.StringIO()):
                command.revision(config, autogenerate=True)
            said[what] = refusal(command.upgrade, config, "head")
    return said


async def main() -> None:
    async with Postgres() as pg:
        boss = await asyncpg.connect(pg.dsn)
        await boss.execute(TABLE)
        await boss.fetchval("select setval('guest_id_seq', 100)")
        engine = create_async_engine(pg.url("asyncpg"))
        transactions = await of_transactions(engine, boss)
        sharing = await of_sharing(engine)
        engines = await of_engines(pg.url("psycopg"))
        questions = await of_questions(engine)
        kept = await of_kept_values(engine)
        fastapi = await of_fastapi()
        warned = await of_sqlmodel(engine)
        migrations = await asyncio.to_thread(of_alembic, pg.url("psycopg"))
        await engine.dispose()
        await boss.close()
    families = {
        "transactions": transactions,
        "two tasks": sharing,
        "engines": engines,
        "questions": questions,
        "expire_on_commit=False": kept,
        "FastAPI": fastapi,
        "SQLModel": {"execute()": warned},
        "Alembic": migrations,
    }
    for family, said in families.items():
        print(f"-- {family}")
        for what, line in said.items():
            print(f"{what:25} {line}")
    claim(
        "a-session-asks-for-its-rollback",
        "After a failed flush, or a lost connection, a session says PendingRollbackError.",
        transactions["… asked again"].startswith("PendingRollbackError: This Session's transaction")
        and "Can't reconnect until invalid" in transactions["… and asked again"],
    )
    claim(
        "a-transaction-is-begun-and-ended-once",
        "begin() after a query, a question after commit() in begin(), a closed session: refused.",
        "A transaction is already begun" in transactions["begin() too late"]
        and "Can't operate on closed transaction" in transactions["commit() in begin()"]
        and "permanently closed" in transactions["a closed session"],
    )
    claim(
        "two-tasks-in-one-session-are-told",
        "A session is already flushing, is in 'prepared' state, or must not change its state.",
        "Session is already flushing" in sharing["flush() beside flush()"]
        and "This session is in 'prepared' state" in sharing["execute() beside commit()"]
        and sharing["commit() beside commit()"].startswith("IllegalStateChangeError"),
    )
    claim(
        "async-and-blocking-do-not-mix",
        "An async engine needs an async driver; an AsyncSession needs an async engine.",
        "The asyncio extension requires an async driver" in engines["a blocking driver"]
        and "AsyncEngine expected" in engines["a blocking engine"]
        and "'Session' object does not support" in engines["a blocking session"],
    )
    claim(
        "a-question-that-is-not-one-row",
        "Text needs text(), :id a value; one row asked for is neither no row nor several rows.",
        "should be explicitly declared as text" in questions["a plain text"]
        and "A value is required for bind parameter" in questions["no value for :id"]
        and questions["none of one"].startswith("NoResultFound: No row was found")
        and questions["two of one"].startswith("MultipleResultsFound: Multiple rows"),
    )
    claim(
        "an-object-has-one-session",
        "An object is attached to one session, and persistent once it is saved there.",
        "is already attached to session" in questions["of another session"]
        and "is not persistent within this Session" in questions["refresh() too early"],
    )
    claim(
        "an-async-session-has-no-query",
        "AsyncSession has no query().",
        questions["query()"] == "AttributeError: 'AsyncSession' object has no attribute 'query'",
    )
    claim(
        "joined-collections-want-unique",
        "joinedload of a collection: the unique() method must be invoked.",
        questions["joined, no unique()"].partition(" on this ")[0]
        == "InvalidRequestError: The unique() method must be invoked",
    )
    claim(
        "a-rollback-expires-kept-values",
        "rollback() expires objects with expire_on_commit=False, too: MissingGreenlet.",
        kept["commit(), name"] == "nothing"
        and kept["rollback(), name"].startswith("MissingGreenlet: greenlet_spawn"),
    )
    claim(
        "onupdate-is-not-kept",
        "A column that onupdate= sets is not kept, unless the mapper has eager_defaults.",
        kept["commit(), onupdate"].startswith("MissingGreenlet: greenlet_spawn")
        and kept["… eager_defaults"] == "nothing",
    )
    claim(
        "a-row-or-a-session-is-no-response-field",
        "A mapped class as the return type, or a session without Depends: Invalid args.",
        all(
            fastapi[what].startswith("FastAPIError: Invalid args for response field!")
            for what in ("-> Guest", "a session, no Depends")
        )
        and fastapi["… response_model=None"] == "nothing",
    )
    claim(
        "a-return-type-object-serializes-no-row",
        "With -> object, an object of the ORM is an unknown type; without it, it is a reply.",
        fastapi["-> object"].startswith("PydanticSerializationError: Unable to serialize unknown")
        and fastapi["… no return type"] == "nothing",
    )
    claim(
        "exec-is-of-sqlmodel",
        "SQLAlchemy's AsyncSession has no exec(); SQLModel's warns of execute().",
        questions["exec(), no SQLModel"].endswith("no attribute 'exec'")
        and warned.startswith("You probably want to use `session.exec()`"),
    )
    claim(
        "alembic-refuses-to-guess",
        "Alembic: database not up to date, a revision that it cannot locate, two heads.",
        "Target database is not up to date" in migrations["behind the newest"]
        and "Can't locate revision identified by 'b'" in migrations["an unknown revision"]
        and "Multiple head revisions are present" in migrations["two heads"],
    )
    claim(
        "a-revision-of-sqlmodel-wants-its-import",
        "A revision that Alembic wrote for SQLModel: name 'sqlmodel' is not defined.",
        migrations["a table of SQLModel"] == "NameError: name 'sqlmodel' is not defined"
        and migrations["… import sqlmodel"] == "nothing",
    )


if __name__ == "__main__":
    asyncio.run(main())
