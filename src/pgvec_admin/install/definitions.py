"""Running definitions of functions: replacing others, preserving grants, and with pgvector's schema."""

from __future__ import annotations

import re
from collections.abc import Sequence

import psycopg
from psycopg import sql

from pgvec_admin.database import Connection
from pgvec_admin.errors import PgvecError, from_postgres
from pgvec_admin.install import ledger
from pgvec_admin.install.ledger import Live


def with_vector_schema(text: str, schema: str) -> str:
    """SQL text with pgvector's real schema (a quoted identifier) in place of `extensions`."""
    return re.sub(r"\bextensions\.", lambda _: f"{schema}.", text)


def prepare(connection: Connection, vector_schema: str) -> None:
    """Prepare a transaction in which definitions are run."""
    # pgvector's settings can be named in a function only once its library is loaded
    connection.execute(sql.SQL("select '[1]'::{}.vector").format(sql.SQL(vector_schema)))
    # files may call functions of later files
    connection.execute("set local check_function_bodies = off")


def execute(connection: Connection, text: str, vector_schema: str, label: str) -> None:
    """Run the definition of a function."""
    statements = with_vector_schema(text, vector_schema).encode()
    try:
        connection.execute(statements)
    except psycopg.Error as error:
        raise _explained(error, label, statements) from error


def make(connection: Connection, name: str, text: str, vector_schema: str, label: str) -> None:
    """Run the definition of a function that is unchanged since we made it; a new signature replaces the old one."""
    before = _routines(connection, name)
    try:
        with connection.transaction():
            execute(connection, text, vector_schema, label)
    except PgvecError as error:
        if not isinstance(error.__cause__, psycopg.errors.InvalidFunctionDefinition):
            raise
        # other argument names or another result type: it has to be dropped and created again
        drop(connection, [oid for oid, _ in before])
        execute(connection, text, vector_schema, label)
    else:
        drop(connection, [oid for oid, _ in before & _routines(connection, name)])


def _routines(connection: Connection, name: str) -> set[tuple[int, str]]:
    """The functions of a name (schema.name): oid, and a mark that changes whenever one is replaced."""
    rows = connection.execute(
        "select p.oid::int8, p.xmin::text from pg_catalog.pg_proc as p"
        " join pg_catalog.pg_namespace as n on n.oid = p.pronamespace where n.nspname = %s and p.proname = %s",
        name.split("."),
    ).fetchall()
    return {(row[0], row[1]) for row in rows}


def replace(
    connection: Connection, name: str, text: str, vector_schema: str, label: str, *, keep_grants: bool = True
) -> Live:
    """Run the definition of a function in place of all of its name, whatever their signatures."""
    live = ledger.live(connection, [name]).get(name)
    grantees = _grantees(connection, live) if live and keep_grants else []
    try:
        with connection.transaction():
            execute(connection, text, vector_schema, label)
    except PgvecError as error:
        if not (live and isinstance(error.__cause__, psycopg.errors.InvalidFunctionDefinition)):
            raise
        # other argument names or another result type: it has to be dropped and created again
        drop(connection, live.oids)
        execute(connection, text, vector_schema, label)
    else:
        untouched = set(live.row_versions if live else ()) & set(ledger.live(connection, [name])[name].row_versions)
        drop(connection, [int(row_version.split(":")[0]) for row_version in untouched])
    made = ledger.live(connection, [name])[name]
    for oid in made.oids:
        # a new function has this grant by default
        connection.execute(f"revoke all on routine {_signature(connection, oid)} from public".encode())
    for role in grantees:
        grant(connection, name, role)
    return made


def _grantees(connection: Connection, live: Live) -> list[str]:
    """The roles, by name, that may execute a function; not PUBLIC."""
    rows = connection.execute(
        "select distinct r.rolname from pg_catalog.pg_proc as p, aclexplode(p.proacl) as a"
        " join pg_catalog.pg_roles as r on r.oid = a.grantee where p.oid = any (%s::oid[])",
        (live.oids,),
    ).fetchall()
    return [row[0] for row in rows]


def grant(connection: Connection, name: str, role: str) -> None:
    """Give a role back the grant that it had before a function was dropped and created again."""
    for oid in ledger.live(connection, [name])[name].oids:
        connection.execute(
            sql.SQL("grant execute on routine {} to {}").format(
                sql.SQL(_signature(connection, oid)), sql.Identifier(role)
            )
        )


def take_over(connection: Connection, oids: Sequence[int]) -> None:
    """Become the owner of a function before it is replaced: its creator could otherwise change it again."""
    for oid in oids:
        connection.execute(f"alter routine {_signature(connection, oid)} owner to current_user".encode())


def _signature(connection: Connection, oid: int) -> str:
    row = connection.execute("select %s::oid::regprocedure::text", (oid,)).fetchone()
    assert row is not None
    return str(row[0])


def drop(connection: Connection, oids: Sequence[int]) -> None:
    """Drop functions."""
    for oid in oids:
        connection.execute(f"drop routine {_signature(connection, oid)}".encode())


def _explained(error: psycopg.Error, label: str, statements: bytes) -> PgvecError:
    shown = from_postgres(error)
    position = error.diag.statement_position
    line = f":{statements.decode()[: int(position)].count(chr(10)) + 1}" if position else ""
    shown.message = f"{label}{line}: {shown.message}"
    return shown
