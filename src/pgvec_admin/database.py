"""Which database, and a connection to it.

Every connection resolves names in `SEARCH_PATH` only, from its first statement on: a role that may create in schema
public could otherwise make a function or an operator that fits a statement better than the one that is meant.
"""

from __future__ import annotations

import os
import re
import selectors
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvec_admin import __version__, redact
from pgvec_admin.errors import CheckFailedError, TransactionPoolerError, UsageError, from_postgres
from pgvec_admin.resources import query

ENVIRONMENT = ("PGVEC_DATABASE_URL", "SUPABASE_DB_URL", "DATABASE_URL")

SEARCH_PATH = "pg_catalog, pg_temp"
# the first statement of a session, or of a transaction: nothing in it depends on the search_path before it
SET_SEARCH_PATH = f"select pg_catalog.set_config('search_path', '{SEARCH_PATH}', false)"
SET_LOCAL_SEARCH_PATH = f"select pg_catalog.set_config('search_path', '{SEARCH_PATH}', true)"

# Supabase's pooler in transaction mode, behind which locks and settings of a session do not last.
TRANSACTION_POOLER_PORT = "6543"
SESSION_HINT = "connect directly or through a pooler in session mode (on Supabase port 5432)"
# how long a second connection may wait for a session, in seconds
_POOLER_PATIENCE = 5

_PROCESS = "select pg_catalog.pg_backend_pid()"
_OLDEST_CLIENT = query("oldest_client")
_EXAMPLE = "for example postgresql://user:password@host:5432/postgres; percent-encode @ / : and % in a password"

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Target:
    """A database to work on: its connection string, and where that came from (`--database-url`, a variable)."""

    conninfo: str = field(repr=False)
    origin: str

    def __post_init__(self) -> None:
        redact.hide_password(self.conninfo)

    @property
    def is_transaction_pooler(self) -> bool:
        """Whether it is known to be a pooler in transaction mode, by its port."""
        ports = str(conninfo_to_dict(self.conninfo).get("port") or os.environ.get("PGPORT") or "")
        return TRANSACTION_POOLER_PORT in ports.split(",")

    def describe(self) -> str:
        """The target without its password, for people."""
        part = conninfo_to_dict(self.conninfo)
        hosts = str(part.get("host") or part.get("hostaddr") or "local socket").split(",")
        ports = str(part.get("port") or "").split(",")
        if len(ports) < len(hosts):  # one for all
            ports *= len(hosts)
        where = ", ".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))
        return f"{part.get('dbname') or part.get('user') or 'postgres'} on {where}"


def target(url: str | None = None, environ: Mapping[str, str] = os.environ) -> Target | None:
    """The database of `--database-url`, else of the environment; None where neither names one.

    `url` is any libpq connection string: a URL (several hosts, any password) or key=value pairs.
    Raises UsageError for a malformed one.
    """
    if url is not None:  # an empty one is a variable that was not set, and must not end up in another database
        return checked(Target(url, "--database-url"))
    for name in ENVIRONMENT:
        if environ.get(name):
            return checked(Target(environ[name], name))
    return None


def primary_of(conninfo: str) -> str | None:
    """The same with writes allowed, of a connection string that names several hosts and may end at a replica."""
    part = conninfo_to_dict(conninfo)
    several = "," in str(part.get("host") or "") or "," in str(part.get("hostaddr") or "")
    if not several or part.get("target_session_attrs") in ("read-write", "primary"):
        return None
    return make_conninfo(conninfo, target_session_attrs="read-write")


def checked(found: Target) -> Target:
    """The target; UsageError where its connection string is empty or malformed."""
    if not found.conninfo.strip():
        raise UsageError(f"{found.origin} is empty", _EXAMPLE)
    try:
        conninfo_to_dict(found.conninfo)
    except psycopg.ProgrammingError as error:
        # not `from error`: its message quotes parts of the string
        raise UsageError(f"{found.origin} is no connection string: {_without_values(error)}", _EXAMPLE) from None
    return found


def _without_values(error: psycopg.Error) -> str:
    """What libpq says about a connection string, without the parts of it that may belong to a password."""
    return re.sub(
        r'"([^"]*)"', lambda found: found[0] if found[1] in ("=", "]") else "...", " ".join(str(error).split())
    )


def connect(
    where: Target, *, autocommit: bool = False, tenant: UUID | None = None, one_transaction: bool = False
) -> Connection:
    """A connection for administration: no server-side prepared statements, so that it works through a pooler.

    With a tenant it acts for that one: see `pgvec.allowed_tenants`. Raises CheckFailedError where the engine needs a
    newer release than this: see `pgvec.oldest_client`. A pooler in transaction mode, which hands the settings of a
    session on to others, is refused (TransactionPoolerError) except with `one_transaction`, which sets none.
    """
    if where.is_transaction_pooler and not one_transaction:
        raise TransactionPoolerError(
            f"port {TRANSACTION_POOLER_PORT} is a pooler in transaction mode, which keeps neither locks nor settings",
            SESSION_HINT,
        )
    try:
        connection = psycopg.connect(
            where.conninfo,
            autocommit=not one_transaction,
            prepare_threshold=None,
            fallback_application_name="pgvec-admin",
        )
        try:
            if not one_transaction and _shares_sessions(connection, where):
                raise TransactionPoolerError(
                    "a pooler in transaction mode stands between, which keeps neither locks nor settings", SESSION_HINT
                )
            connection.execute(SET_LOCAL_SEARCH_PATH if one_transaction else SET_SEARCH_PATH)
            _check_release(connection)
            if not one_transaction:
                connection.autocommit = autocommit
            if tenant:
                connection.execute("select set_config('app.tenant_id', %s, false)", (str(tenant),))
        except BaseException:
            connection.close()
            raise
        return connection
    except psycopg.Error as error:
        raise from_postgres(error) from error


def _shares_sessions(connection: Connection, where: Target) -> bool:
    """Whether a pooler in transaction mode stands between: its clients share sessions, and the settings in them.

    Any pooler is known by the process of the start-up message, which it makes up. In session mode a second connection
    has a session of its own. In transaction mode it gets that of the first, or both get several where others are busy.
    """
    first = _process(connection)
    if first == connection.info.backend_pid:
        return False
    try:
        second = psycopg.connect(
            where.conninfo, autocommit=True, prepare_threshold=None, connect_timeout=_POOLER_PATIENCE
        )
        with closing(second), selectors.DefaultSelector() as answer:
            second.pgconn.send_query(_PROCESS.encode())
            answer.register(second.fileno(), selectors.EVENT_READ)
            if not answer.select(_POOLER_PATIENCE):  # others have all sessions; in transaction mode ours is free
                return False
            while second.pgconn.get_result():
                pass
            # twice and once: in turn they would have the same session each where two are given out in turn
            seen = [(_process(connection), _process(connection), _process(second)) for _ in range(5)]
    except psycopg.Error:  # a limit of connections: the pooler has no session left to share
        return False
    mine = {first} | {one for turn in seen for one in turn[:2]}
    others = {turn[2] for turn in seen}
    return len(mine) > 1 or len(others) > 1 or mine == others


def _process(connection: Connection) -> int:
    row = connection.execute(_PROCESS).fetchone()
    assert row is not None
    return int(row[0])


def is_replica(connection: Connection) -> bool:
    """Whether it is a server that follows another, and knows nothing of the log of searches and of vacuum."""
    row = connection.execute("select pg_catalog.pg_is_in_recovery()").fetchone()
    assert row is not None
    return bool(row[0])


@contextmanager
def usual_search_path(connection: Connection) -> Iterator[None]:
    """Resolve names as this role does elsewhere: for names that people write. Statements within qualify their own."""
    with connection.transaction(force_rollback=True):
        connection.execute(
            "select set_config('search_path', reset_val, true) from pg_settings where name = 'search_path'"
        )
        yield


def _check_release(connection: Connection) -> None:
    row = connection.execute(_OLDEST_CLIENT).fetchone()
    if row and row[0] and _numbers(__version__) < _numbers(row[0]):
        raise CheckFailedError(
            f"this database needs pgvec-admin {row[0]} or newer, this is {__version__}",
            "pip install --upgrade pgvec-admin",
        )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
