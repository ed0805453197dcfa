"""Checks before anything is changed: each refusal says what is wrong and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from pgvec_admin.database import Connection
from pgvec_admin.errors import CheckFailedError
from pgvec_admin.resources import query

OLDEST_POSTGRES = 15
OLDEST_PGVECTOR = (0, 8, 0)

_SERVER = query("server")


@dataclass(frozen=True)
class Server:
    """The state of the server; `vector_*` are None where pgvector is not installed."""

    postgres: int
    standby: bool
    vector_version: str | None
    vector_schema: str | None
    vector_available: str | None
    pgvec_owner: str | None
    owns_pgvec: bool
    may_create_schema: bool
    may_create_in_public: bool
    role: str

    @property
    def schema(self) -> str:
        """pgvector's schema, quoted; if pgvector is missing, the schema in which it will be created."""
        return self.vector_schema or "extensions"


def look(connection: Connection) -> Server:
    """Ask the server what the checks need to know."""
    with connection.cursor(row_factory=class_row(Server)) as cursor:
        found = cursor.execute(_SERVER).fetchone()
    assert found is not None
    return found


def check_server(server: Server) -> None:
    """CheckFailedError unless the engine can be installed here by this role."""
    if server.postgres < OLDEST_POSTGRES:
        raise CheckFailedError(
            f"PostgreSQL {server.postgres} is too old", f"version {OLDEST_POSTGRES} or newer is needed"
        )
    if server.standby:
        raise CheckFailedError("this server is a standby, which cannot be changed", "connect to the primary")
    _check_pgvector(server)
    if server.pgvec_owner and not server.owns_pgvec:
        raise CheckFailedError(
            f"schema pgvec belongs to {server.pgvec_owner}, and you are {server.role}",
            f"connect as {server.pgvec_owner}, who installed the engine; or rename that schema if it is something else",
        )
    if not server.pgvec_owner and not server.may_create_schema:
        raise CheckFailedError(
            f"{server.role} may not create schemas in this database",
            f'connect as its owner, or let the owner run: grant create on database ... to "{server.role}"',
        )
    if not server.may_create_in_public:
        raise CheckFailedError(
            f"{server.role} may not create functions in schema public",
            f'let its owner run: grant create on schema public to "{server.role}"',
        )


def _check_pgvector(server: Server) -> None:
    if server.vector_version is None:
        if server.vector_available is None:
            raise CheckFailedError(
                "pgvector is not available on this server",
                "install it there (package postgresql-NN-pgvector), or use a server that has it;"
                " pgvec-admin db start runs one",
            )
        return
    parts = [int(part) for part in server.vector_version.split("-")[0].split(".") if part.isdigit()]
    if tuple(parts) < OLDEST_PGVECTOR:
        newer = server.vector_available and server.vector_available != server.vector_version
        raise CheckFailedError(
            f"pgvector {server.vector_version} is too old: filtered searches need iterative index scans (0.8.0)",
            f"run: alter extension vector update; (to {server.vector_available})"
            if newer
            else "upgrade pgvector on the server, then run: alter extension vector update",
        )


def create_extension(connection: Connection, server: Server) -> None:
    """Create pgvector in schema `extensions` where it is missing."""
    if server.vector_version is not None:
        return
    try:
        with connection.transaction():
            connection.execute("create schema if not exists extensions")
            connection.execute("create extension vector with schema extensions")
    except psycopg.errors.InsufficientPrivilege as error:
        raise CheckFailedError(
            f"{server.role} may not create the extension vector",
            "let an administrator run: create schema if not exists extensions;"
            " create extension vector with schema extensions;",
        ) from error
