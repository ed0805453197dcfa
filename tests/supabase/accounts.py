"""Accounts of a project, collections whose rows belong to them, and how one is deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

import installation
import supabase_project
from installation import Connection
from traces import traces

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
TEAM = "00000000-0000-4000-8000-00000000000c"  # a tenant with several accounts
MARK = "zilpzalp"  # a word of the account's texts alone
VECTOR = "[1,0,0,0,0,0,0,0]"


@dataclass(frozen=True)
class Kind:
    """How a collection is made, and the columns that say whose row it is."""

    make: str
    columns: tuple[str, ...]
    table: str = "documents"


OWNED = "select pgvec.create_collection('documents', 8, model => 'openai:test', owner => 'auth.users'{})"
ADOPTED = """
create table posts (id {key} primary key, user_id uuid references auth.users on delete cascade,
                    content text, metadata jsonb, embedding extensions.vector(8));
create index on posts (user_id);
revoke trigger on posts from anon, authenticated, service_role;
select pgvec.adopt_collection('documents', 'posts', model => 'openai:test', add_columns => {added});
select pgvec.set_owner('documents', 'auth.users')
"""
KINDS = {
    "open": Kind(OWNED.format(""), ("owner_id",)),
    "policy": Kind(OWNED.format(", access => 'policy'"), ("owner_id",)),
    "tenant": Kind(OWNED.format(", access => 'tenant'"), ("owner_id", "tenant_id")),
    "partitioned": Kind(OWNED.format(", access => 'tenant', partition => 3"), ("owner_id", "tenant_id")),
    "each a tenant": Kind(OWNED.format(", access => 'tenant', owner_column => 'tenant_id'"), ("tenant_id",)),
    "each a tenant, partitioned": Kind(
        OWNED.format(", access => 'tenant', owner_column => 'tenant_id', partition => 3"), ("tenant_id",)
    ),
    "later": Kind(
        "select pgvec.create_collection('documents', 8, model => 'openai:test');"
        "select pgvec.set_owner('documents', 'auth.users')",
        ("owner_id",),
    ),
    "side table": Kind(ADOPTED.format(key="text", added="false"), ("user_id",), "posts"),
    "added columns": Kind(ADOPTED.format(key="text", added="true"), ("user_id",), "posts"),
}


def add(database: str) -> None:
    with acting(database) as platform:
        platform.execute("insert into users (id, email) values (%s, 'a@a.a'), (%s, 'b@b.b')", (OURS, THEIRS))


@contextmanager
def acting(database: str, role: str = "supabase_auth_admin") -> Iterator[Connection]:
    """By default the service that keeps the accounts: what it may do is its own tables."""
    with installation.connect(make_conninfo(database, user=role)) as connection:
        yield connection


def delete(database: str, account: str = OURS) -> None:
    with acting(database) as platform:
        assert platform.execute("delete from users where id = %s", (account,)).rowcount == 1


def traces_of(database: str, *marks: str) -> dict[str, list[str]]:
    with acting(database, supabase_project.SUPERUSER) as connection:
        return traces(connection, *marks)


def write(connection: Connection, kind: Kind, account: str, word: str) -> None:
    """Rows of an account: a whole one, chunks of a document, one that is stale, one that has failed for good."""
    own = kind.table != "posts"
    for number in range(6):
        columns = [*kind.columns, "id", "content", "metadata", "embedding"]
        values: list[Any] = [tenant_of(kind, account) if column == "tenant_id" else account for column in kind.columns]
        text = f"the {word} sings of {word}{number} and more"
        values += [f"{word}/{number}", text, Jsonb({"by": word}), None if number > 3 else VECTOR]
        if own:
            columns += ["source", "chunk_index"]
            values += [f"/home/{word}.md", number]
        connection.execute(
            f"insert into {kind.table} ({', '.join(columns)}) values ({', '.join(['%s'] * len(values))})".encode(),
            values,
        )
    if connection.info.user == "postgres" and word == MARK:
        connection.execute(
            "select pgvec.fail_jobs('documents', array[%s], array[md5(%s)], array[%s])",
            (f"{word}/5", f"the {word} sings of {word}5 and more", f"{word} is refused"),
        )
        connection.execute("update pgvec.embedding_jobs set due_at = 'infinity' where reason is not null")


def tenant_of(kind: Kind, account: str) -> str:
    return account if kind.columns == ("tenant_id",) else TEAM


def search(connection: Connection, account: str, word: str, tenant: str | None) -> None:
    """A search with the account's token, of which its text and vector are logged."""
    claims: dict[str, Any] = {"sub": account, "role": "authenticated"}
    if tenant:
        claims["app_metadata"] = {"tenant_id": tenant}
    with connection.transaction():
        connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
        connection.execute("set local role authenticated")
        connection.execute("select * from keyword_search(%s, filter => %s)", (f"what says {word}", Jsonb({"by": word})))


def statistics(connection: Connection) -> Any:
    """The words that are counted, and how many rows have each."""
    return connection.execute(
        "select l.tenant, l.lexeme, sum(l.documents) from pgvec.lexemes as l group by 1, 2 order by 1, 2"
    ).fetchall()
