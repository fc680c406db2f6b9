"""A route that returns an expired object answers 200 with `{}`, or 500, and hardly ever the row.

Without a response_model FastAPI looks which values the object has: after the commit none, so the
reply is `{}`. With one it reads each attribute, which nobody awaits: 500. SQLModel's table class
as response_model gives `{}` again, also with a blocking session; a model of its own for the
reply gives 500, with a blocking session the row. `expire_on_commit=False` is right in all cases.

A return annotation is a response_model, too, so `-> object` is no way to have none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI
from fastapi.exceptions import FastAPIError, ResponseValidationError
from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker
from sqlmodel import Field, Session, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession
from tables import Guest, fill

from bench import Postgres, claim


class Out(BaseModel):
    """What a guest looks like in a reply."""

    model_config = ConfigDict(from_attributes=True)
    name: str


class Visitor(SQLModel, table=True):
    """The table `guest`, as SQLModel maps it."""

    __tablename__ = "guest"
    id: int | None = Field(default=None, primary_key=True)
    name: str


class VisitorPublic(SQLModel):
    """What a visitor looks like in a reply."""

    name: str


MODELS = {
    "none": (Guest, None),
    "Out": (Guest, Out),
    "SQLModel none": (Visitor, None),
    "SQLModel table": (Visitor, Visitor),
    "SQLModel public": (Visitor, VisitorPublic),
}
"""The table's class of a route, and its response_model."""
ANNOTATIONS = {
    "no annotation": (Guest, None),
    "object": (Guest, object),
    "Visitor": (Visitor, Visitor),
    "VisitorPublic": (Visitor, VisitorPublic),
}
"""The same, where the route says `-> …` and no more."""


sessions = async_sessionmaker(class_=AsyncSession)
blocking_sessions = sessionmaker(class_=Session)
app = FastAPI()


async def expiring() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def keeping() -> AsyncIterator[AsyncSession]:
    async with sessions(expire_on_commit=False) as session:
        yield session


def blocking() -> Iterator[Session]:
    with blocking_sessions() as session:
        yield session


Expiring = Annotated[AsyncSession, Depends(expiring)]
Keeping = Annotated[AsyncSession, Depends(keeping)]
Blocking = Annotated[Session, Depends(blocking)]


def add_routes(name: str, table: type, model: type | None) -> None:
    post = partial(app.post, response_model=model)

    @post(f"/async/{name}")
    async def add(session: Expiring) -> object:
        session.add(guest := table(name="Ann"))
        await session.commit()
        return guest

    @post(f"/kept/{name}")
    async def add_and_keep(session: Keeping) -> object:
        session.add(guest := table(name="Ann"))
        await session.commit()
        return guest

    @post(f"/def/{name}")
    def add_blocking(session: Blocking) -> object:
        session.add(guest := table(name="Ann"))
        session.commit()
        return guest


def add_annotated(annotation: str, table: type, model: type | None) -> None:
    """A route that has no response_model; its return annotation is `model`, if that is a class."""

    async def add(session: Expiring):
        session.add(guest := table(name="Ann"))
        await session.commit()
        return guest

    if model:
        add.__annotations__["return"] = model
    app.post(f"/->/{annotation}")(add)


def refusal(annotation: str, table: type, model: type) -> str:
    """What FastAPI says of such a route when it is made."""
    try:
        add_annotated(annotation, table, model)
    except FastAPIError as error:
        return f"{type(error).__name__}: {str(error).partition('!')[0]}!"
    return "no refusal"


for name, (table, model) in MODELS.items():
    add_routes(name, table, model)
for name, (table, model) in ANNOTATIONS.items():
    add_annotated(name, table, model)


async def reply(client: httpx.AsyncClient, path: str) -> str:
    """Status and what the guest reads of it; what the log has to say of a 500."""
    try:
        answer = await client.post(path)
    except ResponseValidationError as error:  # uvicorn would log it, and answer 500
        first = error.errors()[0]
        return f"500 {first['type']}: {first['msg'].partition(';')[0].rpartition(': ')[0]}"
    except PydanticSerializationError as error:
        return f"500 {type(error).__name__}: {str(error).partition(':')[0]}"
    read = answer.json()
    return f"{answer.status_code} {read and {'name': read['name']}}"


async def main() -> None:
    async with Postgres() as pg:
        await fill(pg.dsn, guests=0)
        engine = create_async_engine(pg.url("asyncpg"))
        blocking_engine = create_engine(pg.url("psycopg"))
        sessions.configure(bind=engine)
        blocking_sessions.configure(bind=blocking_engine)
        door = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=door, base_url="http://bistro") as client:
            said = {
                way: {name: await reply(client, f"/{way}/{name}") for name in MODELS}
                for way in ("async", "def", "kept")
            }
            annotated = {name: await reply(client, f"/->/{name}") for name in ANNOTATIONS}
        await engine.dispose()
        blocking_engine.dispose()
    for way, replies in said.items():
        for name, says in replies.items():
            print(f"{way:5}  response_model {name:15}  {says}")
    refused = refusal("Guest", Guest, Guest)
    for name, says in {**annotated, "Guest": refused}.items():
        print(f"async  -> {name:26}  {says}")
    empty, row = "200 {}", "200 {'name': 'Ann'}"
    error = "500 get_attribute_error: Error extracting attribute: MissingGreenlet"
    claim(
        "expired-reply-is-empty",
        "No response_model, expired: 200 and {}, in async def and in def.",
        [said[way][name] for way in ("async", "def") for name in ("none", "SQLModel none")]
        == [empty] * 4,
    )
    claim(
        "expired-reply-with-a-model-is-a-500",
        "With a response_model: 500, get_attribute_error … MissingGreenlet. In def it is the row.",
        (said["async"]["Out"], said["def"]["Out"]) == (error, row),
    )
    claim(
        "sqlmodel-table-as-model-is-empty",
        "SQLModel's table class as response_model: 200 and {}, in async def and in def.",
        (said["async"]["SQLModel table"], said["def"]["SQLModel table"]) == (empty, empty),
    )
    claim(
        "sqlmodel-public-model-tells",
        "A public model as response_model: 500 in async def, the row in def.",
        (said["async"]["SQLModel public"], said["def"]["SQLModel public"]) == (error, row),
    )
    claim(
        "kept-objects-are-right-in-every-reply",
        "With expire_on_commit=False all five replies are the row.",
        set(said["kept"].values()) == {row},
    )
    unknown = "500 PydanticSerializationError: Unable to serialize unknown type"
    claim(
        "an-annotation-is-a-response-model",
        "No annotation: {}; -> object is a 500 of its own; -> Guest is refused; SQLModel as above.",
        list(annotated.values()) == [empty, unknown, empty, error]
        and refused == "FastAPIError: Invalid args for response field!",
    )


if __name__ == "__main__":
    asyncio.run(main())
