"""The database, as the service calls it: one transaction for each request, in one round trip, as its caller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from pgvec_admin import database
from pgvec_admin.api.settings import Caller, Settings
from pgvec_admin.api.shares import Turns
from pgvec_admin.engine import calls
from pgvec_admin.resources import query

Parameters = Mapping[str, Any]
T = TypeVar("T")
_Connection = AsyncConnection[tuple[Any, ...]]
_Cursor = psycopg.AsyncCursor[tuple[Any, ...]]

_CALLS = (
    {kind: query(f"api/{kind}") for kind in ("vector", "keyword", "hybrid", "distance", "document")}
    | {
        "upsert": "select public.upsert_documents(documents => %(documents)s, collection => %(collection)s,"
        " for_tenant => %(tenant)s)",
        "delete": "select public.delete_documents(ids => %(ids)s, source => %(source)s, collection => %(collection)s,"
        " for_tenant => %(tenant)s)",
    }
    | {kind: query(f"agents/{kind}") for kind in ("collections", "context", "explain")}
)
_ABOUT = query("api/about").encode()
# the first statement of a transaction qualifies all names: behind a pooler, it also sets the search_path
_SET = "pg_catalog.set_config"
_PATH = f"{_SET}('search_path', '{database.SEARCH_PATH}', true), "
_SCANS = (
    "(select pg_catalog.sum(pg_catalog.pg_stat_get_xact_numscans(i::pg_catalog.oid))"
    " from pg_catalog.unnest(%(indexes)s::bigint[]) as i)"
)
_READ_ONLY = f"{_SET}('transaction_read_only', 'on', true), "
_AS = f"{_SET}('statement_timeout', %(timeout)s, true)"
_AS_TOKEN = f"{_AS}, {_SET}('request.jwt.claims', %(claims)s, true), {_SET}('role', %(role)s, true)"
_AS_TENANT = f"{_AS}, {_SET}('app.tenant_id', %(tenant)s, true)"
_QUERY_VECTOR = "select pgvec.query_vector(%(text)s, %(collection)s)::text"
_VERSION = "select pgvec.collection_version(%(collection)s, %(tenant)s)"
_READ_ONLY_NOW = "select pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool"
_TIMELINE = query("api/timeline").encode()

# a pool reconnects with growing pauses, until it gives up and waits for the next request
_GIVE_UP = 3.0
# whoever asks for the health of a service without a primary waits no longer than this, in seconds
_HEALTH_PATIENCE = 0.5


@dataclass(frozen=True)
class Answer:
    """The results of a search as a JSON array, with their number, the route, and the version of the rows."""

    body: bytes
    rows: int
    route: str
    version: str | None


@dataclass(frozen=True)
class About:
    """The embedding model of a collection and its own ways with passages; the oids of the indexes a search may use."""

    model: str | None
    dimensions: int
    passage_prefix: str | None
    too_long: str | None
    indexes: list[int]


class Store:
    """A pool of connections; every call is a transaction with the role, claims or tenant of a caller."""

    def __init__(self, settings: Settings) -> None:
        # beyond its share of connections a caller waits for one of its own, and does not hold up others
        of_one = settings.limits.of_one(settings.connections)
        concurrent = settings.limits.concurrent
        # The service itself looks at the database too, as it starts and for /health, and takes no caller's place.
        self._turns = Turns(
            concurrent + 1, of_one if of_one < settings.connections else concurrent, settings.limits.wait_seconds
        )
        self._timeout = f"{settings.limits.statement_seconds * 1000:.0f}ms"
        self._pooler = not settings.prepare
        self._first = (_PATH if self._pooler else "") + (_READ_ONLY if settings.read_only else "")
        self._reads_only = settings.read_only
        self._calls: dict[str, bytes] = {}
        self._timeline = 0
        self.pool = self._pool(settings, settings.conninfo)
        # where reads may go to a replica, writes have connections of their own, to the primary
        primary = None if settings.read_only else settings.primary or database.primary_of(settings.conninfo)
        self._primary = self._pool(settings, primary, check=AsyncConnectionPool.check_connection) if primary else None

    def _pool(
        self, settings: Settings, conninfo: str, check: Callable[[_Connection], Awaitable[None]] | None = None
    ) -> AsyncConnectionPool[_Connection]:
        return AsyncConnectionPool(
            conninfo,
            kwargs={
                "autocommit": True,
                "prepare_threshold": 5 if settings.prepare else None,
                "fallback_application_name": "pgvec-admin serve",
            },
            min_size=min(2, settings.connections),
            max_size=settings.connections,
            timeout=settings.limits.wait_seconds,
            max_waiting=settings.limits.concurrent + 2,
            reconnect_timeout=_GIVE_UP,
            configure=self._configure,
            check=check,
            open=False,
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Hold the connections open."""
        async with AsyncExitStack() as stack:
            for pool in (self.pool, self._primary):
                if pool is not None:
                    await stack.enter_async_context(pool)
            yield

    async def search(self, caller: Caller, kind: str, parameters: Parameters) -> Answer:
        """The answer of `queries/api/<kind>.sql`."""

        async def work() -> Answer:
            async with self._transaction(caller, parameters["indexes"]) as (connection, settings):
                found = await connection.execute(self._calls[kind], parameters)
            body, rows, scans, version = await _row(found)
            along = (scans or 0) > ((await _row(settings))[0] or 0)
            return Answer(
                body.encode(),
                rows,
                "keyword" if kind == "keyword" else "index" if along else "exact",
                self._of_timeline(version),
            )

        return await self._again(work)

    async def version(self, caller: Caller, parameters: Parameters) -> str | None:
        """What `pgvec.collection_version` says."""

        async def work() -> str | None:
            async with self._transaction(caller) as (connection, _):
                version = await connection.execute(_VERSION, parameters)
            return self._of_timeline((await _row(version))[0])

        return await self._again(work)

    async def about(self, caller: Caller, collection: str) -> About:
        """Facts about a collection."""

        async def work() -> About:
            async with self._transaction(caller) as (connection, _):
                found = await connection.execute(_ABOUT, {"collection": collection})
            return About(*(await _row(found)))

        return await self._again(work)

    async def query_vector(self, caller: Caller, text: str, collection: str) -> str | None:
        """The vector of a text by what was fitted to the rows, in pgvector's text form."""

        async def work() -> str | None:
            async with self._transaction(caller) as (connection, _):
                made = await connection.execute(_QUERY_VECTOR, {"text": text, "collection": collection})
            found: str | None = (await _row(made))[0]
            return found

        return await self._again(work)

    async def document(self, caller: Caller, id_: str, collection: str, tenant: UUID | None) -> bytes | None:
        """A row as JSON, if it exists."""

        async def work() -> bytes | None:
            async with self._transaction(caller) as (connection, _):
                found = await connection.execute(
                    self._calls["document"], {"id": id_, "collection": collection, "tenant": tenant}
                )
            row = await found.fetchone()
            return row[0].encode() if row else None

        return await self._again(work)

    async def read(self, caller: Caller, kind: str, parameters: Parameters) -> Any:
        """What `queries/agents/<kind>.sql` finds, from JSON."""

        async def work() -> Any:
            async with self._transaction(caller) as (connection, _):
                found = await connection.execute(self._calls[kind], parameters)
            return orjson.loads((await _row(found))[0])

        return await self._again(work)

    async def upsert(
        self, caller: Caller, documents: list[dict[str, Any]], collection: str, tenant: UUID | None
    ) -> list[str]:
        """Store rows, all or none; returns their ids."""
        given = orjson.dumps(documents, option=orjson.OPT_SERIALIZE_NUMPY).decode()

        async def work() -> list[str]:
            async with self._transaction(caller, writes=True) as (connection, _):
                written = await connection.execute(
                    self._calls["upsert"], {"documents": given, "collection": collection, "tenant": tenant}
                )
            return [row[0] for row in await written.fetchall()]

        return await self._as_installed(work)

    async def delete(
        self, caller: Caller, collection: str, tenant: UUID | None, *, id_: str | None = None, source: str | None = None
    ) -> int:
        """Delete a row, or those of a source; returns how many."""
        ids = None if id_ is None else [id_]

        async def work() -> int:
            async with self._transaction(caller, writes=True) as (connection, _):
                done = await connection.execute(
                    self._calls["delete"], {"ids": ids, "source": source, "collection": collection, "tenant": tenant}
                )
            deleted: int = (await _row(done))[0]
            return deleted

        return await self._as_installed(work)

    async def installed(self) -> str | None:
        """The version of the functions; None where the service's login role may not call pgvec.version."""
        async with self.pool.connection() as connection:
            try:
                return str((await _row(await connection.execute("select pgvec.version()")))[0])
            except psycopg.errors.InsufficientPrivilege:
                return None

    async def takes_writes(self) -> bool:
        """Whether this service writes, and the database that its writes go to is there, and is no replica."""
        if self._reads_only:
            return False
        try:
            async with (self._primary or self.pool).connection(timeout=_HEALTH_PATIENCE) as connection:
                return not (await _row(await connection.execute(_READ_ONLY_NOW)))[0]
        except psycopg.Error:
            return False

    @asynccontextmanager
    async def _transaction(
        self, caller: Caller, indexes: Sequence[int] | None = None, *, writes: bool = False
    ) -> AsyncIterator[tuple[_Connection, _Cursor]]:
        """A transaction as the caller; its cursor has the earlier scan counts of `indexes`, where these are given.

        All statements go to the server at the end, in one pipeline, so results are read after it; one pipeline is one
        transaction.
        """
        who = _AS
        settings: dict[str, Any] = {"timeout": self._timeout}
        if caller.role is not None:
            who, settings = _AS_TOKEN, settings | {"claims": caller.claims, "role": caller.role}
        elif caller.tenant is not None:
            who, settings = _AS_TENANT, settings | {"tenant": str(caller.tenant)}
        who = f"{self._first}{who}"
        statement, parameters = f"select {who}", settings
        if indexes is not None:
            statement, parameters = f"select {_SCANS}, {who}", settings | {"indexes": indexes}
        pool = (writes and self._primary) or self.pool
        async with self._turns.turn(caller.name), pool.connection() as connection, connection.pipeline():
            yield connection, await connection.execute(statement.encode(), parameters)

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run reading work, and again if the server was restarted meanwhile, or a replica gave way to its primary."""
        try:
            return await self._as_installed(work)
        except PoolTimeout:
            raise
        except psycopg.OperationalError as error:
            if error.sqlstate and not error.sqlstate.startswith(("57P", "40001")):
                raise
            await self.pool.check()
            return await work()

    async def _as_installed(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run work, and run it again if a release with other functions was installed meanwhile."""
        try:
            return await work()
        except psycopg.errors.UndefinedFunction:
            async with self.pool.connection() as connection:
                await self._configure(connection)
            return await work()

    async def _configure(self, connection: _Connection) -> None:
        """Set the search_path, for the session unless a pooler shares it, and read the signatures of the functions."""
        async with connection.transaction(), connection.cursor(row_factory=class_row(calls.Signature)) as cursor:
            await connection.execute(database.SET_LOCAL_SEARCH_PATH if self._pooler else database.SET_SEARCH_PATH)
            known = calls.signatures(await (await cursor.execute(calls.SIGNATURES)).fetchall())
            self._calls = {name: calls.complete(call, known) for name, call in _CALLS.items()}
        # services that keep no files of their log, or tell nobody, have no failover that loses a write either
        with suppress(psycopg.errors.FeatureNotSupported, psycopg.errors.InsufficientPrivilege):
            self._timeline = max(self._timeline, (await _row(await connection.execute(_TIMELINE)))[0] or 0)

    def _of_timeline(self, version: str | None) -> str | None:
        """A version of rows, of this primary: the one after a failover may lack the last writes, and count anew."""
        return version and f"{self._timeline}/{version}"


async def _row(cursor: _Cursor) -> tuple[Any, ...]:
    found = await cursor.fetchone()
    assert found is not None
    return found
