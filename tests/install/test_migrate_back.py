"""Migrations are taken back, the engine is uninstalled, and status tells where a database stands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from command import COMMAND
from pgvec_admin.database import Target
from pgvec_admin.errors import CheckFailedError, UsageError
from pgvec_admin.install import migrate, migrations


def silent(_: str) -> None:
    """A report function that ignores everything."""


def install(url: str, **options: Any) -> migrate.MigrateReport:
    return migrate.migrate(Target(url, "the test"), report=silent, **options)


def ask(url: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []


def catalog(url: str) -> list[tuple[Any, ...]]:
    """Every object of ours with its privileges and comment, in the server's own words."""
    return ask(
        url,
        """
        select 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proacl::text, obj_description(p.oid)
          from pg_proc as p
         where p.pronamespace in ('pgvec'::regnamespace, 'public'::regnamespace)
         union all
        select 'relation', c.oid::regclass::text, c.relkind::text, c.relacl::text, obj_description(c.oid)
          from pg_class as c
         where c.relnamespace in ('pgvec'::regnamespace, 'public'::regnamespace)
         union all
        select 'column', a.attrelid::regclass || '.' || a.attname, format_type(a.atttypid, a.atttypmod), null, null
          from pg_attribute as a
          join pg_class as c on c.oid = a.attrelid
         where c.relnamespace = 'pgvec'::regnamespace and a.attnum > 0 and not a.attisdropped
         order by 1, 2
        """,
    )


# ---- rolling back


def test_migrate_roll_everything_back_and_migrate_again_gives_the_same_catalog(empty_database: str) -> None:
    install(empty_database)
    before = catalog(empty_database)
    where = Target(empty_database, "the test")
    assert migrate.rollback(where, everything=True, report=silent) == [p.stem for p in reversed(migrations.paths())]
    left = ask(
        empty_database,
        "select to_regnamespace('pgvec') is null,"
        " (select count(*) from pg_proc where pronamespace = 'public'::regnamespace),"
        " (select count(*) from pg_class where relnamespace = 'public'::regnamespace)",
    )
    assert left == [(True, 0, 0)]
    install(empty_database)
    assert catalog(empty_database) == before


def test_the_engine_is_not_taken_back_from_under_its_collections(empty_database: str) -> None:
    install(empty_database)
    ask(empty_database, "select pgvec.create_collection('notes', 2)")
    before = catalog(empty_database)
    with pytest.raises(CheckFailedError, match="there are collections: notes"):
        migrate.rollback(Target(empty_database, "the test"), everything=True, report=silent)
    assert catalog(empty_database) == before


def test_migrations_are_taken_back_one_by_one_or_to_a_named_one(empty_database: str, sql_copy: Path) -> None:
    for number in (997, 998, 999):
        file = sql_copy / "migrations" / f"0{number}.t{number}.sql"
        file.write_text(f"-- depends: 0001.engine\ncreate table pgvec.t{number} ();\n")
        (file.parent / "rollback" / file.name).write_text(f"drop table pgvec.t{number};\n")
    install(empty_database)
    where = Target(empty_database, "the test")
    assert migrate.rollback(where, report=silent) == ["0999.t999"]
    assert [s.id for s in migrate.status(where).migrations if s.state == "pending"] == ["0999.t999"]
    with pytest.raises(UsageError, match="no applied migration '0123'"):
        migrate.rollback(where, to="0123", report=silent)
    assert migrate.rollback(where, to="0997", report=silent) == ["0998.t998"]
    assert ask(empty_database, "select to_regclass('pgvec.t997') is not null, to_regclass('pgvec.t998') is null") == [
        (True, True)
    ]
    assert install(empty_database).migrations == ["0998.t998", "0999.t999"]


# ---- status


def test_status_tells_where_a_database_stands_and_its_check_fails_until_it_is_current(empty_database: str) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, "status", "--database-url", empty_database, *arguments], capture_output=True, text=True
        )

    bare = run("--check")
    assert bare.returncode == 4
    assert "not installed" in bare.stdout
    assert bare.stderr.splitlines()[-1].startswith("hint: ")

    install(empty_database)
    good = run("--check", "--json")
    assert good.returncode == 0
    told = json.loads(good.stdout)
    assert (told["problems"], told["installed_version"], told["pgvector_schema"]) == (
        [],
        told["package_version"],
        "extensions",
    )

    ask(empty_database, "drop function match_documents")
    gone = run("--check")
    assert gone.returncode == 4
    assert "function public.match_documents is missing" in gone.stderr


def test_uninstalling_leaves_the_tables_and_nothing_else(empty_database: str) -> None:
    where = Target(empty_database, "the test")
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("create table shop (id int primary key, title text not null)")
        connection.execute("insert into shop values (1, 'a red fish')")

        def catalog() -> set[tuple[str, str]]:
            return set(
                connection.execute(
                    "select 'function', p.oid::regprocedure::text from pg_proc as p"
                    " where p.pronamespace in (select oid from pg_namespace where nspname in ('public', 'pgvec'))"
                    " and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')"
                    " union all select 'relation', c.oid::regclass::text from pg_class as c"
                    " where c.relnamespace in (select oid from pg_namespace where nspname in ('public', 'pgvec'))"
                    " union all select 'trigger', t.tgname from pg_trigger as t where not t.tgisinternal"
                    " union all select 'schema', nspname from pg_namespace where nspname = 'pgvec'"
                ).fetchall()
            )

        before = catalog()
        migrate.migrate(where, report=silent)
        connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant', partition => 2)")
        connection.execute("set app.tenant_id = '00000000-0000-4000-8000-00000000000a'")
        connection.execute("insert into notes (id, content, embedding) values ('1', 'kept', '[1,0]')")
        connection.execute("select pgvec.create_collection('documents', 2)")
        connection.execute("select pgvec.create_collection_api('notes')")
        connection.execute(
            "select pgvec.adopt_collection('shop', 'public.shop', dimensions => 2, content_columns => '{title}')"
        )

        with pytest.raises(CheckFailedError, match="there are collections: documents, notes, shop"):
            migrate.uninstall(where, report=silent)
        assert connection.execute("select content from notes").fetchall() == [("kept",)]
        kept = migrate.uninstall(where, keep_tables=True, report=silent)
        assert sorted(kept) == ["public.documents", "public.notes", "public.shop"]
        assert connection.execute("select content, embedding::text from notes").fetchall() == [("kept", "[1,0]")]
        assert connection.execute("select * from shop").fetchall() == [(1, "a red fish")]
        left = {name for kind, name in catalog() - before}
        assert {name.removeprefix("public.").split("_")[0] for name in left} == {"notes", "documents"}
        # a table of tenants is not suddenly open to all
        secured = "select relrowsecurity from pg_class where relname like 'notes%' and relkind in ('r', 'p')"
        assert connection.execute(secured).fetchall() == [(True,)] * 3
        assert connection.execute("select count(*) from pg_policy where polrelid = 'notes'::regclass").fetchone() == (
            0,
        )
        connection.execute("update notes set content = 'still a table'")
        connection.execute("insert into documents (id, content) values ('new', 'a row more')")
        # and install everything again
        migrate.migrate(where, report=silent)
