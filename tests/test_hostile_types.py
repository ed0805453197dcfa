"""What a caller makes in pg_temp, and what a weaker role owns, never runs as anybody else.

A caller plants a twin of every type, relation, function and operator name in pg_temp, each of which leaves a lasting mark
when somebody else than the caller runs it, and then calls every function that it may call, in many ways.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pytest_postgresql.factories import postgresql

import installation
from conftest import Connection, filled
from pgvec_admin import embedded

TENANT = "00000000-0000-4000-8000-00000000000a"
MARK = 666  # an advisory lock of a session, which no rollback takes back

FILL = f"""
select set_config('app.tenant_id', '{TENANT}', false);
select pgvec.create_collection('documents', 2);
select pgvec.create_collection('notes', 2, access => 'tenant');
select pgvec.create_collection('parts', 2, access => 'tenant', partition => 2);
select pgvec.create_collection('mine', 2, access => 'policy');

insert into documents (id, content, metadata, embedding, source, chunk_index, language)
select i::text, 'red fish number ' || i, '{{"lang": "en", "n": 1, "tags": ["a"], "day": "2026-01-31"}}', array[1, i]::real[]::extensions.vector,
       'a.md', i, case when i % 2 = 0 then 'german' end
  from generate_series(1, 20) as i;
insert into notes (id, content, metadata, embedding) select d.id, d.content, d.metadata, d.embedding from documents as d;
insert into parts (id, content, metadata, embedding) select d.id, d.content, d.metadata, d.embedding from documents as d;
insert into mine (id, content, metadata, embedding) select d.id, d.content, d.metadata, d.embedding from documents as d;
create policy all_of_it on mine for all using (true) with check (true);
grant select, insert, update, delete on mine to pgvec_reader;
create table jobs (id int primary key, title text, place text, paid numeric, since date, embedding extensions.vector(2));
insert into jobs select i, 'red fish ' || i, 'here', i, '2026-01-31', array[1, i]::real[]::extensions.vector from generate_series(1, 20) as i;
select pgvec.adopt_collection('jobs', 'public.jobs', content_columns => '{{title}}');
create table crates (id int primary key, title text, embedding extensions.vector(2));
insert into crates select i, 'red fish ' || i, array[1, i]::real[]::extensions.vector from generate_series(1, 20) as i;
select pgvec.adopt_collection('crates', 'public.crates', content_columns => '{{title}}', add_columns => true);
select pgvec.create_collection_api('jobs');
grant select, insert, update, delete on jobs, crates to pgvec_reader;
"""
COLLECTIONS = ("documents", "notes", "parts", "mine", "jobs", "crates")

with_collections = filled("hostile", lambda connection: _fill(connection))
database = postgresql("with_collections")


def _fill(connection: Connection) -> None:
    connection.execute(FILL)


@contextmanager
def _acting(dsn: str, member_of: str) -> Iterator[Connection]:
    """A session of mallory's, who is a member of that role and nothing else."""
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
    """Run what can be run; how many could."""
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
    """In pg_temp: a twin for each name that a function of ours could look for."""
    connection.execute(EVIL)
    types = connection.execute(
        "select quote_ident(n.nspname), quote_ident(t.typname) from pg_catalog.pg_type as t"
        " join pg_catalog.pg_namespace as n on n.oid = t.typnamespace"
        " where t.typtype in ('b', 'r', 'e') and t.typcategory <> 'A' and n.nspname in ('pg_catalog', 'extensions', 'public')"
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


# values of arguments: SQL expressions by the name of an argument, else by its type; the first is the usual one
ROW = "(select c from pgvec.collections as c where c.name = {collection})"
QUERY = "pgvec.keyword_query({collection}, 'red -fish \"number 1\"')"
HITS = "array[row('1', 1, 0.5, 0.5, 1, 1)::pgvec.fused, row('2', 0.5, 0.5, 0.5, 2, 2)::pgvec.fused]"
STEP = "row('column', 'relaxed_order', 40, 20000, 5, 5, false, true, 1)::pgvec.search_step"
FILTERS = [
    "'{}'",
    "'{\"lang\": \"en\"}'",
    """'{"n": {"$gte": 1}, "$or": [{"lang": {"$like": "e%"}}, {"tags": {"$contains": "a"}}], "$text": "red \\"fish number\\""}'""",
    """'{"paid": {"$in": [1, 2.5]}, "since": {"$gt": "2026-01-01"}, "place": {"$ilike": "H%"}, "id": {"$nin": [3]}}'""",
    """'"{\\"lang\\": {\\"$ne\\": \\"de\\"}}"'""",
]
BY_NAME: dict[str, list[str]] = {
    "name": ["{collection}"],
    "filter": FILTERS,
    "query_text": ["'red fish numbr'", "'red -blue \"fish number\"'"],
    "ranking": ["'bm25'", "'ts_rank'", "'ts_rank_cd'"],
    "fusion": ["null", "'rrf'", "'minmax'", "'weighted'"],
    "distance": ["'cosine'", "'l2'"],
    "kind": ["null", "'column'", "'halfvec'", "'binary'"],
    "method": ["'hnsw'", "'ivfflat'"],
    "function": ["'match_documents'"],
    "group_by": ["null", "'source'", "'lang'"],
    "recency_field": ["null", "'day'"],
    "half_life": ["null", "'30 days'"],
    "diversity": ["null", "0.5"],
    "field": ["'lang'", "'tags'"],
    "operator": ["'$eq'", "'$like'", "'$in'", "'$or'"],
    "operand": ["'1'", "'\"a%\"'", "'[1]'", "'[{\"lang\": \"en\"}]'"],
    "condition": ["''"],
    "conditions": ["'\"red fish\" -blue'"],
    "bound": ["'[]'"],
    "documents": ["""'[{"id": "1", "content": "a red fish", "language": "german", "embedding": [1, 2]}, {"content": "new"}]'"""],
    "type": ["'integer'", "'text'", "'date'"],
    "category": ["'N'", "'S'", "'D'"],
    "audience": ["'reader'"],
    "after": ["1"],
    "for_tenant": ["null", f"'{TENANT}'"],
    "row_name": ["'b'"],
    "language": ["'german'"],
    "configuration": ["'english'"],
    "configurations": ["array['english', 'german']"],
    "model": ["'local:x'"],
}
BY_TYPE: dict[str, list[str]] = {
    "text": ["'1'"],
    "text[]": ["array['1', '2']"],
    "uuid": [f"'{TENANT}'"],
    "integer": ["5"],
    "integer[]": ["array[1, 2]"],
    "bigint": ["5"],
    "double precision": ["0.5"],
    "boolean": ["true", "false"],
    "jsonb": ["'{}'"],
    "interval": ["'1 day'"],
    "regclass": ["'public.documents'"],
    "oid": ["1"],
    "tsquery": ["'red'"],
    "tsvector": ["'red'"],
    "timestamp with time zone": ["now()"],
    "extensions.vector": ["'[1,2]'"],
    "extensions.vector[]": ["array['[1,2]']::extensions.vector[]"],
    "pgvec.collections": [ROW],
    "pgvec.keyword_query": [QUERY],
    "pgvec.fused[]": [HITS],
    "pgvec.search_step": [STEP],
    "pgvec.search_step[]": [f"array[{STEP}]"],
    "pgvec.adoptions": ["(select a from pgvec.adoptions as a limit 1)"],
}


def _values(name: str, type_: str) -> list[str]:
    if name == "collection" and type_ == "text":
        return ["{collection}"]
    found = BY_NAME.get(name) if type_ in ("text", "text[]", "jsonb", "uuid", "double precision", "interval") else None
    return found or BY_TYPE[type_]


def _callable(connection: Connection, dsn: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every function of ours that mallory may execute, with the names and types of its arguments."""
    with installation.connect(installation.as_superuser(dsn)) as other:
        rows = other.execute(
            "select p.oid::regproc::text, p.oid::regprocedure::text, p.proargnames[:p.pronargs],"
            " array(select format_type(t, null) from unnest(p.proargtypes) with ordinality as a (t, n) order by n)"
            " from pg_catalog.pg_proc as p join pg_catalog.pg_namespace as n on n.oid = p.pronamespace"
            " where n.nspname in ('pgvec', 'public') and has_function_privilege('mallory', p.oid, 'execute')"
            " and p.prorettype <> 'trigger'::regtype and (n.nspname = 'pgvec' or obj_description(p.oid, 'pg_proc') is not null)"
            " and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')"
            " order by 2"
        ).fetchall()
    assert {name.split(".")[0] for name, *_ in rows} >= {"pgvec", "match_documents"}
    return [
        (name if "." in name else f"public.{name}", list(zip(names or [], types, strict=True)))
        for name, _, names, types in rows
    ]


def _calls(connection: Connection, dsn: str) -> Iterator[str]:
    """Calls of each function: for each collection the usual one, then each argument with each of its other values."""
    for name, arguments in _callable(connection, dsn):
        options = [_values(argument, type_.replace("public.vector", "extensions.vector")) for argument, type_ in arguments]
        usual = [values[0] for values in options]
        tuples = [usual]
        for place, values in enumerate(options):
            tuples += [[*usual[:place], other, *usual[place + 1 :]] for other in values[1:]]
        for chosen, collection in itertools.product(tuples, COLLECTIONS):
            typed = (
                f"{value}::{type_}".replace("{collection}", f"'{collection}'")
                for value, (_, type_) in zip(chosen, arguments, strict=True)
            )
            text = ", ".join(f"{value}" for value in typed)
            yield f"select * from {name}({text})"
            if "{collection}" not in "".join(chosen):
                break


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
            yield statement.format(f"public.{collection}", text=text).replace("= '", "= '")


def _marked(dsn: str) -> bool:
    with installation.connect(installation.as_superuser(dsn)) as other:
        found = other.execute(
            "select exists (select from pg_catalog.pg_locks where locktype = 'advisory' and objid = %s)", (MARK,)
        ).fetchone()
    assert found is not None
    return bool(found[0])


def _attack(dsn: str, role: str) -> tuple[list[str], int]:
    """The statements during which something of mallory's ran as somebody else; and how many statements succeeded."""
    guilty, done = [], 0
    with _acting(dsn, role) as mallory:
        _plant(mallory)
        for statement in itertools.chain(_calls(mallory, dsn), _writes()):
            mallory.execute("begin")
            try:
                mallory.execute(sql.SQL("{}").format(sql.SQL(statement)))
                done += 1
            except psycopg.Error:
                pass
            mallory.execute("rollback")
            unlocked = mallory.execute("select pg_catalog.pg_advisory_unlock(%s)", (MARK,)).fetchone()
            if unlocked == (True,):
                guilty.append(statement)
    return guilty, done


@pytest.mark.parametrize("role", ["pgvec_reader", "pgvec_writer"])
def test_nothing_in_a_callers_pg_temp_runs_as_anybody_else(
    role: str, server: embedded.Server, database: Connection
) -> None:
    guilty, done = _attack(installation.as_installer(server.url(database.info.dbname)), role)
    assert guilty == []
    assert done > 300, "most of the calls do something"


def test_the_attack_is_one_on_a_release_that_looked_in_pg_temp_first(empty_database: str) -> None:
    with installation.connect(empty_database) as connection:
        connection.execute(installation.release("0.2.0"))
        connection.execute(FILL)
    guilty, _ = _attack(empty_database, "pgvec_reader")
    called = {statement.partition("(")[0].removeprefix("select * from ") for statement in guilty}
    assert {"public.match_documents", "public.keyword_search", "public.suggest_query"} <= called
