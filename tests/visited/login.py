"""An application behind a login, for the file of steps beside it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import FastAPI, Header, HTTPException, Request

app = FastAPI()


@app.post("/token")
async def token(request: Request) -> dict:
    said = parse_qs((await request.body()).decode())
    if said != {"username": ["anna"], "password": ["soup"]}:
        raise HTTPException(401)
    return {"data": {"access_token": "a-token"}}


@app.get("/me")
async def me(authorization: Annotated[str, Header()]) -> str:
    if authorization != "Bearer a-token":
        raise HTTPException(403)
    return "anna"
