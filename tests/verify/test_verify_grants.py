"""verify in a database with its users' own grants, policies and functions: these stay, and are no fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from damage import FILL, QUICK, known
from psycopg.conninfo import make_conninfo

import installation
from conftest import Connection, copied, filled
from pages import PAGES
from pgvec_admin.database import Target
from pgvec_admin.quality import verification
from pgvec_admin.quality.verification import Check
from pgvec_admin.server import embedded
from supabase_project import SUPERUSER, Project

AUTHOR = "00000000-0000-4000-8000-0000000000aa"


def _fill(connection: Connection) -> None:
    connection.execute(FILL)
    connection.execute("vacuum analyze")


with_grants = filled("granted", _fill)
verified = copied("with_grants")

# Whatever was granted to anybody, and every policy and membership.
ACLS = """
select 'table', r.oid::regclass::text, r.relacl::text
  from pg_class as r where r.relnamespace::regnamespace::text in ('public', 'pgvec')
 union all
select 'column', a.attrelid::regclass || '.' || a.attname, a.attacl::text
  from pg_attribute as a where a.attacl is not null
 union all
select 'function', p.oid::regprocedure::text, p.proacl::text
  from pg_proc as p where p.pronamespace::regnamespace::text in ('public', 'pgvec')
 union all
select 'schema', n.nspname, n.nspacl::text from pg_namespace as n
 union all
select 'policy', concat(tablename, '.', policyname), concat(permissive, roles, cmd, qual, with_check) from pg_policies
 union all
select 'member', m.roleid::regrole::text, m.member::regrole::text from pg_auth_members as m
 order by 1, 2, 3
"""

# A typical project: with its own tables, views, functions, triggers and settings.
HOUSE = f"""
select pgvec.create_collection('journals', 2, access => 'policy', owner => 'auth.users');
select pgvec.create_collection('documents', 2);
select pgvec.create_collection('notes', 2, access => 'tenant', partition => 2);
select pgvec.create_collection('posts', 2, access => 'policy');
create policy own on posts for select to authenticated using (metadata ->> 'author' = (select auth.uid()::text));
create table jobs (
  id bigint primary key, owner uuid default auth.uid(), title text, updated_at timestamptz,
  embedding extensions.vector(2));
alter table jobs enable row level security;
create policy own on jobs to authenticated using (owner = (select auth.uid()));
insert into jobs select i, '{AUTHOR}', 'job number ' || i, now(), '[1,2]' from generate_series(1, 20) as i;
select pgvec.adopt_collection('jobs', 'jobs', content_columns => '{{title}}');
select pgvec.create_collection_api('jobs');
create function public.touch() returns trigger language plpgsql as 'begin new.updated_at := now(); return new; end';
create trigger touch before update on jobs for each row execute function public.touch();
create view open_jobs with (security_invoker = true) as select id, title from jobs;
create table profiles (id uuid primary key, name text);
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = ''
  as 'begin insert into public.profiles (id) values (new.id); return new; end';
create view names as select name from profiles;
create materialized view tally as select count(*) from profiles;
create publication supabase_realtime for table profiles, jobs;
select upsert_documents(
         '[{{"id": "1", "content": "a red fish", "metadata": {{"lang": "en"}}, "embedding": [1, 0]}}]',
         c.name, case c.access when 'tenant' then '{AUTHOR}'::uuid end)
  from pgvec.collections as c
 where c.name <> 'jobs';
"""
ADMINISTRATION = """
do $$ begin
  execute format('grant create on database %I to postgres', current_database());
  execute format('alter role authenticator in database %I set pgrst.db_schemas = %L',
                 current_database(), 'public, graphql_public');
end $$
"""


def _statements() -> list[str]:
    """Every grant and policy that a page tells users to make, and grants to PUBLIC, which are to be found."""
    code = [part for page in PAGES for part in re.findall(r"```.*?```|`[^`\n]+`", page.read_text(), flags=re.S)]
    told = re.findall(r"\b((?:grant|create policy)\s[^`;\"]+?\s(?:to|using)\s[^`;\"\n]+)", "\n".join(code))
    return [one for one in dict.fromkeys(told) if not one.endswith("to public")]


def _on_supabase(statement: str) -> str:
    """A statement on posts as docs/verify.md tells to write it there."""
    return statement.replace("to pgvec_writer", "to authenticated").replace("current_user", "(select auth.uid()::text)")


def _objections(where: Target) -> list[Check]:
    return [one for one in verification.run(where, QUICK) if one.result != "ok" and not known(one)]


@contextmanager
def _role(administrator: str, name: str) -> Iterator[None]:
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(f"create role {name}".encode())
        connection.execute(
            f"grant {name} to postgres with admin option".encode() if SUPERUSER in administrator else b"select"
        )
    try:
        yield
    finally:
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute(f"drop owned by {name}; drop role {name}".encode())


@pytest.fixture
def house(with_search: Project) -> Project:
    with psycopg.connect(make_conninfo(with_search.database, user=SUPERUSER), autocommit=True) as administrator:
        administrator.execute(ADMINISTRATION)
    with psycopg.connect(with_search.database, autocommit=True) as connection:
        connection.execute(HOUSE.encode())
        connection.execute("vacuum analyze")
    with_search.settle()
    return with_search


def test_in_a_project_with_things_of_its_own_nothing_is_found(house: Project) -> None:
    where = Target(house.database, "the test")
    assert _objections(where) == []
    with psycopg.connect(house.database, autocommit=True) as connection:
        attempts = verification.tenants(connection)
    assert [one for one in attempts if not one.passed] == []
    assert {one.role_name for one in attempts} == {"anon", "authenticated"}


def test_a_repair_takes_nothing_away_that_the_pages_tell_to_grant(house: Project) -> None:
    name = house.database
    administrator = make_conninfo(name, user=SUPERUSER)
    said: list[str] = []
    row = {"id": "2", "content": "a blue bird", "metadata": {"author": AUTHOR}, "embedding": "[1,0]"}
    told = [_on_supabase(one) for one in _statements() if "pgvec_" not in one or " on posts " in one]
    assert [one for one in told if re.search(r"grant insert.* on posts to authenticated", one)]
    with _role(administrator, "app"), psycopg.connect(name, autocommit=True) as connection:
        assert house.call("POST", "posts", "authenticated", {"sub": AUTHOR}, json=row).status_code == 403
        for statement in told:
            connection.execute(statement.encode())
        # and of one's own, in the same spirit
        connection.execute(
            "grant select, insert (content, metadata) on posts to app; grant select on pgvec.search_log to app"
        )
        connection.execute(
            "grant select on pgvec.search_log, pgvec.stats to service_role; grant select on posts to public"
        )
        connection.execute(
            "grant execute on function match_documents, pgvec.allowed_tenants, pgvec.stale_documents to app"
        )
        connection.execute("grant insert on jobs to authenticated; grant all on notes to app")
        connection.execute("create policy drafts on documents for select to app using (true)")
        house.settle()
        before = connection.execute(ACLS).fetchall()
        assert house.call("POST", "posts", "authenticated", {"sub": AUTHOR}, json=row).status_code == 201

        found = _objections(Target(name, "the test"))
        verification.fix(Target(name, "the test"), found, said.append)
        assert said == []
        assert {f"{one.area}: {one.check_name}" for one in found} == {
            "privileges: operator functions"
        }  # stale_documents
        assert connection.execute(ACLS).fetchall() == before
        more = house.call("POST", "posts", "authenticated", {"sub": AUTHOR}, json=row | {"id": "3"})
        assert more.status_code == 201
        read = house.call("GET", "posts?select=id", "authenticated", {"sub": AUTHOR})
        assert [one["id"] for one in read.json()] == ["2", "3"]


def test_without_supabase_the_grants_that_the_pages_tell_stay_too(verified: str) -> None:
    where = Target(verified, "the test")
    told = [one for one in _statements() if "pgvec_" in one]
    assert {"grant pgvec_reader to app", "grant insert, update, delete on posts to pgvec_writer"} <= set(told)
    superuser = make_conninfo(where.conninfo, user=embedded.SUPERUSER)
    with installation.connect(where.conninfo) as connection:
        connection.execute("select pgvec.create_collection('posts', 3, access => 'policy')")
    with _role(superuser, "app"), installation.connect(superuser) as connection:
        for statement in told:
            connection.execute(statement)
        before = connection.execute(ACLS).fetchall()
        found = _objections(where)
        verification.fix(where, found, lambda _: None)
        assert found == []
        assert connection.execute(ACLS).fetchall() == before


def test_a_policy_that_is_missing_is_not_put_back_beside_ones_own(verified: str) -> None:
    where = Target(verified, "the test")
    with installation.connect(where.conninfo) as connection:
        connection.execute("drop policy read_all on documents")
        connection.execute("create policy english on documents for select using (metadata ->> 'lang' = 'en')")
        found = [one for one in _objections(where) if one.check_name == "policies"]
        assert [(one.found, one.fix) for one in found] == [("policy read_all is missing", None)]


TRAP = """
returns setof text language plpgsql set search_path = pg_catalog, pg_temp
as $$ begin raise exception 'another was called'; end $$
"""
OVERLOADS = """
select p.proname, oidvectortypes(p.proargtypes), p.pronargs - p.pronargdefaults
  from pg_proc as p
 where p.pronamespace = 'public'::regnamespace
   and exists (select from pgvec.function_history as h where h.name = 'public.' || p.proname)
"""


@pytest.mark.parametrize("more", [False, True], ids=["all texts", "more arguments"])
def test_no_check_calls_another_function_of_a_name(verified: str, more: bool) -> None:
    """Of every function that clients call: those that texts would fit better; and one with more arguments, optional
    ones, beside which PostgreSQL finds no call of ours unique."""
    where = Target(verified, "the test")
    with installation.connect(make_conninfo(where.conninfo, user=embedded.SUPERUSER)) as connection:
        functions = connection.execute(OVERLOADS).fetchall()
        assert len(functions) >= 12
        for name, types, required in functions:
            texts = {", ".join(["text"] * n) for n in range(max(1, required), types.count(",") + 2)}
            for arguments in {f"{types}, more int default 0"} if more else texts - {types}:
                connection.execute(f"create function public.{name}({arguments}) {TRAP}")
        found = {f"{one.area}: {one.check_name}": one for one in _objections(where)}
        found.pop("functions: owner", None)  # where another than the superuser has installed it
        groups = {name for name in found if re.search(r": verify_(access|search)$", name)}
        assert set(found) - groups == {"functions: overloads", "functions: drift", "privileges: grants"}
        assert "functions are called public." in (found["functions: overloads"].found or "")
        assert bool(groups) == more
        assert [name for name in groups if "is not unique" not in (found[name].found or "")] == []
        assert not any("another was called" in (one.found or "") for one in found.values())
        with installation.connect(where.conninfo) as installer:
            assert more or [one for one in verification.tenants(installer) if not one.passed] == []
            verdicts = installer.execute("select area, check_name, result from pgvec.verify(seconds => 0.1)").fetchall()
        made = {(one.area, one.check_name, one.result) for one in verification.run(where, QUICK)}
        assert set(verdicts) == {one for one in made if one[0] != "migrations" and one[1] != "drift"}


def test_a_role_that_bypasses_row_level_security_is_told_by_the_probe(verified: str) -> None:
    where = verified
    superuser = make_conninfo(where, user=embedded.SUPERUSER)
    with installation.connect(superuser) as administrator, installation.connect(where) as connection:
        try:
            administrator.execute("alter role pgvec_writer bypassrls")
            attempts = verification.tenants(connection)
        finally:
            administrator.execute("alter role pgvec_writer nobypassrls")
        failed = {one.attempt for one in attempts if not one.passed}
        assert {one.role_name for one in attempts if not one.passed} == {"pgvec_writer"}
        assert {"reads the table", "inserts for another tenant", "gives a row away", "deletes another's row"} <= failed
        assert verification.probe(attempts).result == "fail"
        assert connection.execute("select count(*) from pgvec.collections").fetchone() == (3,)
