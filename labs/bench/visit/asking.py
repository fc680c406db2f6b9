"""The requests of a visit: read from the command line or from a file of steps, and sent."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import yaml

from bench.visit.application import NoReply, VisitError

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
SAFE = ("GET", "HEAD", "OPTIONS")
FIELDS = {"request", "headers", "json", "form", "body", "keep"}
PATIENCE = 120.0  # seconds for one reply
_KEPT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Request:
    """One request. A `{name}` in path, headers or body stands for what an earlier one kept.

    `{unique}` stands for a number that no request before it had.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    keep: Mapping[str, str] = field(default_factory=dict)
    """{name: where its value stands in the reply's JSON: "data.token", "items.0.id"}"""

    @property
    def safe(self) -> bool:
        """Whether it may be repeated without changing anything, by HTTP's own rules."""
        return self.method in SAFE

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"

    def filled(self, kept: Mapping[str, str]) -> Request:
        def put(text: str) -> str:
            return _KEPT.sub(lambda name: kept.get(name[1], name[0]), text)

        headers = {name: put(value) for name, value in self.headers.items()}
        body = put(self.body.decode()).encode() if kept and _is_text(self.body) else self.body
        return Request(self.method, put(self.path), headers, body, self.keep)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def request_line(text: str, **rest: Any) -> Request:
    """ "GET /items" as a Request. Raises VisitError for anything else."""
    method, _, path = text.strip().partition(" ")
    if method.upper() not in METHODS or not path.strip().startswith("/"):
        raise VisitError(
            f"{text!r} is no request. Write the method and the path: 'GET /items?limit=20'."
        )
    return Request(method.upper(), path.strip(), **rest)


def header(text: str) -> tuple[str, str]:
    """ "Name: value" as a pair. Raises VisitError, which does not show the value."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise VisitError("A header is written -H 'Name: value'.")
    return name.strip(), value.strip()


def json_body(text: str, folder: Path = Path()) -> bytes:
    """The body that `text` says, or the file behind an @. Raises VisitError unless it is JSON."""
    try:
        said = (folder / text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        json.loads(said)
    except OSError as error:
        raise VisitError(f"{text[1:]} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise VisitError(f"The body is no JSON: {error}.") from None
    return said.encode()


def read_steps(path: Path) -> list[Request]:
    """The requests of a file of steps, in order.

        - request: POST /token
          form: {username: anna, password: soup}
          keep: {token: access_token}
        - request: GET /me
          headers: {Authorization: "Bearer {token}"}

    Raises VisitError with the number of the step that is wrong.
    """
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VisitError(f"{path} cannot be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise VisitError(f"{path} is no YAML: {error}") from None
    if not isinstance(rows, list) or not rows:
        raise VisitError(f"{path}: write a list of steps; each has a `request`.")
    found = []
    for number, row in enumerate(rows, 1):
        where = f"{path}, step {number}"
        if not isinstance(row, dict) or "request" not in row or set(row) - FIELDS:
            raise VisitError(
                f"{where}: a step has `request`, and maybe {', '.join(sorted(FIELDS))}."
            )
        bodies = [name for name in ("json", "form", "body") if name in row]
        if len(bodies) > 1:
            raise VisitError(f"{where}: it has {' and '.join(bodies)}; a request has one body.")
        headers = {str(name): str(value) for name, value in (row.get("headers") or {}).items()}
        body = b""
        if "json" in row:
            body, kind = json.dumps(row["json"]).encode(), "application/json"
        elif "form" in row:
            body, kind = urlencode(row["form"]).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = str(row.get("body", "")).encode(), "text/plain"
        if body:
            headers = {"Content-Type": kind} | headers
        try:
            one = request_line(
                str(row["request"]), headers=headers, body=body, keep=row.get("keep") or {}
            )
        except VisitError as error:
            raise VisitError(f"{where}: {error}") from None
        found.append(one)
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float
    body: bytes
    leads_to: str = ""
    """The path that a redirect names."""


class Guests:
    """Sends requests to the application: `async with Guests(url) as guests`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = self._new_client()
        self._unique = itertools.count(time.time_ns() // 1_000_000)
        self.kept: dict[str, str] = {}
        self.sent = 0
        """Requests that were answered."""

    def _new_client(self) -> httpx.AsyncClient:
        # `trust_env`: no proxy of the reader's shell, and no .netrc, stands between. `verify`: the
        # address is http://, and a context that verifies would open the file of SSLKEYLOGFILE.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        return httpx.AsyncClient(
            base_url=self._url, timeout=PATIENCE, limits=limits, trust_env=False, verify=False
        )

    async def __aenter__(self) -> Guests:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._client.__aexit__(*error)

    async def send(self, request: Request, visit: str) -> Answer:
        """Send one, marked so that the child can name it. Raises NoReply if none comes."""
        filled = request.filled({**self.kept, "unique": str(next(self._unique))})
        began = perf_counter()
        try:
            reply = await self._client.request(
                filled.method,
                filled.path,
                headers={**filled.headers, "X-Visit": visit},
                content=filled.body or None,
            )
        except httpx.HTTPError as error:
            raise NoReply(
                f"{request}: no reply ({type(error).__name__}). Does the request hang, or did the "
                "application end?"
            ) from None
        self.sent += 1
        leads_to = urlsplit(reply.headers.get("Location", "")).path
        return Answer(reply.status_code, perf_counter() - began, reply.content, leads_to)

    async def step(self, request: Request) -> None:
        """Send a step before the measured one, and keep what it says to keep."""
        answer = await self.send(request, "step")
        if answer.status >= 400:
            raise NoReply(f"{request}: status {answer.status}, before the measured request.")
        for name, path in request.keep.items():
            self.kept[name] = _picked(answer.body, str(path), request)

    async def at_once(self, request: Request, guests: int) -> list[Answer]:
        """The same request by that many guests at the same moment."""
        asks = (self.send(request, f"guest {number}") for number in range(1, guests + 1))
        answers = list(await asyncio.gather(*asks))
        if any(answer.status >= 500 for answer in answers):
            # After an exception uvicorn ends the connection: the next request must not meet that.
            await self._client.aclose()
            self._client = self._new_client()
        return answers


def _picked(body: bytes, path: str, request: Request) -> str:
    try:
        value = json.loads(body)
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
    except (ValueError, KeyError, IndexError, TypeError):
        raise VisitError(f"{request}: its reply has no {path!r} to keep.") from None
    return str(value)


def measured(steps: Sequence[Request]) -> tuple[Sequence[Request], Request]:
    """The steps before, and the last one, which is the visit's."""
    return steps[:-1], steps[-1]
