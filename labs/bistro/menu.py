"""The menu: reading dishes with a leased connection."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel

from bistro.lease import Leased

router = APIRouter(tags=["menu"])

DishId = Annotated[int, Path(ge=1, le=2**31 - 1)]  # PostgreSQL's int


class Dish(BaseModel):
    id: int
    name: str
    price_cents: int
    portions_left: int


@router.get("/dishes")
async def list_dishes(connection: Leased) -> list[Dish]:
    rows = await connection.fetch(
        "select id, name, price_cents, portions_left from dishes order by id"
    )
    return [Dish(**row) for row in rows]


@router.get("/dishes/{dish_id}")
async def get_dish(
    dish_id: DishId,
    connection: Leased,
) -> Dish:
    row = await connection.fetchrow(
        "select id, name, price_cents, portions_left from dishes where id = $1",
        dish_id,
    )
    if row is None:
        raise HTTPException(404, "No such dish.")
    return Dish(**row)
