"""What a caller creates in pg_temp never runs as another role.

A caller plants a twin of every type, relation, function and operator name in pg_temp, each of which leaves a lasting
mark when a role other than the caller runs it, and then calls every function that it may call, in many ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

import installation
from conftest import Connection, copied, filled
from every_call import COLLECTIONS, FILL, LATER, TENANT, calls, functions
from properties import FULL

MARK = 666  # a session's advisory lock, which no rollback releases

with_collections = filled("hostile", lambda connection: _fill(connection))
database = copied("with_collections")


def _fill(connection: Connection) -> None:
    connection.execute(FILL + LATER)


@contextmanager
def _acting(dsn: str, member_of: str) -> Iterator[Connection]:
    """A session of mallory, who is a member of that role only."""
    with installation.connect(installation.as_superuser(dsn)) as connection:
        connection.execute("drop role if exists mallory")
        connection.execute(f"create role mallory login in role {member_of}".encode())
        try:
            connection.execute(
                sql.SQL("grant temporary on database {} to mallory").format(sql.Identifier(connection.info.dbname))
            )
            connection.execute("set session authorization mallory")
            connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
            yield connection
        finally:
            connection.execute("reset session authorization")
            connection.execute("discard all")
            connection.execute("drop owned by mallory")
            connection.execute("drop role mallory")


EVIL = f"""
create function pg_temp.evil(v anyelement) returns boolean language plpgsql as $f$
begin
  if current_user::pg_catalog.text operator(pg_catalog.<>) 'mallory' then
    perform pg_catalog.pg_advisory_lock({MARK});
  end if;
  return true;
end $f$
"""


def _try(connection: Connection, *statements: str) -> int:
    """Run the statements that can run; returns how many did."""
    done = 0
    for statement in statements:
        try:
            with connection.transaction():
                connection.execute(statement.encode())
            done += 1
        except psycopg.Error:
            pass
    return done


def _plant(connection: Connection) -> None:
    """In pg_temp: an object for each name that one of our functions could look up."""
    connection.execute(EVIL)
    types = connection.execute(
        "select quote_ident(n.nspname), quote_ident(t.typname) from pg_catalog.pg_type as t"
        " join pg_catalog.pg_namespace as n on n.oid = t.typnamespace"
        " where t.typtype in ('b', 'r', 'e') and t.typcategory <> 'A'"
        " and n.nspname in ('pg_catalog', 'extensions', 'public')"
        " and has_type_privilege(t.oid, 'usage')"
    ).fetchall()
    made = _try(
        connection,
        *(f"create domain pg_temp.{name} as {schema}.{name} check (pg_temp.evil(value))" for schema, name in types),
    )
    assert made > 60, "so many types have a twin"
    relations = connection.execute(
        "select quote_ident(n.nspname), quote_ident(c.relname) from pg_catalog.pg_class as c"
        " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname in ('pg_catalog', 'pgvec', 'public') and c.relkind in ('r', 'v', 'p')"
    ).fetchall()
    made = _try(
        connection,
        *(
            f"create temporary view {name} as select x.* from {schema}.{name} as x where pg_temp.evil(1)"
            for schema, name in relations
        ),
    )
    assert made > 60, "so many relations have a twin"
    functions = connection.execute(
        "select distinct quote_ident(p.proname) from pg_catalog.pg_proc as p"
        " join pg_catalog.pg_namespace as n on n.oid = p.pronamespace"
        " where n.nspname in ('pgvec', 'public', 'extensions')"
        " or p.proname ~ '^(quote_|format|to_|current_|set_config|unnest|array_|jsonb?_|md5|string_|left|length|has_)'"
    ).fetchall()
    made = _try(
        connection,
        *(
            f"create function pg_temp.{name}({type_}) returns boolean language sql as 'select pg_temp.evil(1)'"
            for (name,) in functions
            for type_ in ("pg_catalog.text", "pg_catalog.jsonb")
        ),
    )
    assert made > 400, "so many functions have a twin"
    operands = ("text", "uuid", "jsonb", "float8", "int4", "bool", "tsquery", "tsvector", "regclass", "name")
    _try(
        connection,
        *(
            f"create function pg_temp.compared(a pg_catalog.{type_}, b pg_catalog.{type_}) returns boolean language sql"
            f" as 'select pg_temp.evil(1)'"
            for type_ in operands
        ),
    )
    made = _try(
        connection,
        *(
            f"create operator pg_temp.{name} (function = pg_temp.compared,"
            f" leftarg = pg_catalog.{type_}, rightarg = pg_catalog.{type_})"
            for name in ("=", "<>", "<", ">", "||", "@>", "@@", "->", "->>", "+", "*")
            for type_ in operands
        ),
    )
    assert made > 80, "so many operators have a twin"
    _try(
        connection,
        "create type pg_temp.mood as enum ('en')",
        "create function pg_temp.to_words(pg_temp.mood) returns pg_catalog.text language sql"
        " as $f$ select case when pg_temp.evil(1) then 'en'::pg_catalog.text end $f$",
        "create cast (pg_temp.mood as pg_catalog.text) with function pg_temp.to_words as implicit",
        "create temporary table staged_documents (position bigint, id text, source text, chunk_index int, content text,"
        " metadata jsonb, embedding extensions.vector)",
    )


WRITES = [
    "insert into {} (id, {text}, embedding) values (50, 'a new red fish', '[1,2]')",
    "update {} set {text} = 'another' where id = '2'",
    "update {} set embedding = '[2,1]' where id = '3'",
    "delete from {} where id = '4'",
]


def _writes() -> Iterator[str]:
    for collection in COLLECTIONS:
        text = "title" if collection in ("jobs", "crates") else "content"
        for statement in WRITES:
            yield statement.format(f"public.{collection}", text=text)


def _marked(dsn: str) -> bool:
    with installation.connect(installation.as_superuser(dsn)) as other:
        found = other.execute(
            "select exists (select from pg_catalog.pg_locks where locktype = 'advisory' and objid = %s)", (MARK,)
        ).fetchone()
    assert found is not None
    return bool(found[0])


def _attack(dsn: str, role: str) -> tuple[list[str], set[str]]:
    """The statements during which mallory's code ran as another role; and the functions that did nothing."""
    guilty, done = [], {""}
    with _acting(dsn, role) as mallory:
        _plant(mallory)
        with installation.connect(installation.as_superuser(dsn)) as other:
            called = list(calls(other, "mallory"))
        for name, statement in [*called, *(("", write) for write in _writes())]:
            mallory.execute("begin")
            try:
                mallory.execute(statement.encode())
                done.add(name)
            except psycopg.Error:
                pass
            mallory.execute("rollback")
            unlocked = mallory.execute("select pg_catalog.pg_advisory_unlock(%s)", (MARK,)).fetchone()
            if unlocked == (True,):
                guilty.append(statement)
    return guilty, {name for name, _ in called} - done


# a writer may call all that a reader may
@pytest.mark.parametrize("role", ["pgvec_reader", "pgvec_writer"] if FULL else ["pgvec_writer"])
def test_nothing_in_a_callers_pg_temp_runs_as_anybody_else(role: str, database: str) -> None:
    guilty, idle = _attack(database, role)
    assert guilty == []
    assert idle == set(), "every function was called with something that it takes: see every_call.py"


def test_a_writer_may_call_all_that_a_reader_may(connection: Connection) -> None:
    reader, writer = (functions(connection, role) for role in ("pgvec_reader", "pgvec_writer"))
    assert [function for function in reader if function not in writer] == []


def test_the_attack_is_one_on_a_release_that_looked_in_pg_temp_first(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "VECTOR_SCHEMA", "extensions")  # that release puts pgvector there
    with installation.connect(empty_database) as connection:
        connection.execute(installation.release("0.2.0"))
        connection.execute(FILL)
    guilty, _ = _attack(empty_database, "pgvec_reader")
    called = {statement.partition("(")[0].removeprefix("select * from ") for statement in guilty}
    assert {"public.match_documents", "public.keyword_search", "public.suggest_query"} <= called
