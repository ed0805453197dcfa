"""Rows written with nulls where they lack a value, as PostgREST does where other rows of the request have one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from conftest import Connection

TENANT = "00000000-0000-4000-8000-00000000000a"
UPSERT = """
insert into documents (id, content, metadata, embedding) values (%s, %s, %s, %s)
on conflict ({key}) do update
   set content = excluded.content, metadata = excluded.metadata, embedding = excluded.embedding
"""


@pytest.fixture(
    params=[
        {},
        {"storage": "halfvec"},
        {"access": "tenant"},
        {"access": "tenant", "partition": 3},
        {"access": "policy"},
    ],
    ids=str,
)
def documents(connection: Connection, request: pytest.FixtureRequest) -> Connection:
    choices = {"access": "open", "storage": "vector", "partition": None} | request.param
    connection.execute(
        "select pgvec.create_collection('documents', 2, access => %(access)s, storage => %(storage)s,"
        " partition => %(partition)s)",
        choices,
    )
    connection.execute(f"set app.tenant_id = '{TENANT}'".encode())
    connection.execute(
        "insert into documents (id, content, metadata, embedding) values ('old', 'red', '{\"a\": 1}', '[1,2]')"
    )
    return connection


def _upsert(documents: Connection, *row: Any) -> None:
    tenant = documents.execute("select 1 from pgvec.collections where access = 'tenant'").fetchone()
    documents.execute(UPSERT.format(key="tenant_id, id" if tenant else "id"), row)


def _row(documents: Connection, which: str) -> Any:
    return documents.execute(
        "select content, metadata, embedding::text, embedded_hash is distinct from content_hash from documents"
        " where id = %s",
        (which,),
    ).fetchone()


def test_a_null_is_the_default_in_a_new_row_and_keeps_what_there_is_in_an_old_one(documents: Connection) -> None:
    _upsert(documents, "new", "blue", None, None)
    assert _row(documents, "new") == ("blue", {}, None, True)
    _upsert(documents, "old", "red", None, None)
    assert _row(documents, "old") == ("red", {"a": 1}, "[1,2]", False)
    _upsert(documents, "old", "green", None, None)
    assert _row(documents, "old") == ("green", {"a": 1}, "[1,2]", True)
    _upsert(documents, "old", "green", Jsonb({}), "[3,4]")
    assert _row(documents, "old") == ("green", {}, "[3,4]", False)
    documents.execute("insert into documents (id, content, created_at, updated_at) values (null, 'x', null, null)")
    (made,) = documents.execute("select count(*) from documents where created_at = updated_at").fetchall()
    assert made[0] >= 1


def test_a_null_that_is_meant_is_stored(documents: Connection) -> None:
    documents.execute("select upsert_documents(%s)", (Jsonb({"id": "old", "embedding": None}),))
    assert _row(documents, "old") == ("red", {"a": 1}, None, True)
    documents.execute("update documents set embedding = '[1,2]'")
    documents.execute("update documents set embedding = null where id = 'old'")
    assert _row(documents, "old") == ("red", {"a": 1}, None, True)
    documents.execute("update documents set metadata = null, embedding = '[1,2]' where id = 'old'")
    assert _row(documents, "old") == ("red", {}, "[1,2]", False)
    with documents.transaction():
        documents.execute("insert into documents (id, content) values ('old', 'x') on conflict do nothing")
        documents.execute("update documents set embedding = null where id = 'old'")
    assert _row(documents, "old") == ("red", {}, None, True)
    with documents.transaction():
        documents.execute("update documents set embedding = '[1,2]' where id = 'old'")
        _upsert(documents, "old", "red", Jsonb({}), None)
        assert _row(documents, "old") == ("red", {}, "[1,2]", False)
        documents.execute("update documents set embedding = null where id = 'old'")
    assert _row(documents, "old") == ("red", {}, None, True)


def test_a_vector_that_is_stored_meanwhile_is_kept(
    connection: Connection, as_role: Callable[[str], Connection]
) -> None:
    """The row as it is when it is locked counts, not as it was when the statement began."""
    connection.execute("select pgvec.create_collection('documents', 2)")
    connection.execute("insert into documents (id, content, embedding) values ('old', 'red', '[1,2]')")
    embedder = as_role(connection.info.user)
    with connection.transaction():
        embedder.execute("select pgvec.store_embeddings('documents', '{old}', array[md5('red')], '{\"[5,6]\"}')")
        _upsert(connection, "old", "green", None, None)
    assert _row(connection, "old") == ("green", {}, "[5,6]", True)


@pytest.mark.parametrize("given", ["tag", ["a"], 5, True, [{"a": 1}], "[1]", '"x"', "{bad}", '{"a": "\\u0000"}'])
def test_metadata_that_is_no_object_is_refused(documents: Connection, given: Any) -> None:
    for write in (
        "insert into documents (content, metadata) values ('x', %s)",
        "update documents set metadata = %s",
    ):
        with pytest.raises(psycopg.Error, match="not an object") as caught:
            documents.execute(write, (Jsonb(given),))
        assert caught.value.sqlstate == "PV004"
        assert '{"lang": "en"}' in (caught.value.diag.message_hint or "")
    assert _row(documents, "old") == ("red", {"a": 1}, "[1,2]", False)


def test_metadata_that_is_the_text_of_an_object_is_parsed(documents: Connection) -> None:
    documents.execute("insert into documents (id, content, metadata) values ('new', 'x', %s)", (Jsonb('{"a": [2]}'),))
    assert _row(documents, "new")[1] == {"a": [2]}
    documents.execute("update documents set metadata = %s where id = 'old'", (Jsonb('{"b": 3}'),))
    assert _row(documents, "old")[1] == {"b": 3}
    documents.execute("update documents set metadata = 'null' where id = 'old'")
    assert _row(documents, "old")[1] == {}


def test_a_row_of_an_earlier_release_with_other_metadata_can_be_changed(documents: Connection) -> None:
    documents.execute("alter table documents disable trigger user")
    documents.execute("update documents set metadata = '[1]'")
    documents.execute("alter table documents enable trigger user")
    documents.execute("update documents set content = 'green', embedding = '[3,4]'")
    assert _row(documents, "old") == ("green", [1], "[3,4]", False)


def test_every_column_but_the_key_of_a_table_has_a_default_or_may_be_null(documents: Connection) -> None:
    """So the types that Supabase generates from the table want none of them in an insert."""
    needed = documents.execute(
        "select attname from pg_attribute where attrelid = 'documents'::regclass and attnum > 0 and attnotnull"
        " and not atthasdef"
    ).fetchall()
    assert needed == []
    (part,) = documents.execute(
        "select count(*) from pg_inherits as i join pg_attribute as a on a.attrelid = i.inhrelid"
        " where i.inhparent = 'documents'::regclass and a.attname = 'content_hash' and not a.atthasdef"
    ).fetchall()
    assert part == (0,)


def test_collections_of_an_earlier_release_get_the_default(documents: Connection) -> None:
    documents.execute("alter table documents alter column content_hash drop default")
    documents.execute("select pgvec.upgrade_collections()")
    found = documents.execute(
        "select bool_and(a.atthasdef) from pg_attribute as a where a.attname = 'content_hash'"
        " and a.attrelid in (select pgvec.partitions('documents'))"
    ).fetchone()
    assert found == (True,)
    documents.execute("select pgvec.detach_collection('documents')")
    documents.execute(
        "insert into documents (id, tenant_id) values ('z', gen_random_uuid())"
        if documents.execute(
            "select 1 from pg_attribute where attrelid = 'documents'::regclass and attname = 'tenant_id'"
        ).fetchone()
        else "insert into documents (id) values ('z')"
    )
    assert documents.execute("select content_hash from documents where id = 'z'").fetchone() == (None,)


def test_what_a_row_lacks_says_nothing_of_another_tenants_row_of_the_same_id(connection: Connection) -> None:
    other = TENANT[:-1] + "b"
    connection.execute("select pgvec.create_collection('documents', 2, access => 'tenant')")
    connection.execute(
        "insert into documents (tenant_id, id, content, metadata, embedding)"
        " values (%s, '1', 'x', '{\"a\": 1}', '[1,2]'), (%s, '1', 'x', '{\"b\": 1}', '[3,4]')",
        (TENANT, other),
    )
    connection.execute(
        "insert into documents (tenant_id, id, content, metadata, embedding)"
        " values (%s, '1', 'y', null, null), (%s, '1', 'y', '{}', '[5,6]') on conflict (tenant_id, id) do update"
        "   set content = excluded.content, metadata = excluded.metadata, embedding = excluded.embedding",
        (TENANT, other),
    )
    rows = connection.execute("select metadata, embedding::text from documents order by tenant_id").fetchall()
    assert rows == [({"a": 1}, "[1,2]"), ({}, "[5,6]")]
