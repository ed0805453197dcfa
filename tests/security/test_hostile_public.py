"""Whoever may create in schema public gets nothing run by who works on the database with the command or the service.

A role creates twins, which fit better, of the functions and operators that our statements use, and of our functions.
The server counts their calls, also in transactions that are rolled back.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import httpx
import psycopg
import pytest
import typer.main
import yoyo
from hostile_calls import APART, CALLS
from mcp import Client, StdioServerParameters, stdio_client
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import installation
import pgvec_admin.database
from command import COMMAND, COMMANDS, interrupt
from conftest import Connection
from openai_server import OpenAIServer, vector_of
from pgvec_admin import cli
from pgvec_admin.database import Target, connect
from pgvec_admin.errors import CheckFailedError
from pgvec_admin.install import migrate, supabase
from pgvec_admin.orm import NewDocument, SyncEmbeddingRepository
from pgvec_admin.resources import sql_directory
from pgvec_admin.server import embedded

PLANTED = Path(__file__).with_name("hostile_public.sql").read_text(encoding="utf-8")
TENANT = "00000000-0000-4000-8000-00000000000a"
CALLED = """
select pg_catalog.array_agg(distinct p.oid::regprocedure::text)
  from pg_catalog.pg_stat_user_functions as s
  join pg_catalog.pg_proc as p on p.oid = s.funcid
 where p.proowner = 'mallory'::regrole
   and s.calls > 0
"""

_numbers = itertools.count()
OVERLOADS = Path(__file__).with_name("hostile_overloads.sql").read_text(encoding="utf-8")


def _words() -> str:
    """Every word that could be a function in our SQL, or in that of the libraries that connect."""
    ours = Path(pgvec_admin.database.__file__).parent
    theirs = [Path(module.__file__ or "").parent for module in (psycopg, yoyo)]
    texts = [path.read_text(encoding="utf-8") for folder in (ours, *theirs) for path in folder.rglob("*.py")]
    texts += [path.read_text(encoding="utf-8") for folder in (ours, sql_directory()) for path in folder.rglob("*.sql")]
    return ",".join(sorted(set(re.findall(r"\b[a-z][a-z0-9_]*(?=\()", "\n".join(texts)))))


@dataclass(frozen=True)
class Hostile:
    """A superuser's view of a database in which mallory may create in schema public."""

    url: str
    administrator: Connection
    since: datetime

    def as_mallory(self, statements: str) -> None:
        _as_mallory(self.url, statements)

    def called(self) -> list[str]:
        """Mallory's code that was run, by a session that has ended."""
        others = (
            "select pg_catalog.count(*) from pg_catalog.pg_stat_activity"
            " where datname = pg_catalog.current_database() and backend_start > %s"
        )
        while self.administrator.execute(others, (self.since,)).fetchone() != (0,):
            time.sleep(0.01)
        row = self.administrator.execute(CALLED).fetchone()
        assert row is not None
        return row[0] or []


def _as_mallory(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set session authorization mallory")
        connection.execute(statements.encode())


@contextmanager
def _hostile(server: embedded.Server, name: str, template: str = "template1") -> Iterator[Hostile]:
    """A database for the duration of the block, in which calls of functions are counted."""
    with (
        installation.created(server, name, template) as url,
        psycopg.connect(url, autocommit=True) as administrator,
    ):
        database = sql.Identifier(name)
        administrator.execute(sql.SQL("alter database {} set track_functions = 'all'").format(database))
        administrator.execute(pgvec_admin.database.SET_SEARCH_PATH)
        started = administrator.execute("select pg_catalog.clock_timestamp()").fetchone()
        assert started is not None
        yield Hostile(url, administrator, started[0])


@pytest.fixture(scope="module")
def planted(server: embedded.Server) -> Iterator[str]:
    """Name of a database in which mallory has created, and nobody installed."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create role mallory login")
    try:
        with installation.created(server, "planted") as url:
            with psycopg.connect(url, autocommit=True) as administrator:
                administrator.execute("grant create, usage on schema public to mallory")
                administrator.execute("create table public.jobs (id int primary key, title text)")
                administrator.execute("insert into public.jobs values (1, 'a red fish'), (2, 'a blue bird')")
            _as_mallory(url, PLANTED.replace(":names", f"'{_words()}'"))
            yield "planted"
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("drop role mallory")


@pytest.fixture(scope="module")
def migrated(server: embedded.Server, planted: str) -> Iterator[str]:
    """Name of the same database with the engine, which a superuser installed."""
    with installation.created(server, "migrated", planted) as url:
        migrate.migrate(Target(url, "the tests"), report=lambda _: None)
        yield "migrated"


@pytest.fixture(scope="module")
def overloaded(server: embedded.Server, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of one with a collection, of whose functions mallory has made others of the same names."""
    folder = tmp_path_factory.mktemp("overloaded")
    _write_files(folder)
    with installation.created(server, "overloaded", migrated) as url, pytest.MonkeyPatch.context() as patch:
        for line in ("collection create documents --dimensions 8 --model openai:small", "load {}/rows.jsonl"):
            assert _command(f"{line} --database-url {url}".replace("{}", str(folder)), patch) == 0
        with psycopg.connect(url, autocommit=True) as administrator:
            administrator.execute("grant usage on schema extensions to mallory")
        _as_mallory(url, OVERLOADS)
        yield "overloaded"


@pytest.fixture
def hostile(server: embedded.Server, planted: str, request: pytest.FixtureRequest) -> Iterator[Hostile]:
    """The test's own copy of one of the databases above: of `planted`, or as `_from` says."""
    template = request.getfixturevalue(getattr(request, "param", "planted"))
    with _hostile(server, f"hostile_{next(_numbers)}", template) as made:
        yield made


def _from(template: str) -> pytest.MarkDecorator:
    """Which database `hostile` is a copy of, if not of `planted`."""
    return pytest.mark.parametrize("hostile", [template], indirect=True, ids=[pytest.HIDDEN_PARAM])


Run = Callable[[str], tuple[int, str]]


@pytest.fixture
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def run(
    hostile: Hostile,
    openai: OpenAIServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a line of CALLS as a superuser; returns its exit code and what it said."""
    _write_files(tmp_path)
    monkeypatch.setenv("PGVEC_DATABASE_URL", hostile.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.delenv("PGVEC_DEBUG", raising=False)
    monkeypatch.setattr(cli, "app", typer.main.get_command(cli.app))

    def call(line: str) -> tuple[int, str]:
        code = _command(line.replace("{}", str(tmp_path)).replace("{openai}", openai.url), monkeypatch)
        return code, "".join(capsys.readouterr())

    return call


def _write_files(folder: Path) -> None:
    """The files that CALLS read."""
    (folder / "texts").mkdir()
    (folder / "supabase").mkdir()
    for number in range(120):
        (folder / "texts" / f"{number}.md").write_text(f"# Fish {number}\n\nA red fish, number {number}.")
    rows = [
        {"id": f"r{n}", "content": f"a red fish {n}", "n": n, "embedding": vector_of(str(n)).tolist()}
        for n in range(60)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "a red fish"}\n')
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tr1\t1\n")


def _command(line: str, patch: pytest.MonkeyPatch) -> int:
    """The exit code of the command, run in this process."""
    patch.setattr(sys, "argv", ["pgvec-admin", *shlex.split(line)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_no_command_runs_what_others_made_in_public(hostile: Hostile, run: Run) -> None:
    for line in CALLS.strip().splitlines():
        if line.startswith("functions rollback"):  # to its state before the edit
            hostile.administrator.execute("alter function public.match_documents set jit = off")
        code, said = run(line)
        if line.startswith("verify"):
            assert "documents" in said  # it reports mallory's privileges
            code = 0
        assert (line, code, hostile.called()) == (line, 0, []), said


def test_every_command_is_tried() -> None:
    lines = CALLS.strip().splitlines()
    assert {name for name in COMMANDS if any(f"{line} ".startswith(f"{name} ") for line in lines)} == set(
        COMMANDS
    ) - APART


def test_it_is_seen_what_a_session_runs_that_looks_in_public(
    hostile: Hostile, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgvec_admin.database, "SET_SEARCH_PATH", "select 1")
    run("status")
    assert "quote_ident(name)" in "".join(hostile.called())


def _serving(hostile: Hostile, openai: OpenAIServer, *options: str) -> Iterator[httpx.Client]:
    environment = os.environ | {"PGVEC_DATABASE_URL": hostile.url, "OPENAI_API_KEY": "none"}
    with subprocess.Popen(
        [COMMAND, "serve", "--port", "0", "--base-url", openai.url, *options],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        address = re.search(r"http://[^ ,]+", _line(process.stderr))
        assert address is not None
        try:
            with httpx.Client(base_url=address[0], timeout=60) as client:
                yield client
        finally:
            interrupt(process)


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


@_from("overloaded")
@pytest.mark.parametrize("options", [(), ("--pooler",)], ids=["direct", "pooler"])
def test_neither_does_the_service(hostile: Hostile, openai: OpenAIServer, options: tuple[str, ...]) -> None:
    for client in _serving(hostile, openai, *options):
        for body in (
            {"query": "fish"},
            {"query": "fish", "mode": "keyword", "highlight": True},
            {"query": "fish", "mode": "hybrid", "filter": {"n": {"$gte": 3}}},
        ):
            assert len(client.post("/search", json=body).raise_for_status().json()["results"]) == 10
        documents = [{"id": "x", "content": "a red fish", "metadata": {}}]
        client.post("/documents", json=documents).raise_for_status()
        client.get("/documents/x").raise_for_status()
        client.delete("/documents/x").raise_for_status()
        client.get("/health").raise_for_status()
    assert hostile.called() == []


@_from("overloaded")
def test_neither_does_the_server_of_agents(hostile: Hostile, openai: OpenAIServer) -> None:
    started = StdioServerParameters(
        command=str(COMMAND),
        args=["mcp", "--base-url", openai.url, "--writes"],
        env=os.environ | {"PGVEC_DATABASE_URL": hostile.url, "OPENAI_API_KEY": "none"},
    )

    async def act() -> None:
        async with Client(stdio_client(started), mode="legacy") as client:
            for tool, arguments in (
                ("list_collections", {}),
                ("search", {"query": "fish"}),
                ("search", {"query": "fish", "mode": "keyword"}),
                ("search", {"query": "fish", "mode": "vector", "filter": {"n": {"$gte": 3}}}),
                ("get_context", {"id": "r1"}),
                ("explain", {"query": "fish"}),
                ("store_documents", {"documents": [{"id": "x", "content": "a red fish"}]}),
                ("delete_documents", {"id": "x"}),
            ):
                answer = await client.call_tool(tool, arguments)
                assert not answer.is_error, (tool, answer)

    asyncio.run(act())
    assert hostile.called() == []


@_from("overloaded")
def test_our_functions_are_called_by_their_whole_signature(hostile: Hostile, run: Run) -> None:
    calls = CALLS.strip().splitlines()
    searches = [line for line in calls if re.match(r"search (?!.*-c notes)|evaluate .*--queries|log on|evaluate", line)]
    for line in searches:
        code, said = run(line)
        assert (line, code, hostile.called()) == (line, 0, []), said


@_from("migrated")
def test_the_collector_of_searches_runs_nothing_either(hostile: Hostile) -> None:
    environment = os.environ | {"PGVEC_DATABASE_URL": hostile.url}
    with subprocess.Popen([COMMAND, "log", "collect"], stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert "collecting" in _line(process.stderr)
        interrupt(process)
    assert hostile.called() == []


def test_the_exported_file_runs_nothing_either(hostile: Hostile, server: embedded.Server, tmp_path: Path) -> None:
    file = tmp_path / "export.sql"
    file.write_text(supabase.text(), encoding="utf-8")
    psql: list[str | Path] = [installation.program(server, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    for way in ((), ("--single-transaction",)):
        ran = subprocess.run([*psql, *way, "-f", file, hostile.url], capture_output=True, text=True)
        assert (ran.returncode, hostile.called()) == (0, []), ran.stderr
    assert migrate.status(Target(hostile.url, "the test")).problems() == []


@_from("migrated")
def test_the_layer_for_sqlalchemy_runs_nothing_either(hostile: Hostile, run: Run) -> None:
    assert run("collection create documents --dimensions 8 --model openai:small")[0] == 0
    info = hostile.administrator.info
    engine = create_engine(f"postgresql+psycopg://{info.user}@/{info.dbname}?host={info.host}&port={info.port}")
    with Session(engine) as session, session.begin():
        repository = SyncEmbeddingRepository(session)
        rows = [NewDocument("a red fish", vector_of(str(n)), id=f"s{n}") for n in range(120)]
        assert len(repository.add_embeddings(rows)) == 120
        assert repository.add_embedding("a blue bird", vector_of("x"), id="b") == "b"
        assert len(repository.search(vector_of("x"))) == 10
        assert [hit.id for hit in repository.search_text("bird")] == ["b"]
        assert len(repository.search_hybrid("bird", vector_of("x"), filters={"a": {"$exists": False}})) == 10
        assert repository.delete("b") == 1
    engine.dispose()
    assert hostile.called() == []


@_from("migrated")
def test_a_name_without_a_schema_is_found_where_the_role_looks(hostile: Hostile, run: Run) -> None:
    with connect(Target(hostile.url, "the test")) as connection:
        row = connection.execute("select current_setting('search_path')").fetchone()
        assert row == (pgvec_admin.database.SEARCH_PATH,)
    hostile.administrator.execute("create schema shop")
    hostile.administrator.execute("create table shop.wares (id int primary key, title text)")
    hostile.administrator.execute(
        sql.SQL("alter database {} set search_path = shop").format(sql.Identifier(hostile.administrator.info.dbname))
    )
    assert run("collection adopt wares --dimensions 8 --content title")[0] == 0
    assert run("collection adopt jobs --dimensions 8 --content title")[0] == 2
    assert run("collection adopt public.jobs --dimensions 8 --content title")[0] == 0
    adopted = hostile.administrator.execute("select base::text from pgvec.collections order by name").fetchall()
    assert adopted == [("public.jobs",), ("shop.wares",)]


def test_functions_that_are_replaced_are_no_longer_their_makers(hostile: Hostile, run: Run) -> None:
    hostile.as_mallory(
        "create function public.delete_documents(ids text[] default null, source text default null,"
        " filter jsonb default null, collection text default 'documents', for_tenant uuid default null)"
        " returns bigint language plpgsql as 'begin return 0; end'"
    )
    assert run("migrate")[0] == 4
    code, said = run("migrate --replace-existing")
    assert code == 0, said
    row = hostile.administrator.execute(
        "select p.proowner::regrole::text from pg_proc as p where p.oid = "
        "'public.delete_documents(text[], text, jsonb, text, uuid)'::regprocedure"
    ).fetchone()
    assert row == (embedded.SUPERUSER,)


def test_a_pooler_in_transaction_mode_is_refused_before_connecting() -> None:
    with pytest.raises(CheckFailedError, match="port 6543 is a pooler in transaction mode"):
        connect(Target("postgresql://postgres@nowhere.invalid:6543/postgres", "the test"))
