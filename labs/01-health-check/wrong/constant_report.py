"""Fails: test_the_report_reads_the_kitchen_book

The report does not block any more, because it does not look into the kitchen book.
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

router = APIRouter(tags=["health"])


@router.get("/report")
def report() -> dict[str, int]:
    """What all orders have brought in so far. A slow query, on purpose."""
    return {"takings_cents": 0}


@router.get("/health")
async def health() -> str:
    """The platform asks this every few seconds. No answer, and it restarts us."""
    return "ok"


app = FastAPI()
app.include_router(router)
