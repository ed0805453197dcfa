"""Tables of others: what their owners make of them runs as these owners, or as whoever writes, and never as the engine's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from pytest_postgresql.factories import postgresql

import installation
from conftest import Connection, filled, opened
from pgvec_admin import embedded

TENANT = "00000000-0000-4000-8000-00000000000a"

# `app` owns tables, and is nothing else; whatever of its code runs notes as whom
FILL = f"""
do $$ begin create role app login; exception when duplicate_object then null; end $$;
grant usage on schema extensions to app;
grant create on schema public to app;
create table public.seen (who text, what text);
grant insert, select on public.seen to public;
create schema theirs authorization app;
select set_config('app.tenant_id', '{TENANT}', false);
set role app;
create function theirs.note(what text) returns boolean language plpgsql as $$
begin insert into public.seen values (current_user, what); return true; end $$;
create function theirs.noting() returns trigger language plpgsql as $$
begin perform theirs.note(tg_name || ' ' || tg_op); return coalesce(new, old); end $$;
create table public.crates (id int primary key, title text, embedding extensions.vector(2));
create table public.jobs (id int primary key, title text, embedding extensions.vector(2));
insert into public.crates select i, 'red fish ' || i, '[1,2]' from generate_series(1, 5) as i;
insert into public.jobs select i, 'red fish ' || i, '[1,2]' from generate_series(1, 5) as i;
reset role;
select pgvec.adopt_collection('crates', 'public.crates', content_columns => '{{title}}', add_columns => true);
select pgvec.adopt_collection('jobs', 'public.jobs', content_columns => '{{title}}');
select pgvec.create_collection('documents', 2);
select pgvec.create_collection('notes', 2, access => 'tenant');
select pgvec.create_collection('parts', 2, access => 'tenant', partition => 2);
alter table public.documents owner to app;
alter table public.notes owner to app;
alter table pgvec.parts_p0 owner to app;
alter table pgvec.parts_p1 owner to app;
"""
TABLES = {"crates": "title", "jobs": "title", "documents": "content", "notes": "content", "parts": "content"}

with_owners = filled("owners", lambda connection: _fill(connection))
copy = postgresql("with_owners")


def _fill(connection: Connection) -> None:
    with installation.connect(installation.as_superuser(connection.info.dsn)) as administrator:
        administrator.execute(FILL)


@pytest.fixture
def owned(server: embedded.Server, copy: Connection) -> Iterator[Connection]:
    with opened(server, copy) as connection:
        connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
        yield connection


@contextmanager
def _as(connection: Connection, role: str) -> Iterator[Connection]:
    with installation.connect(installation.as_superuser(connection.info.dsn)) as acting:
        acting.execute(f"set session authorization {role}".encode())
        acting.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
        yield acting


def _as_app(connection: Connection, *statements: str) -> None:
    with _as(connection, "app") as app:
        for statement in statements:
            app.execute(statement.encode())


def _seen(connection: Connection) -> set[str]:
    return {row[0] for row in connection.execute("select distinct who from public.seen").fetchall()}


def _write(connection: Connection, table: str, first: int, rows: int) -> None:
    """Texts of growing length, so that the average moves, and the weights are renewed on the way."""
    text = TABLES[table]
    tenant = f"tenant_id, {text}" if table in ("notes", "parts") else text
    value = f"'{TENANT}'::uuid, " if table in ("notes", "parts") else ""
    for number in range(first, first + rows):
        connection.execute(
            f"insert into {table} (id, {tenant}, embedding) values"
            f" (%s, {value}repeat('word' || %s || ' ', %s), '[1,2]')".encode(),
            (number, number, 1 + number % 50),
        )


@pytest.mark.parametrize("table", TABLES)
def test_triggers_of_a_tables_owner_run_as_that_owner(owned: Connection, table: str) -> None:
    real = {"parts": ["pgvec.parts_p0", "pgvec.parts_p1"]}.get(table, [f"public.{table}"])
    if table == "parts":
        with installation.connect(installation.as_superuser(owned.info.dsn)) as administrator:
            administrator.execute("grant usage on schema pgvec to app")
            administrator.execute("grant execute on function pgvec.allowed_tenants() to app")
    _as_app(
        owned,
        *(f"create trigger a_noting before insert or update on {name} for each row execute function theirs.noting()"
          for name in real),
        *(f"create trigger z_noting after insert or update on {name} for each row execute function theirs.noting()"
          for name in real),
    )  # fmt: skip
    with _as(owned, "app") as app:
        if table == "parts":
            owned.execute("grant insert, select, update on parts to app")
            owned.execute("create policy app_too on parts to app using (true) with check (true)")
        _write(app, table, 100, 120)
    assert _seen(owned) == {"app"}
    # and where a stronger role asks for the words to be counted again, also the weights are the owner's to write
    with installation.connect(installation.as_superuser(owned.info.dsn)) as administrator:
        if table == "parts":
            with pytest.raises(psycopg.Error, match="triggers of weaker roles could run") as told:
                administrator.execute("select pgvec.refresh_statistics('parts', null)")
            assert told.value.sqlstate == "PV004"
            return
        before = administrator.execute("select count(*) from public.seen").fetchone()
        renewed = administrator.execute("select renewed from pgvec.refresh_statistics(%s, null)", (table,)).fetchone()
        assert administrator.execute("show role").fetchone() == ("none",)
        after = administrator.execute("select count(*) from public.seen").fetchone()
    assert renewed is not None
    if table == "jobs":
        assert before == after, "the side table is the engine's own"
    else:
        assert before != after, "weights were written"
        assert renewed[0] > 0
    assert _seen(owned) == {"app"}


TYPES = {
    "a domain": "create domain theirs.odd as {type} check (theirs.note('domain'))",
    "a cast": "create type theirs.odd as (v {type});"
    "create function theirs.to_plain(theirs.odd) returns {type} language plpgsql as"
    " $$ begin perform theirs.note('cast'); return ($1).v; end $$;"
    "create function theirs.from_plain({type}) returns theirs.odd language plpgsql as"
    " $$ begin perform theirs.note('cast'); return row($1)::theirs.odd; end $$;"
    "create cast (theirs.odd as {type}) with function theirs.to_plain as implicit;"
    "create cast ({type} as theirs.odd) with function theirs.from_plain as implicit",
}
COLUMNS = [
    ("crates", "title"), ("crates", "embedding"), ("crates", "fts"), ("crates", "bm25"), ("crates", "content_hash"),
    ("crates", "embedded_hash"), ("jobs", "title"), ("jobs", "embedding"),
    *((table, column) for table in ("documents", "notes") for column in (
        "source", "content", "language", "embedding", "embedded_hash", "content_hash", "fts", "bm25", "updated_at")),
]  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_types_of_a_tables_owner_run_nothing_as_anybody_else(
    owned: Connection, table: str, column: str, kind: str
) -> None:
    found = owned.execute(
        "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = %s::regclass and attname = %s",
        (f"public.{table}", column),
    ).fetchone()
    assert found is not None
    view = "drop view pgvec.adopted_crates, pgvec.adopted_jobs"
    with installation.connect(installation.as_superuser(owned.info.dsn)) as administrator:
        administrator.execute(view)  # else it would keep the column's type as it is
        for name in ("documents", "notes"):
            administrator.execute(f"drop index if exists {name}_source_idx, {name}_stale_idx, {name}_fts_idx")
        administrator.execute("drop index crates_fts_idx")
    changed = True
    with _as(owned, "app") as app:
        app.execute(TYPES[kind].format(type=found[0]).encode())
        try:
            app.execute(f"alter table public.{table} alter column {column} type theirs.odd using null".encode())
        except psycopg.errors.Error:
            app.execute(f"alter table public.{table} alter column {column} drop not null".encode())
            app.execute(f"alter table public.{table} alter column {column} drop default".encode())
            app.execute(f"alter table public.{table} alter column {column} type theirs.odd using null".encode())
        for statement in _statements(table):
            try:
                app.execute(statement.encode())
            except psycopg.Error as error:
                changed = False
                assert table not in ("crates", "jobs") or column in ("title", "embedding"), error
    with _as(owned, "pgvec_writer") as writer:
        for call in ("pgvec.refresh_statistics('{}')", "pgvec.keyword_statistics('{}')", "keyword_search('fish', collection => '{}')",
                     "match_documents('[1,2]', collection => '{}')"):  # fmt: skip
            try:
                writer.execute(f"select * from {call.format(table)}".encode())
            except psycopg.Error:
                changed = False
    assert _seen(owned) <= {"app", "pgvec_writer"}
    assert _seen(owned) or not changed or kind == "a cast", "the type does note who uses it"


def _statements(table: str) -> list[str]:
    """What the application writes, by plain values that its types take."""
    text = TABLES[table]
    tenant = ("tenant_id, ", f"'{TENANT}'::uuid, ") if table == "notes" else ("", "")
    return [
        f"insert into {table} ({tenant[0]}id) values ({tenant[1]}'900')",
        f"insert into {table} ({tenant[0]}id, embedding) values ({tenant[1]}'901', '[1,2]')",
        f"update {table} set {text} = 'blue fish' where id = '900'",
        f"update {table} set embedding = '[2,1]' where id = '901'",
        f"delete from {table} where id = '901'",
    ]


def test_who_searches_for_tenants_of_a_weaker_owners_table_is_told(owned: Connection) -> None:
    owned.execute("grant select on notes, parts to pgvec_reader")
    with _as(owned, "pgvec_reader") as reader:
        for table in ("notes", "parts"):
            with pytest.raises(psycopg.Error) as told:
                reader.execute(f"select * from match_documents('[1,2]', collection => '{table}')".encode())
            assert told.value.sqlstate == "PV006"
            assert "owner" in (told.value.diag.message_hint or "")


def test_nobody_but_the_owner_attaches_a_trigger_of_ours(owned: Connection) -> None:
    functions = owned.execute(
        "select p.oid::regprocedure::text, r.rolname from pg_proc as p, pg_roles as r"
        " where p.pronamespace = 'pgvec'::regnamespace and p.prorettype = 'trigger'::regtype"
        " and r.rolname in ('pgvec_reader', 'pgvec_writer', 'app')"
        " and has_function_privilege(r.oid, p.oid, 'execute')"
    ).fetchall()
    assert functions == []


ATTACHED: dict[str, Any] = {
    "pgvec.maintain_document('english', 'documents', 'open')": "before insert on {} for each row",
    "pgvec.maintain_adopted('jobs')": "after insert on {} for each row",
    "pgvec.count_lexemes('documents', 'id')": "after insert on {} referencing new table as new_rows for each statement",
}


@pytest.mark.parametrize("function", ATTACHED)
def test_a_trigger_of_ours_works_on_the_table_of_its_collection_alone(owned: Connection, function: str) -> None:
    owned.execute("create table elsewhere (like public.jobs)")
    owned.execute(f"create trigger t {ATTACHED[function].format('elsewhere')} execute function {function}".encode())
    with pytest.raises(psycopg.Error, match="is not the table of collection") as told:
        owned.execute("insert into elsewhere (id) values (1)")
    assert told.value.sqlstate == "PV004"
