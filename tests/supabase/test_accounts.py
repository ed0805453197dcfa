"""Rows that belong to accounts: what is left in the database once the platform has deleted one."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from accounts import (
    KINDS,
    MARK,
    OURS,
    THEIRS,
    Kind,
    acting,
    add,
    delete,
    search,
    statistics,
    tenant_of,
    traces_of,
    write,
)

import installation
import supabase_project
from command import COMMAND
from installation import Connection
from pgvec_admin.server import embedded
from supabase_project import Project
from traces import tables, traces

_numbers = itertools.count()


@pytest.fixture
def database(platform: embedded.Server, installed: str) -> str:
    """A project's database, as role postgres, which is no superuser."""
    name = f"accounts_{next(_numbers)}"
    supabase_project.create(platform, name, template=installed)
    return supabase_project.conninfo(platform, name)


@pytest.fixture
def owner(database: str) -> Iterator[Connection]:
    """Role postgres in a project with two accounts."""
    with installation.connect(database) as connection:
        add(database)
        yield connection


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_account_takes_all_along_that_there_is_of_it(
    database: str, owner: Connection, kind: Kind, large: bool
) -> None:
    for statement in kind.make.strip().split(";"):
        owner.execute(statement.encode())
    owner.execute("select pgvec.log_searches('documents', 1, texts => true, embeddings => true)")
    if kind.table == "documents" and kind is KINDS["policy"]:
        owner.execute("create policy own on documents using (owner_id = (select auth.uid()))")
        owner.execute("grant select, insert, update, delete on documents to authenticated")
    if kind.table == "posts":
        owner.execute("grant select on posts to authenticated")
    for account, word in ((OURS, MARK), (THEIRS, "fitis")):
        write(owner, kind, account, word)
        tenant = tenant_of(kind, account) if "tenant_id" in kind.columns else None
        search(owner, account, word, tenant)
        owner.execute("insert into pgvec.memberships (member, tenant_id) values (%s, %s)", (account, THEIRS))
        if kind.table == "documents":
            with owner.transaction():
                if tenant:
                    owner.execute("select set_config('app.tenant_id', %s, true)", (tenant,))
                owner.execute("select pgvec.note_load('documents', %s, 'f', 3, %s)", (f"/home/{word}.md", f"{word}/2"))
    if large:
        owner.execute("""update pgvec.collections set settings = settings || '{"live_statistics": 0}'""")
        owner.execute("select pgvec.refresh_statistics('documents')")
    before = traces_of(database, MARK, OURS)
    names = {"pgvec.lexemes", "pgvec.embedding_jobs", "pgvec.search_log", "pgvec.memberships"}
    assert names <= before.keys()
    with acting(database, supabase_project.SUPERUSER) as superuser:
        assert set(tables(superuser)) > names
        theirs = traces(superuser, "fitis", THEIRS)

    delete(database)

    assert traces_of(database, MARK, OURS) == {}
    left = traces_of(database, "fitis", THEIRS)
    # nothing of the other account is gone: parts of counts may be summed
    assert {name: sorted(rows) for name, rows in left.items() if name != "pgvec.lexemes"} == {
        name: sorted(row for row in rows if OURS not in row) for name, rows in theirs.items() if name != "pgvec.lexemes"
    }
    counted = statistics(owner)
    owner.execute("select pgvec.refresh_statistics('documents')")
    fresh = statistics(owner)
    if large:  # counts of common words are behind until they are made again
        assert {row[:2] for row in counted} == {row[:2] for row in fresh}
    else:
        assert counted == fresh
    assert owner.execute(f"select count(*) from {kind.table}".encode()).fetchone() == (6,)
    delete(database, THEIRS)
    assert owner.execute(f"select count(*) from {kind.table}".encode()).fetchone() == (0,)
    assert traces_of(database, "fitis", THEIRS) == {}


def test_an_account_without_rows_takes_its_searches_and_memberships(database: str, owner: Connection) -> None:
    owner.execute("select pgvec.create_collection('documents', 8, owner => 'auth.users')")
    owner.execute("select pgvec.create_collection('other', 8)")
    for name in ("documents", "other"):
        owner.execute("select pgvec.log_searches(%s, 1, texts => true)", (name,))
    search(owner, OURS, MARK, None)
    with owner.transaction():
        owner.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps({"sub": OURS}),))
        owner.execute("select * from keyword_search(%s, collection => 'other')", (MARK,))
    owner.execute("insert into pgvec.memberships (member, tenant_id) values (%s, gen_random_uuid())", (OURS,))
    assert len(traces_of(database, MARK)["pgvec.search_log"]) == 2
    delete(database)
    assert traces_of(database, MARK, OURS) == {}


def test_who_inserts_a_row_through_the_api_owns_it(with_search: Project) -> None:
    add(with_search.database)
    with installation.connect(with_search.database) as owner:
        _check_the_owners(with_search, owner)


def _check_the_owners(with_search: Project, owner: Connection) -> None:
    database = with_search.database
    owner.execute("select pgvec.create_collection('documents', 8, owner => 'auth.users', access => 'policy')")
    owner.execute("create policy own on documents using (owner_id = (select auth.uid()))")
    owner.execute("create policy service on documents to service_role using (true)")
    owner.execute("grant select, insert, update, delete on documents to authenticated, service_role")
    with_search.settle()
    user: dict[str, Any] = {"role": "authenticated", "claims": {"sub": OURS}}
    body = {"id": "1", "content": "mine"}
    assert with_search.call("POST", "documents", json=body, **user).status_code == 201
    upserted = with_search.rpc("upsert_documents", {"documents": {"id": "2", "content": "mine too"}}, **user)
    assert (upserted.status_code, upserted.json()) == (200, ["2"])
    service = with_search.rpc(
        "upsert_documents", {"documents": {"id": "3", "content": "nobody's"}}, role="service_role"
    )
    assert service.status_code == 200
    mixed = [{"id": "7", "content": "theirs too", "owner_id": THEIRS}, {"id": "8", "content": "nobody's either"}]
    assert with_search.rpc("upsert_documents", {"documents": mixed}, role="service_role").json() == ["7", "8"]
    kept = [{"id": "7", "content": "still theirs"}, {"id": "8", "owner_id": THEIRS}]
    assert with_search.rpc("upsert_documents", {"documents": kept}, role="service_role").status_code == 200
    given_away = with_search.rpc("upsert_documents", {"documents": {"id": "2", "owner_id": THEIRS}}, **user)
    assert (given_away.status_code, given_away.json()["code"]) == (403, "42501")
    wrong = with_search.rpc("upsert_documents", {"documents": {"id": "2", "owner_id": "me"}}, **user)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "PV004")
    of_theirs = {"id": "4", "content": "theirs", "owner_id": THEIRS}
    assert with_search.call("POST", "documents", role="service_role", json=of_theirs).status_code == 201
    assert with_search.call("POST", "documents", json=of_theirs | {"id": "5"}, **user).status_code == 403
    with owner.transaction():
        owner.execute("select set_config('app.owner_id', %s, true)", (THEIRS,))
        owner.execute("insert into documents (id, content) values ('6', 'by a program')")
    rows = owner.execute("select id, owner_id::text from documents order by id").fetchall()
    assert rows == [("1", OURS), ("2", OURS), ("3", None), ("4", THEIRS), ("6", THEIRS), ("7", THEIRS), ("8", THEIRS)]
    seen = with_search.call("GET", "documents?select=id&order=id", **user).json()
    assert [row["id"] for row in seen] == ["1", "2"]
    delete(database)
    assert owner.execute("select id from documents order by id").fetchall() == [("3",), ("4",), ("6",), ("7",), ("8",)]
    # the token outlives the account, and writes nothing more
    refused = with_search.call("POST", "documents", json=body, **user)
    assert (refused.status_code, refused.json()["code"]) == (409, "23503")


def test_an_account_goes_while_the_words_are_being_counted(database: str, owner: Connection) -> None:
    kind = KINDS["open"]
    owner.execute(kind.make.encode())
    write(owner, kind, OURS, MARK)
    with installation.connect(database) as counting, counting.transaction():
        counting.execute("select pgvec.refresh_statistics('documents')")
        with acting(database) as platform:
            platform.execute("set statement_timeout = '10s'")
            platform.execute("delete from users where id = %s", (OURS,))
    assert owner.execute("select count(*) from documents").fetchone() == (0,)
    # what the count has seen adds up to nothing, and is removed by the next one
    assert {row[2] for row in statistics(owner)} <= {0}
    owner.execute("select pgvec.refresh_statistics('documents')")
    assert traces_of(database, MARK, OURS) == {}


def test_several_collections_and_other_tables_of_accounts(database: str, owner: Connection) -> None:
    owner.execute("create table organisations (id uuid primary key, name text)")
    owner.execute("create table profiles (id uuid primary key references auth.users on delete cascade, nick text)")
    owner.execute(
        "select pgvec.create_collection('teams', 8, access => 'tenant', owner => 'organisations',"
        " owner_column => 'tenant_id')"
    )
    owner.execute("select pgvec.create_collection('letters', 8, owner => 'public.profiles')")
    owner.execute("select pgvec.create_collection('offers', 8, owner => 'organisations')")
    defaults: dict[str, str] = dict(
        owner.execute(
            "select attrelid::regclass::text, pg_get_expr(adbin, adrelid) from pg_attrdef join pg_attribute"
            " on attrelid = adrelid and attnum = adnum where attname = 'owner_id'"
        ).fetchall()
    )
    assert defaults == {"letters": "pgvec.current_owner()", "offers": "pgvec.current_owner(false)"}
    owner.execute("insert into organisations values (%s, 'one')", (OURS,))
    owner.execute("insert into profiles values (%s, 'one')", (OURS,))
    owner.execute("insert into teams (tenant_id, id, content) values (%s, '1', %s)", (OURS, MARK))
    with owner.transaction():
        owner.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps({"sub": OURS}),))
        owner.execute("insert into letters (id, content) values ('1', %s)", (MARK,))
        owner.execute("insert into offers (id, content) values ('1', 'of no organisation')")
    delete(database)
    assert owner.execute("select count(*) from profiles").fetchone() == (0,)
    assert owner.execute("select count(*) from letters").fetchone() == (0,)
    owner.execute("delete from organisations")
    assert traces_of(database, MARK, OURS) == {}
    assert owner.execute("select owner_id from offers").fetchall() == [(None,)]
    # the trigger goes with the last collection, where the table is ours
    triggers = "select tgrelid::regclass::text from pg_trigger where tgname = 'pgvec_forget_account' order by 1"
    assert owner.execute(triggers).fetchall() == [("organisations",), ("profiles",)]
    owner.execute("select pgvec.drop_collection('teams')")
    owner.execute("select pgvec.detach_collection('letters')")
    assert owner.execute(triggers).fetchall() == [("organisations",)]
    owner.execute("select pgvec.drop_collection('offers')")
    assert owner.execute(triggers).fetchall() == []
    assert owner.execute("insert into letters (id, content) values ('2', 'plain') returning owner_id").fetchone() == (
        None,
    )


def test_accounts_can_be_deleted_once_no_collection_is_left(database: str, owner: Connection) -> None:
    owner.execute(KINDS["open"].make.encode())
    owner.execute("select pgvec.drop_collection('documents')")
    delete(database)
    with acting(database) as platform:
        assert platform.execute("select id::text from users").fetchall() == [(THEIRS,)]


WRONG: dict[str, tuple[str, str]] = {
    "no such table": ("auth.people", "there is no table 'auth.people'"),
    "no name": ("", "there is no table"),
    "three parts": ("a.b.c", "there is no table 'a.b.c'"),
    "injection": ("users; drop table x", "there is no table"),
    "quoted": ('auth."users', "there is no table"),
    "a view": ("seen", "rows cannot belong to"),
    "a number": ("numbered", "its primary key is no uuid"),
    "two columns": ("paired", "its primary key is no uuid"),
    "no key": ("keyless", "its primary key is no uuid"),
    "a domain": ("named", "its primary key is no uuid"),
    "unlogged": ("fleeting", "rows cannot belong to"),
    "of the engine": ("pgvec.collections", "rows cannot belong to"),
    "another's": ("auth.secrets", "may not refer to"),
    "closed": ("vault.users", "may not refer to"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_table_that_rows_cannot_belong_to_is_refused_and_nothing_is_made(
    database: str, owner: Connection, name: str
) -> None:
    owner.execute("create view seen as select 1 as id")
    owner.execute("create table numbered (id bigint primary key)")
    owner.execute("create table paired (a uuid, b uuid, primary key (a, b))")
    owner.execute("create table keyless (id uuid)")
    owner.execute("create domain key as uuid")
    owner.execute("create table named (id key primary key)")
    owner.execute("create unlogged table fleeting (id uuid primary key)")
    with acting(database, supabase_project.SUPERUSER) as superuser:
        superuser.execute("create table auth.secrets (id uuid primary key)")
        superuser.execute("create schema vault; create table vault.users (id uuid primary key)")
    table, says = WRONG[name]
    with pytest.raises(psycopg.Error) as caught:
        owner.execute("select pgvec.create_collection('documents', 8, owner => %s)", (table,))
    assert caught.value.sqlstate == "PV004"
    assert says in str(caught.value.diag.message_primary)
    assert caught.value.diag.message_hint
    assert owner.execute("select to_regclass('documents'), count(*) from pgvec.collections").fetchone() == (None, 0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("select pgvec.create_collection('notes', 8, owner_column => 'owner_id')", "is of no owner"),
        (
            "select pgvec.create_collection('notes', 8, owner => 'auth.users', owner_column => 'tenant_id')",
            "owner_column cannot be 'tenant_id'",
        ),
        (
            "select pgvec.create_collection('notes', 8, owner => 'auth.users', owner_column => 'content')",
            "owner_column cannot be 'content'",
        ),
        (
            "select pgvec.set_owner('documents', 'accounts')",
            "rows of collection 'documents' belong to auth.users by owner_id",
        ),
        ("select pgvec.set_owner('numbered', 'auth.users')", "is no uuid"),
        ("select pgvec.set_owner('posts', 'auth.users')", "has no column that refers to auth.users"),
        ("select pgvec.set_owner('nothing', 'auth.users')", "there is no collection"),
    ],
)
def test_a_column_that_cannot_be_the_owners_is_refused(owner: Connection, call: str, says: str) -> None:
    owner.execute(KINDS["open"].make.encode())
    owner.execute("select pgvec.set_owner('documents', 'auth.users')")  # again, without effect
    owner.execute("create table accounts (id uuid primary key)")
    owner.execute("select pgvec.create_collection('numbered', 8)")
    owner.execute("alter table numbered add column owner_id bigint")
    owner.execute("create table posts (id int primary key, user_id uuid, content text, embedding extensions.vector(8))")
    owner.execute("select pgvec.adopt_collection('posts', 'posts')")
    with pytest.raises(psycopg.Error) as caught:
        owner.execute(call.encode())
    assert says in str(caught.value.diag.message_primary)
    assert caught.value.diag.message_hint


def test_the_deletion_of_an_account_reads_no_table_as_a_whole(database: str, owner: Connection) -> None:
    owner.execute(KINDS["open"].make.encode())
    owner.execute(
        "insert into documents (id, content, owner_id)"
        " select i::text, 'text ' || i, case when i %% 1000 = 0 then %s::uuid else %s::uuid end"
        " from generate_series(1, 5000) as i",
        (OURS, THEIRS),
    )
    owner.execute("analyze documents")
    plan = "\n".join(
        row[0]
        for row in owner.execute(
            "explain delete from only documents where owner_id = %s::uuid".replace("%s", f"'{OURS}'").encode()
        )
    )
    assert "documents_owner_idx" in plan
    for statement in ("owner = '{}'", "tenants[1] = '{}'"):
        owner.execute("set enable_seqscan = off")
        plan = str(
            owner.execute(f"explain select from pgvec.search_log where {statement.format(OURS)}".encode()).fetchall()
        )
        assert "search_log_" in plan
    delete(database)
    assert owner.execute("select count(*) from documents").fetchone() == (4995,)


def test_owners_are_known_to_the_command(database: str, owner: Connection) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PGVEC_DATABASE_URL": database}
        return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, env=environment)

    made = run("collection", "create", "documents", "-d", "8", "--owner", "auth.users")
    assert (made.returncode, made.stderr) == (0, "collection documents: table documents, 8 dimensions, cosine\n")
    assert owner.execute("select owner_table::text, owner_column from pgvec.collections").fetchall() == [
        ("auth.users", "owner_id")
    ]
    refused = run("collection", "create", "other", "-d", "8", "--owner", "auth.people")
    assert "there is no table 'auth.people'" in refused.stderr
    assert "hint: name the table of the accounts" in refused.stderr
