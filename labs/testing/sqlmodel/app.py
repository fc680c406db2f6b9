"""The same application with SQLModel, an engine made at import, and names that SQL reserves.

The suite beside it tests this one, too, after three changes in `conftest.py`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel, func, select
from sqlmodel.ext.asyncio.session import AsyncSession


class Guest(SQLModel, table=True):
    __tablename__ = "user"
    id: int | None = Field(default=None, primary_key=True)
    name: str


class Order(SQLModel, table=True):
    __tablename__ = "order"
    id: int | None = Field(default=None, primary_key=True)
    dish: str
    paid: bool
    guest_id: int = Field(foreign_key="user.id")


engine = create_async_engine(os.environ["DEVELOPMENT"])
Sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with Sessions() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_db)]
app = FastAPI()


@app.get("/guests/{guest}/orders")
async def count(guest: int, db: Db) -> int:
    return (await db.exec(select(func.count(Order.id)).where(Order.guest_id == guest))).one()


@app.post("/guests/{guest}/orders", status_code=201)
async def order(guest: int, dish: str, card: str, db: Db) -> int:
    """The order is kept, whatever becomes of the payment."""
    new = Order(guest_id=guest, dish=dish, paid=False)
    db.add(new)
    await db.commit()
    new.paid = True
    await db.flush()
    if card == "refused":
        await db.rollback()
        raise HTTPException(402)
    await db.commit()
    return new.id
