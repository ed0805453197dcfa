"""Where the tests run: on which server, with pgvector in which schema, and the engine installed by whom and how.

PGVEC_TEST_POSTGRES       16, 17 or 18 (the default), or pglite: see pglite.py
PGVEC_TEST_VECTOR_SCHEMA  the schema of pgvector: extensions (the default) or public
PGVEC_TEST_INSTALLER      superuser (the default), or owner: a role that owns the database, and is no superuser
PGVEC_TEST_FROM           a release that is installed first and then upgraded, such as 0.1.0
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvec_admin.database import Target
from pgvec_admin.install import migrate
from pgvec_admin.install.definitions import with_vector_schema
from pgvec_admin.install.functions import files
from pgvec_admin.resources import sql_directory
from pgvec_admin.server import embedded

PGLITE = os.environ.get("PGVEC_TEST_POSTGRES") == "pglite"
VERSION = embedded.DEFAULT_VERSION if PGLITE else int(os.environ.get("PGVEC_TEST_POSTGRES", embedded.DEFAULT_VERSION))
VECTOR_SCHEMA = os.environ.get("PGVEC_TEST_VECTOR_SCHEMA", "extensions")
OWNER = os.environ.get("PGVEC_TEST_INSTALLER", "superuser") == "owner"
FROM = os.environ.get("PGVEC_TEST_FROM")
# the role that installs, and the role that the tests connect as
ROLE = "owner" if OWNER else embedded.SUPERUSER

POSTGRES17 = Path(__file__).parents[1] / "servers" / "postgres17" / "usr" / "lib" / "postgresql" / "17" / "bin"
RELEASES = Path(__file__).parents[1] / "releases"

# speed instead of safety: nothing here outlives the run
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
    "max_wal_size": "256MB",  # in memory, see `folder`
}

# Every copy of a template database writes some 20 MB, for which a disk takes ten times as long as memory.
_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30

Connection = psycopg.Connection[tuple[Any, ...]]


def folder(prefix: str) -> tempfile.TemporaryDirectory[str]:
    """A new folder for a server, in memory where that has room; under root the server, another user, may enter it."""
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    made = tempfile.TemporaryDirectory(prefix=prefix, dir=_MEMORY if roomy else None, ignore_cleanup_errors=True)
    Path(made.name).chmod(0o755)
    return made


@contextmanager
def own_server(version: int = VERSION, **settings: str) -> Iterator[embedded.Instance]:
    """A new server to start: the wheel's, or for 17 the one that servers/postgres17.sh unpacks."""
    with folder("pgvec-") as directory:
        programs = POSTGRES17 if version == 17 else None
        instance = embedded.Instance(version, Path(directory) / "server", FAST | settings, programs)
        try:
            yield instance
        finally:
            instance.stop()


@contextmanager
def running(version: int = VERSION) -> Iterator[embedded.Server]:
    """A new server for the duration of the block."""
    with own_server(version) as instance:
        made = instance.start(tcp_port=0)
        try:
            yield made
        finally:
            if made.url() in _administrators:
                _administrators.pop(made.url()).close()


@contextmanager
def created(server: embedded.Server, name: str, template: str = "template1") -> Iterator[str]:
    """A database for the duration of the block: a superuser's connection string.

    Roles belong to the whole server: those that a test creates go with its database, so that the next may use the name.
    """
    if PGLITE:
        with cast(Any, server).copied(template) as url:
            yield url
        return
    administrator = _administrator(server.url())
    before = _roles(administrator)
    administrator.execute(f"create database {name} template {template} strategy file_copy".encode())
    yield server.url(name)
    administrator.execute(f"drop database {name} with (force)".encode())
    for role in _roles(administrator) - before:
        with suppress(psycopg.errors.DependentObjectsStillExist):  # of a database around this one, which drops it
            administrator.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


_administrators: dict[str, Connection] = {}


def _administrator(url: str) -> Connection:
    """A connection for all tests of a server: most copy a database."""
    if url not in _administrators:
        _administrators[url] = connect(url)
    return _administrators[url]


def _roles(administrator: psycopg.Connection) -> set[str]:
    """All but the engine's own, which every database with the engine has."""
    return {name for (name,) in administrator.execute("select rolname from pg_roles where rolname !~ '^pgvec_'")}


def program(server: embedded.Server, name: str) -> Path:
    """A program that came with the server, such as psql or pg_dump."""
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("select setting from pg_config where name = 'BINDIR'").fetchone()
    assert row is not None
    return Path(row[0]) / name


def add_owner(server: embedded.Server) -> None:
    """The role that installs if no superuser does, and the groups that an administrator creates for it."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create role owner login createrole")
        connection.execute("create role pgvec_reader; create role pgvec_writer")
        connection.execute("grant pgvec_reader, pgvec_writer to owner with admin option")
        # it may act as the roles that it creates, and drop what they own
        connection.execute("alter role owner set createrole_self_grant = 'set, inherit'")


def as_installer(url: str) -> str:
    """A superuser's connection string turned into the installer's, who becomes the owner of the database."""
    if not OWNER:
        return url
    name = str(conninfo_to_dict(url)["dbname"])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("alter database {} owner to owner").format(sql.Identifier(name)))
    return url.replace(f"//{embedded.SUPERUSER}@", f"//{ROLE}@")


def as_superuser(url: str) -> str:
    """The installer's connection string turned into a superuser's."""
    return url.replace(f"//{ROLE}@", f"//{embedded.SUPERUSER}@")


def add_pgvector(url: str) -> None:
    """The steps of an administrator before another role installs, or for pgvector in another schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create schema if not exists {VECTOR_SCHEMA}".encode())
        connection.execute(f"create extension vector schema {VECTOR_SCHEMA}".encode())
        connection.execute(f"grant usage on schema {VECTOR_SCHEMA} to public".encode())


def install(url: str) -> None:
    """Install the engine into a superuser's empty database, as the variables say."""
    if OWNER or FROM or VECTOR_SCHEMA != "extensions":
        add_pgvector(url)
    url = as_installer(url)
    if FROM:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(release(FROM).encode())
    migrate.migrate(Target(url, "the tests"), report=lambda _: None)


def function_file(name: str, directory: Path | None = None) -> Path:
    """The file of a function (schema.name), in sql/ or in a copy of it."""
    directory = directory or sql_directory()
    return directory / "functions" / next(file.path for file in files(directory) if file.name == name)


def release(version: str) -> str:
    """The SQL that installs a release."""
    return gzip.decompress((RELEASES / f"{version}.sql.gz").read_bytes()).decode()


class Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """SQL of the tests says `extensions.`, as our files do; pgvector's schema takes its place."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Cursor:
        if isinstance(query, bytes):
            query = with_vector_schema(query.decode(), VECTOR_SCHEMA).encode()
        elif isinstance(query, str):
            query = with_vector_schema(query, VECTOR_SCHEMA)
        return super().execute(query, *arguments, **options)

    @contextmanager
    def copy(self, *arguments: Any, **options: Any) -> Iterator[psycopg.Copy]:
        try:
            with super().copy(*arguments, **options) as made:
                yield made
        except psycopg.errors.FeatureNotSupported as error:
            if not PGLITE:
                raise
            pytest.skip(f"PGlite has {error.diag.message_primary}")


def connect(url: str, role: str | None = None) -> Connection:
    """An autocommit connection, acting as another role if one is given."""
    acting = make_conninfo(url, options=f"-crole={role}") if role else url
    made = psycopg.connect(acting, autocommit=True, cursor_factory=Cursor)
    if PGLITE:  # it has one session, which goes on, and takes no options
        made.prepare_threshold = None
        made.execute("discard all")
        made.execute(sql.SQL("set role {}").format(sql.Identifier(role or "postgres")))
    return made
