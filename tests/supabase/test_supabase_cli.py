"""The exported migration, as the Supabase CLI itself applies and judges it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

import supabase_project
from pgvec_admin.database import Target
from pgvec_admin.errors import CheckFailedError, UsageError
from pgvec_admin.install import migrate, supabase
from pgvec_admin.server.embedded import Server
from supabase_project import FOLDER

ROOT = Path(__file__).parents[2] / "supabase"
CLI = FOLDER / "node_modules" / ".bin" / "supabase"

_numbers = itertools.count()


class Cli:
    """The command `supabase` in a project's folder, on a database of the platform."""

    def __init__(self, folder: Path, server: Server, name: str) -> None:
        self.folder, self.server, self.name = folder, server, name
        self.url = server.url(name, tcp=True)

    def __call__(self, *arguments: str) -> str:
        quiet = {"HOME": str(self.folder), "DO_NOT_TRACK": "1", "PGSSLMODE": "disable", "NO_COLOR": "1"}
        ran = subprocess.run(
            [CLI, *arguments, f"--remote={self.url}"],
            cwd=self.folder,
            env=os.environ | quiet,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture(scope="module")
def pushed(platform: Server, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A new project, to which the command has pushed everything and the seed."""
    folder = tmp_path_factory.mktemp("pushed")
    shutil.copytree(ROOT, folder / "supabase", ignore=shutil.ignore_patterns("*_pgvec_admin_*.sql"))
    supabase.export(folder / "supabase" / "migrations")
    supabase_project.create(platform, "pushed")
    cli = Cli(folder, platform, "pushed")
    cli("db", "push", "--yes", "--include-seed")
    return cli


@pytest.fixture
def cli(pushed: Cli) -> Cli:
    """The command on the test's own copy of that project."""
    name = f"pushed_{next(_numbers)}"
    supabase_project.create(pushed.server, name, template=pushed.name)
    return Cli(pushed.folder, pushed.server, name)


@pytest.fixture
def new_project(platform: Server) -> str:
    """The database of a new project, with nothing in it."""
    name = f"new_{next(_numbers)}"
    supabase_project.create(platform, name)
    return supabase_project.conninfo(platform, name)


def _count(url: str, query: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_db_push_installs_everything_and_the_seed(cli: Cli, tmp_path: Path) -> None:
    standing = migrate.status(Target(cli.url, "the test"))
    assert standing.problems() == []
    assert {state.state for state in standing.functions} == {"ok"}
    assert migrate.migrate(Target(cli.url, "the test"), report=lambda _: None).functions == []
    cli("db", "push", "--yes", "--include-seed")
    assert _count(cli.url, "select count(*) from documents") == 4
    with supabase_project.serve(cli.server, cli.name, tmp_path) as project:
        found = project.rpc("keyword_search", {"query_text": "pool timeout"}).json()
    assert found[0]["id"] == "pool-2"


def test_its_advisor_finds_nothing(cli: Cli) -> None:
    with psycopg.connect(cli.url, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant', partition => 1)")
        connection.execute("select pgvec.create_collection_api('notes')")
        # an unused index is a finding, so each is used
        connection.execute("set app.tenant_id = '00000000-0000-4000-8000-00000000000a'")
        connection.execute("set enable_seqscan = off; set enable_sort = off")
        for name in ("documents", "notes"):
            if name == "notes":
                connection.execute("insert into notes (content, metadata) values ('pool', '{}')")
            connection.execute(f'select id from {name} where metadata @> \'{{"topic": "kitchen"}}\''.encode())
            connection.execute(f"select id from {name} where fts @@ 'pool'".encode())
            connection.execute(f"select id from {name} where embedded_hash is distinct from content_hash".encode())
            tenant = "tenant_id = pgvec.default_tenant() and " if name == "notes" else ""
            connection.execute(f"select id from {name} where {tenant} source = 'x' and chunk_index = 1".encode())
        connection.execute("select renew_embeddings(1)")
        connection.execute("select from pgvec.synonyms where collection = 'x' and lexeme = 'x'")
        connection.execute("select from pgvec.embedding_jobs where collection = 'x' and due_at < now() order by due_at")
        # what the deletion of an account looks up
        connection.execute("select pgvec.set_owner('notes', 'auth.users')")
        connection.execute("insert into auth.users (id) values ('00000000-0000-4000-8000-00000000000b')")
        for found in ("owner = gen_random_uuid()", "tenants[1] = gen_random_uuid()"):
            connection.execute(f"select from pgvec.search_log where {found}".encode())
        connection.execute("select from pgvec.search_log where collection = 'x' and cardinality(tenants) > 1")
        connection.execute("delete from auth.users")
        connection.execute("select pg_stat_force_next_flush()")
    told = json.loads(cli("db", "advisors", "--level", "info", "--type", "all") or "[]")
    assert [(one["name"], one["detail"]) for one in told] == []


def test_its_types_are_the_example(pushed: Cli) -> None:
    assert pushed("gen", "types", "typescript") == (ROOT / "database.types.ts").read_text()


def test_an_export_is_written_once_and_rewritten_when_it_differs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no directory"):
        supabase.export(tmp_path / "supabase" / "migrations")
    (tmp_path / "supabase").mkdir()
    folder = tmp_path / "supabase" / "migrations"
    with pytest.raises(CheckFailedError, match="has no file"):
        supabase.check(folder)
    path, changed = supabase.export(folder)
    assert changed
    assert supabase.export(folder) == (path, False)
    path.write_text(path.read_text() + "-- by hand\n")
    with pytest.raises(CheckFailedError, match="not what this release"):
        supabase.check(folder)
    assert supabase.export(folder) == (path, True)
    assert supabase.check(folder) == path


def test_the_edge_function_is_written_beside_the_migrations(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no directory"):
        supabase.export_edge_function(tmp_path / "supabase" / "functions")
    (tmp_path / "supabase").mkdir()
    folder, changed = supabase.export_edge_function(tmp_path / "supabase" / "functions")
    assert changed
    assert folder == tmp_path / "supabase" / "functions" / "embed"
    assert (folder / "index.ts").read_text() == (ROOT / "functions" / "embed" / "index.ts").read_text()
    assert supabase.export_edge_function(folder.parent) == (folder, False)
    older = (folder / "index.ts").read_text().replace("const WAIT = 60", "const WAIT = 61")
    (folder / "index.ts").write_text(older)
    assert supabase.export_edge_function(folder.parent) == (folder, True)
    assert (folder / "index.ts").read_text() != older
    (folder / "index.ts").write_text("Deno.serve(() => new Response('mine'));\n")
    with pytest.raises(UsageError, match="a function of yours"):
        supabase.export_edge_function(folder.parent)
    assert "mine" in (folder / "index.ts").read_text()


def test_what_somebody_edited_is_not_overwritten(cli: Cli) -> None:
    with psycopg.connect(cli.url, autocommit=True) as connection:
        connection.execute(
            "create or replace function pgvec.version() returns text language sql immutable set search_path = ''"
            " as $$ select 'mine' $$"
        )
        with pytest.raises(psycopg.Error, match="was edited since"):
            connection.execute(supabase.text().encode())


def test_what_somebody_made_is_not_overwritten_but_replaced_where_the_export_may(new_project: str) -> None:
    with psycopg.connect(new_project, autocommit=True) as connection:
        connection.execute(
            "create table documents_of_a_guide (id bigserial primary key, content text, metadata jsonb,"
            " embedding extensions.vector(3));"
            "create function match_documents(query_embedding extensions.vector(3), match_count int default null,"
            " filter jsonb default '{}') returns table (id bigint, content text, metadata jsonb, similarity float)"
            " language sql as $$ select id, content, metadata, 1 - (embedding operator(extensions.<=>) query_embedding)"
            " from documents_of_a_guide limit match_count $$"
        )
        with pytest.raises(psycopg.Error, match="was not made by pgvec-admin") as refusal:
            connection.execute(supabase.text().encode())
        assert "supabase export --replace-existing" in str(refusal.value)
        assert _count(new_project, "select to_regnamespace('pgvec')") is None, "a refused export has left something"
        connection.execute(supabase.text(replace_existing=True).encode())
        kept = connection.execute(
            "select origin, definition like '%documents_of_a_guide%' from pgvec.function_history"
            " where name = 'public.match_documents' order by version"
        ).fetchall()
        assert kept == [("replaced", True), ("file", False)]
        one = connection.execute("select count(*) from pg_proc where proname = 'match_documents'").fetchone()
        assert one == (1,)
        connection.execute(
            "insert into documents_of_a_guide (content, metadata, embedding)"
            """ values ('Hallo', '{"lang": "de"}', '[1,2,3]'), ('Hello', '{"lang": "en"}', '[1,2,3]')"""
        )
        connection.execute("select pgvec.adopt_collection('documents', 'public.documents_of_a_guide')")
        found = connection.execute(
            "select content, metadata from public.match_documents('[1,2,3]', filter => '{\"lang\": \"de\"}')"
        ).fetchall()
        assert found == [("Hallo", {"lang": "de"})]
        connection.execute(supabase.text(replace_existing=True).encode())
