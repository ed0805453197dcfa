"""Installing, upgrading and rolling back: on a real server, by twenty at once, by a plain owner, and early refusals."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import installation
from command import COMMAND
from pgvec_admin.database import Target
from pgvec_admin.errors import CheckFailedError, ConnectionFailedError, PgvecError
from pgvec_admin.install import functions, migrate, migrations
from pgvec_admin.server import embedded
from seeded import COLLECTIONS, answers, fill


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


@pytest.fixture
def plain_owner(server: embedded.Server, empty_database: str) -> Iterator[str]:
    """Connection string of a role that owns the database and nothing else, as on hosted servers."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create role plain_owner login password 'a#b/c'")
        name = sql.Identifier(str(conninfo_to_dict(empty_database)["dbname"]))
        connection.execute(sql.SQL("alter database {} owner to plain_owner").format(name))
        # as everywhere, an administrator made pgvector available
        ask(empty_database, "create schema extensions; create extension vector schema extensions")
        ask(empty_database, "grant usage on schema extensions to plain_owner")
        yield make_conninfo(empty_database, user="plain_owner")
        connection.execute(sql.SQL("alter database {} owner to postgres").format(name))
        with psycopg.connect(empty_database, autocommit=True) as inside:
            inside.execute("drop owned by plain_owner cascade")
        connection.execute("drop role plain_owner")


# ---- installing


def test_the_first_run_installs_everything_and_the_second_finds_nothing_to_do(empty_database: str) -> None:
    first = install(empty_database)
    assert first.migrations == [path.stem for path in migrations.paths()]
    assert {state.state for state in first.functions} == {"new"}
    assert len(first.functions) == len(functions.files())
    before = catalog(empty_database)

    second = install(empty_database)
    assert (second.migrations, second.functions) == ([], [])
    assert second.unchanged == len(functions.files())
    assert catalog(empty_database) == before


def test_of_twenty_runs_at_once_one_installs_and_none_fails(empty_database: str) -> None:
    ready = threading.Barrier(20)

    def run(_: int) -> migrate.MigrateReport:
        ready.wait(60)
        return install(empty_database)

    with ThreadPoolExecutor(20) as pool:
        reports = list(pool.map(run, range(20)))
    assert sorted(len(report.functions) for report in reports) == [0] * 19 + [len(functions.files())]
    assert sorted(len(report.migrations) for report in reports) == [0] * 19 + [len(migrations.paths())]
    assert ask(empty_database, "select max(version) from pgvec.function_history") == [(1,)]


def test_a_plain_owner_of_a_database_installs_and_uses_it(plain_owner: str) -> None:
    assert ask(plain_owner, "select rolsuper from pg_roles where rolname = current_user") == [(False,)]
    install(plain_owner)
    ask(plain_owner, "select pgvec.create_collection('notes', 2)")
    ask(plain_owner, "insert into notes (id, content, embedding) values ('a', 'tea', '[1, 0]')")
    found = ask(plain_owner, "select id, similarity from match_documents('[1, 0]', collection => 'notes')")
    assert found == [("a", 1.0)]


@pytest.mark.parametrize("schema", ["public", "extensions", 'Odd "name'])
def test_pgvector_may_live_in_any_schema(empty_database: str, schema: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        connection.execute(sql.SQL("create extension vector schema {}").format(sql.Identifier(schema)))
    install(empty_database)
    ask(empty_database, "select pgvec.create_collection('notes', 2, storage => 'halfvec')")
    ask(empty_database, "insert into notes (id, content, embedding) values ('a', 'tea', '[1, 0]')")
    found = ask(empty_database, "select id, similarity from match_documents('[1, 0]', collection => 'notes')")
    assert found == [("a", 1.0)]
    assert [s.state for s in migrate.status(Target(empty_database, "the test")).functions if s.state != "ok"] == []
    assert install(empty_database).functions == []


def test_the_bookkeeping_lies_in_schema_pgvec_and_nothing_of_it_in_public(empty_database: str) -> None:
    install(empty_database)
    assert ask(empty_database, "select relname from pg_class where relnamespace = 'public'::regnamespace") == []
    (tables,) = ask(
        empty_database,
        "select array_agg(relname::text order by relname) from pg_class"
        " where relnamespace = 'pgvec'::regnamespace and relkind = 'r'",
    )
    assert {"_yoyo_migration", "collections", "function_history", "migration_files"} <= set(tables[0])


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(empty_database: str) -> None:
    report = install(empty_database, dry_run=True)
    assert report.migrations == [path.stem for path in migrations.paths()]
    assert len(report.functions) == len(functions.files())
    left = "select to_regnamespace('pgvec') is null, to_regnamespace('extensions') is null"
    assert ask(empty_database, left) == [(True, True)]


# ---- connection strings


def test_a_password_with_a_hash_and_several_hosts_are_understood(
    server: embedded.Server, plain_owner: str, tmp_path: Path
) -> None:
    part = conninfo_to_dict(plain_owner)
    with psycopg.connect(server.url(tcp=True)) as connection:
        port = connection.info.port
    for password in ("a#b%2Fc", "a%23b%2Fc"):
        url = f"postgresql://plain_owner:{password}@127.0.0.1:1,127.0.0.1:{port}/{part['dbname']}"
        assert install(url).unchanged in (0, len(functions.files()))
    assert (
        install(f"host=127.0.0.1 port={port} user=plain_owner password=a#b/c dbname={part['dbname']}").functions == []
    )
    with pytest.raises(ConnectionFailedError):
        install(f"host=127.0.0.1 port={port} user=plain_owner password=a dbname={part['dbname']}")


# ---- refusals


def test_a_transaction_mode_pooler_is_refused_before_connecting() -> None:
    for url in ("postgresql://postgres@nowhere.invalid:6543/postgres", "host=a,b port=5432,6543"):
        with pytest.raises(CheckFailedError, match="transaction mode") as refused:
            install(url)
        assert "5432" in str(refused.value.hint)


def test_a_pgvector_that_is_too_old_is_refused_with_the_command_that_upgrades_it(empty_database: str) -> None:
    ask(empty_database, "create extension vector")
    ask(empty_database, "update pg_extension set extversion = '0.7.4' where extname = 'vector'")
    with pytest.raises(CheckFailedError, match=r"pgvector 0\.7\.4 is too old") as refused:
        install(empty_database)
    assert "alter extension vector update" in str(refused.value.hint)
    assert ask(empty_database, "select to_regnamespace('pgvec') is null") == [(True,)]


def test_a_role_that_may_not_install_is_told_which_privilege_is_missing(
    server: embedded.Server, empty_database: str
) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create role guest login")
        try:
            with pytest.raises(CheckFailedError, match="guest may not create schemas") as refused:
                install(make_conninfo(empty_database, user="guest"))
            assert "grant create on database" in str(refused.value.hint)
            name = sql.Identifier(str(conninfo_to_dict(empty_database)["dbname"]))
            connection.execute(sql.SQL("grant create on database {} to guest").format(name))
            with pytest.raises(CheckFailedError, match="guest may not create functions in schema public") as refused:
                install(make_conninfo(empty_database, user="guest"))
            assert refused.value.hint == 'let its owner run: grant create on schema public to "guest"'
            connection.execute(sql.SQL("revoke create on database {} from guest").format(name))
        finally:
            connection.execute("drop role guest")
    assert ask(empty_database, "select to_regnamespace('pgvec') is null") == [(True,)]


def test_an_extension_that_only_an_administrator_may_create_is_told(plain_owner: str, empty_database: str) -> None:
    ask(empty_database, "drop extension vector")
    with pytest.raises(CheckFailedError, match="plain_owner may not create the extension vector") as refused:
        install(plain_owner)
    assert "create extension vector with schema extensions" in str(refused.value.hint)


def test_a_schema_pgvec_of_somebody_elses_is_refused(plain_owner: str, empty_database: str) -> None:
    ask(empty_database, "create schema pgvec authorization postgres")
    with pytest.raises(CheckFailedError, match="schema pgvec belongs to postgres, and you are plain_owner"):
        install(plain_owner)


def test_a_function_of_our_name_is_refused_or_replaced_and_kept(empty_database: str) -> None:
    theirs = "create function match_documents(query text) returns text language sql as $$ select upper(query) $$"
    ask(empty_database, theirs)
    with pytest.raises(CheckFailedError, match=r"made by somebody else: public\.match_documents") as refused:
        install(empty_database)
    assert "--replace-existing" in str(refused.value.hint)
    assert ask(empty_database, "select match_documents('still theirs')") == [("STILL THEIRS",)]
    assert ask(empty_database, "select to_regnamespace('pgvec') is null") == [(True,)]

    install(empty_database, replace_existing=True)
    assert ask(empty_database, "select count(*) from pg_proc where proname = 'match_documents'") == [(1,)]
    with psycopg.connect(empty_database) as connection:
        _, kept = functions.history(connection, "match_documents")
    assert [entry.origin for entry in kept] == ["replaced", "file"]
    assert "select upper(query)" in kept[0].definition


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(empty_database: str, sql_copy: Path) -> None:
    install(empty_database)
    file = sql_copy / "migrations" / "0001.engine.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert install(empty_database).migrations == []  # other line ends are no change
    file.write_text(file.read_text() + "-- one more line\n")
    with pytest.raises(CheckFailedError, match=r"changed after they had been applied: 0001\.engine"):
        install(empty_database)


def test_a_database_of_a_newer_release_is_refused(empty_database: str, sql_copy: Path) -> None:
    (sql_copy / "migrations" / "0999.later.sql").write_text("-- depends: 0001.engine\ncreate table pgvec.later ();\n")
    install(empty_database)
    (sql_copy / "migrations" / "0999.later.sql").unlink()
    with pytest.raises(CheckFailedError, match=r"does not know: 0999\.later") as refused:
        install(empty_database)
    assert "newer" in str(refused.value.hint)


# ---- faults in the middle


def test_a_migration_begins_in_a_session_that_is_like_new(empty_database: str, sql_copy: Path) -> None:
    texts = {
        "0997.before": "create table pgvec.before as SESSION",
        "0998.leaves": "set statement_timeout = '5min'; set default_transaction_read_only = on;"
        " set search_path = public; set role pg_monitor; create temporary table left_over ();",
        "0999.after": "create table pgvec.after as SESSION",
    }
    session = (
        "select current_user::text as what union all select count(*) || ' temporary tables' from pg_class"
        " where relnamespace = pg_my_temp_schema() union all"
        " select name || ' ' || setting from pg_settings where source = 'session'"
    )
    for name, text in texts.items():
        (sql_copy / "migrations" / f"{name}.sql").write_text(text.replace("SESSION", session))
    install(empty_database)
    with installation.connect(empty_database) as connection:
        before, after = (
            connection.execute(f"select what from pgvec.{name} order by what".encode()).fetchall()
            for name in ("before", "after")
        )
    assert after == before


def test_a_bad_migration_is_named_and_rolled_back_and_those_before_it_stay(empty_database: str, sql_copy: Path) -> None:
    bad = sql_copy / "migrations" / "0999.bad.sql"
    bad.write_text("-- depends: 0001.engine\ncreate table pgvec.half ();\nselect 1/0;\n")
    with pytest.raises(PgvecError, match=r"sql/migrations/0999\.bad\.sql: division by zero"):
        install(empty_database)
    assert ask(empty_database, "select to_regclass('pgvec.half'), to_regclass('pgvec.collections')::text") == [
        (None, "pgvec.collections")
    ]
    bad.unlink()
    assert install(empty_database).migrations == []


def test_a_bad_function_file_is_named_with_its_line_and_no_function_is_changed(
    empty_database: str, sql_copy: Path
) -> None:
    install(empty_database)
    before = catalog(empty_database)
    good = installation.function_file("pgvec.any_lexeme", sql_copy)
    good.write_text(good.read_text().replace("-- pgvec.any_lexeme", "-- changed\n-- pgvec.any_lexeme"))
    bad = installation.function_file("pgvec.headline", sql_copy)
    bad.write_text("-- one\n-- two\ncreate or replace funktion pgvec.headline() returns int;\n")
    with pytest.raises(PgvecError, match=r'words/headline\.sql:3: syntax error at or near "funktion"'):
        install(empty_database)
    assert catalog(empty_database) == before
    assert ask(empty_database, "select max(version) from pgvec.function_history") == [(1,)]


def test_a_run_cut_off_between_a_migration_and_its_note_is_finished_by_the_next(empty_database: str) -> None:
    install(empty_database)
    before = catalog(empty_database)
    ask(empty_database, "select pgvec.create_collection('kept', 2)")
    # the state after a kill: the tables exist, and neither yoyo nor the ledger of texts knows
    ask(empty_database, "delete from pgvec._yoyo_migration")
    ask(empty_database, "delete from pgvec.migration_files")
    assert install(empty_database).migrations == [path.stem for path in migrations.paths()]
    assert ask(empty_database, "select name from pgvec.list_collections()") == [("kept",)]
    ask(empty_database, "select pgvec.drop_collection('kept')")
    assert catalog(empty_database) == before


def test_a_killed_run_leaves_no_lock_behind(empty_database: str) -> None:
    install(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(%s)", (migrate.LOCK,))
        waiting = subprocess.Popen(
            [COMMAND, "migrate", "--database-url", empty_database], stderr=subprocess.PIPE, text=True
        )
        assert waiting.stderr is not None
        assert waiting.stderr.readline() == "waiting for another run of pgvec-admin to end\n"
        waiting.kill()
        waiting.wait()
        waiting.stderr.close()
        victim = holder.info.backend_pid
        ask(empty_database, "select pg_terminate_backend(%s)", victim)
    assert install(empty_database).functions == []


def test_a_table_in_use_is_told_after_the_lock_timeout(empty_database: str, sql_copy: Path) -> None:
    install(empty_database)
    (sql_copy / "migrations" / "0999.later.sql").write_text(
        "-- depends: 0001.engine\nalter table pgvec.collections add column if not exists later int;\n"
    )
    with psycopg.connect(empty_database) as user:
        user.execute("select * from pgvec.collections")
        with pytest.raises(CheckFailedError, match="a table is in use") as refused:
            install(empty_database, lock_timeout=0.2)
        assert "--lock-timeout" in str(refused.value.hint)
    assert install(empty_database).migrations == ["0999.later"]


def test_an_upgrade_that_finds_nothing_to_do_waits_for_no_search_and_no_write(database: str) -> None:
    with installation.connect(database) as maker:
        fill(maker)
    with (
        installation.connect(database) as user,
        user.transaction(),
        installation.connect(database) as operator,
    ):
        assert answers(user)
        for name in COLLECTIONS:
            user.execute(f"update {name} set embedding = embedding".encode())
        operator.execute("set lock_timeout = '1s'")
        operator.execute("select pgvec.upgrade_collections()")
        assert operator.execute("select to_regclass('pg_temp.pgvec_renewed_view')").fetchone() == (None,)
