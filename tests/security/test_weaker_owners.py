"""Tables of others: code of their owners runs as these owners, or as the role that writes, and as nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import installation
from conftest import Connection, copied, filled
from pgvec_admin.server import embedded

TENANT = "00000000-0000-4000-8000-00000000000a"

# `owning_app` owns tables, and has no other rights; all of its code records the role that it runs as
APP = f"""
do $$ begin create role owning_app login; exception when duplicate_object then null; end $$;
grant owning_app to {installation.ROLE};
grant usage on schema {installation.VECTOR_SCHEMA} to owning_app;
grant create on schema public to owning_app;
create table public.seen (who text, what text);
grant insert, select on public.seen to public;
create schema theirs authorization owning_app;
grant usage on schema theirs to {installation.ROLE};
set role owning_app;
create function theirs.note(what text) returns boolean language plpgsql as $$
begin insert into public.seen values (current_user, what); return true; end $$;
create function theirs.noting() returns trigger language plpgsql as $$
begin perform theirs.note(tg_name || ' ' || tg_op); return coalesce(new, old); end $$;
create table public.jobs (id int primary key, title text, embedding extensions.vector(2));
insert into public.jobs select i, 'red fish ' || i, '[1,2]' from generate_series(1, 5) as i;
"""
COLLECTIONS = f"""
select set_config('app.tenant_id', '{TENANT}', false);
create table public.crates (id int primary key, title text, embedding extensions.vector(2));
insert into public.crates select i, 'red fish ' || i, '[1,2]' from generate_series(1, 5) as i;
select pgvec.adopt_collection('crates', 'public.crates', content_columns => '{{title}}', add_columns => true);
select pgvec.adopt_collection('jobs', 'public.jobs', content_columns => '{{title}}');
select pgvec.create_collection('documents', 2);
select pgvec.create_collection('notes', 2, access => 'tenant');
select pgvec.create_collection('parts', 2, access => 'tenant', partition => 2);
"""
GIVEN_AWAY = f"""
alter table public.crates owner to owning_app;
alter table public.documents owner to owning_app;
alter table public.notes owner to owning_app;
alter table pgvec.parts_p0 owner to owning_app;
alter table pgvec.parts_p1 owner to owning_app;
revoke owning_app from {installation.ROLE};
"""
TABLES = {"crates": "title", "jobs": "title", "documents": "content", "notes": "content", "parts": "content"}

pytestmark = pytest.mark.skipif(
    installation.OWNER,
    reason="the stronger role here is a superuser who installs; a plain owner has no right to others' tables",
)

with_owners = filled("owners", lambda connection: _fill(connection))
copy = copied("with_owners")


def _administrator(connection: Connection) -> Connection:
    return installation.connect(make_conninfo(connection.info.dsn, user=embedded.SUPERUSER))


def _fill(connection: Connection) -> None:
    with _administrator(connection) as administrator:
        administrator.execute(APP)
        connection.execute(COLLECTIONS)
        administrator.execute("reset role")
        administrator.execute(GIVEN_AWAY)


@pytest.fixture
def owned(copy: str) -> Iterator[Connection]:
    with installation.connect(copy) as connection:
        connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
        yield connection


@contextmanager
def _as(connection: Connection, role: str) -> Iterator[Connection]:
    with _administrator(connection) as acting:
        acting.execute(f"set session authorization {role}".encode())
        acting.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
        yield acting


def _as_app(connection: Connection, *statements: str) -> None:
    with _as(connection, "owning_app") as app:
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
        with _administrator(owned) as administrator:
            administrator.execute("grant usage on schema pgvec to owning_app")
            administrator.execute("grant execute on function pgvec.allowed_tenants() to owning_app")
    _as_app(
        owned,
        *(f"create trigger a_noting before insert or update on {name} for each row execute function theirs.noting()"
          for name in real),
        *(f"create trigger z_noting after insert or update on {name} for each row execute function theirs.noting()"
          for name in real),
    )  # fmt: skip
    with _as(owned, "owning_app") as app:
        if table == "parts":
            owned.execute("grant insert, select, update on parts to owning_app")
            owned.execute("create policy app_too on parts to owning_app using (true) with check (true)")
        _write(app, table, 100, 120)
    assert _seen(owned) == {"owning_app"}
    # and where a stronger role counts the words again, it leaves the weights to the owner
    noted = "select count(*) from public.seen"
    with _administrator(owned) as administrator:
        before = administrator.execute(noted).fetchone()
        told: list[str] = []
        administrator.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        [(renewed,)] = administrator.execute(
            "select renewed from pgvec.refresh_statistics(%s, null)", (table,)
        ).fetchall()
        assert administrator.execute(noted).fetchone() == before
        assert (renewed > 0, bool(told)) == ((True, False) if table == "jobs" else (False, True))
        if table in ("jobs", "parts"):
            return
        administrator.execute("grant pgvec_writer to owning_app")
    with _as(owned, "owning_app") as app:
        [(renewed,)] = app.execute("select renewed from pgvec.refresh_statistics(%s, null)", (table,)).fetchall()
    assert renewed > 0
    assert _seen(owned) == {"owning_app"}


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
    with _administrator(owned) as administrator:
        administrator.execute(view)  # otherwise it would block a change of the column's type
        for name in ("documents", "notes"):
            administrator.execute(f"drop index if exists {name}_source_idx, {name}_stale_idx, {name}_fts_idx")
        administrator.execute("drop index crates_fts_idx")
    changed = True
    with _as(owned, "owning_app") as app:
        app.execute(TYPES[kind].format(type=found[0]).encode())
        try:
            app.execute(f"alter table public.{table} alter column {column} type theirs.odd using null".encode())
        except psycopg.errors.Error:
            app.execute(f"alter table public.{table} alter column {column} drop not null".encode())
            app.execute(f"alter table public.{table} alter column {column} drop default".encode())
            app.execute(f"alter table public.{table} alter column {column} type theirs.odd using null".encode())
        for statement in _statements(table):
            refused = _refused(app, statement)
            changed = changed and not refused
            assert not refused or table not in ("crates", "jobs") or column in ("title", "embedding"), refused
    with _as(owned, "pgvec_writer") as writer:
        for call in (
            "pgvec.refresh_statistics('{}')",
            "pgvec.keyword_statistics('{}')",
            "keyword_search('fish', collection => '{}')",
            "match_documents('[1,2]', collection => '{}')",
        ):
            changed = not _refused(writer, f"select * from {call.format(table)}") and changed
    assert _seen(owned) <= {"owning_app", "pgvec_writer"}
    assert _seen(owned) or not changed or kind == "a cast", "the type does note who uses it"


def _refused(connection: Connection, statement: str) -> str:
    """Run it; returns the server's error, or nothing."""
    try:
        connection.execute(statement.encode())
    except psycopg.Error as error:
        return str(error)
    return ""


def _statements(table: str) -> list[str]:
    """The application's writes, with plain values that its types accept."""
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
        " and r.rolname in ('pgvec_reader', 'pgvec_writer', 'owning_app')"
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


# the attempts of a role to gain every right it can while its code runs
GRAB = """
create function theirs.grab() returns boolean language plpgsql as $$
begin
  perform set_config('role', 'none', true);
  if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    insert into public.seen values ('superuser', 'grab');
  end if;
  return true;
exception when others then
  return true;
end $$;
create function theirs.grabbing() returns trigger language plpgsql as $$
begin perform theirs.grab(); return coalesce(new, old); end $$;
"""
PLANTED = {
    "a trigger": "create trigger zz before insert or update on {0} for each row execute function theirs.grabbing()",
    "a deferred trigger": "create constraint trigger zz after insert or update on {0} deferrable initially deferred"
    " for each row execute function theirs.grabbing()",
    "a policy": "drop policy if exists read_all on {0}; create policy p on {0} using (theirs.grab())",
    "a check": "alter table {0} add check (theirs.grab())",
    "an index": "alter function theirs.grab() immutable; create index on {0} ((theirs.grab()))",
    "a default": "alter table {0} add column odd boolean default theirs.grab()",
    "a generated column": "alter function theirs.grab() immutable;"
    "alter table {0} add column odd boolean generated always as (theirs.grab()) stored",
    "a cast": "create type theirs.mood as enum ('a'); alter table {0} add column mood theirs.mood default 'a';"
    "create function theirs.told(theirs.mood) returns json language sql as $$ select to_json(theirs.grab()) $$;"
    "create cast (theirs.mood as json) with function theirs.told(theirs.mood)",
    "a rule": "create rule zz as on update to {0} do also select theirs.grab()",
}
ASKED = [
    "select * from pgvec.refresh_statistics('{0}', null)",
    "select * from pgvec.upgrade_collections()",
    "select * from pgvec.verify('{0}', 0.1)",
    "select * from pgvec.list_collections()",
    "select * from pgvec.collection_stats()",
    "select * from pgvec.verify_tenants()",
]


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("table", ["crates", "jobs", "documents", "notes"])
def test_a_superuser_who_looks_after_a_table_runs_nothing_of_its_owners(
    owned: Connection, table: str, planted: str
) -> None:
    _as_app(owned, GRAB)
    with _administrator(owned) as administrator:
        _as_app(owned, PLANTED[planted].format(f"public.{table}"))
        administrator.execute("truncate public.seen")
        for statement in ASKED:
            with suppress(psycopg.Error):
                administrator.execute(statement.format(table).encode())
        assert _seen(owned) == set()


def test_a_cast_that_is_made_later_does_not_run_by_searching(owned: Connection) -> None:
    _as_app(
        owned,
        GRAB,
        "create type theirs.mood as enum ('a', 'b')",
        "create table public.moods (id int primary key, title text, mood theirs.mood, moods theirs.mood[],"
        " embedding extensions.vector(2))",
        "insert into public.moods values (1, 'red fish', 'a', '{a,b}', '[1,2]')",
    )
    with _administrator(owned) as administrator:
        administrator.execute("select pgvec.adopt_collection('moods', 'public.moods', content_columns => '{title}')")
        _as_app(owned, PLANTED["a cast"].split("default 'a';")[1])
        administrator.execute("truncate public.seen")
        [(metadata,)] = administrator.execute(
            "select metadata from match_documents('[1,2]', collection => 'moods')"
        ).fetchall()
        assert metadata == {"mood": "a", "moods": ["a", "b"]}
        assert _seen(owned) == set()


def test_columns_are_not_added_to_a_weaker_roles_table(owned: Connection) -> None:
    _as_app(owned, "create table public.more (id int primary key, title text)")
    with (
        _administrator(owned) as administrator,
        pytest.raises(psycopg.Error, match="would run its triggers as") as told,
    ):
        administrator.execute(
            "select pgvec.adopt_collection('more', 'public.more', dimensions => 2, content_columns => '{title}',"
            " add_columns => true)"
        )
    assert told.value.sqlstate == "PV004"


def test_a_trigger_that_was_made_while_that_was_granted_does_not_run_as_the_engine(owned: Connection) -> None:
    with _administrator(owned) as administrator:
        administrator.execute("alter table public.documents owner to current_user")
        administrator.execute("grant trigger on public.documents to owning_app")
        _as_app(
            owned,
            "create trigger zz before update on public.documents for each row execute function theirs.noting()",
        )
        administrator.execute("revoke trigger on public.documents from owning_app")
    with _as(owned, "pgvec_writer") as writer:
        _write(writer, "documents", 100, 60)
    assert _seen(owned) <= {"pgvec_writer"}


def test_functions_of_others_in_public_neither_lead_nor_stop_what_is_made_for_a_collection(owned: Connection) -> None:
    _as_app(
        owned,
        'create function public.hybrid_search("a, collection b" text, x int, "text)returns int return 1;select(" int)'
        " returns int language sql return 1",
        "create function public.zzz() returns int language sql return 1",
        "comment on function public.zzz() is 'x of collection crates.'",
        "create function public.match_documents(collection text, query_embedding extensions.vector, match_count int)"
        " returns int language sql return 1",
    )
    with _administrator(owned) as administrator:
        administrator.execute("select pgvec.upgrade_collections()")
        made = administrator.execute("select * from pgvec.create_collection_api('crates')").fetchall()
        assert len(made) == 3
        again = administrator.execute("select * from pgvec.create_collection_api('crates')").fetchall()
        assert len(again) == 3
        administrator.execute("insert into documents (id, content, embedding) values ('1', 'red fish', '[1,2]')")
        assert administrator.execute("select id from match_documents('[1,2]')").fetchall() == [("1",)]
