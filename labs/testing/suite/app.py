"""The application under test: guests of the bistro and their orders."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Guest(Base):
    __tablename__ = "guests"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    dish: Mapped[str]
    paid: Mapped[bool]
    guest_id: Mapped[int] = mapped_column(ForeignKey("guests.id"))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The engine begins and ends with the application, and so belongs to its loop."""
    app.state.engine = create_async_engine(os.environ["APP_DATABASE"])
    yield
    await app.state.engine.dispose()
    del app.state.engine


async def get_db(request: Request) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(request.app.state.engine, expire_on_commit=False) as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_db)]
app = FastAPI(lifespan=lifespan)


@app.get("/guests/{guest}/orders")
async def count(guest: int, db: Db) -> int:
    return await db.scalar(select(func.count(Order.id)).where(Order.guest_id == guest))


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
