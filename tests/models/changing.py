"""A collection whose model is changed, step by step."""

from __future__ import annotations

from typing import Any

from installation import Connection
from openai_server import vector_of

OLD, NEW = "openai:text-embedding-3-small", "openai:text-embedding-3-large"
SMALL, LARGE = 8, 12
SECOND = f"documents@{NEW}"


def text_of(vector: Any) -> str:
    return "[" + ",".join(str(value) for value in vector) + "]"


def nearest(connection: Connection, dimensions: int, text: str, collection: str = "documents") -> list[str]:
    """The ids that match_documents finds for the vector of a text."""
    rows = connection.execute(
        "select id from match_documents(%s, 3, collection => %s)", (text_of(vector_of(text, dimensions)), collection)
    ).fetchall()
    return [row[0] for row in rows]


def store(connection: Connection, collection: str, dimensions: int, model: str | None = None) -> int:
    """Embed all that is stale, as a program in SQL would; how many rows."""
    rows = connection.execute(
        "select id, content, content_hash from pgvec.stale_documents(%s)", (collection,)
    ).fetchall()
    ids, texts, hashes = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    found = connection.execute(
        "select pgvec.store_embeddings(%s, %s, %s, %s::extensions.vector[], %s)",
        (collection, ids, hashes, [text_of(vector_of(text, dimensions)) for text in texts], model),
    ).fetchone()
    assert found is not None
    return int(found[0])


def run_all(connection: Connection, statements: list[tuple[str]]) -> None:
    for (statement,) in statements:
        connection.execute(statement.encode())


def build(connection: Connection) -> None:
    run_all(
        connection, connection.execute("select statement from pgvec.model_change_statements('documents')").fetchall()
    )


def create(connection: Connection, *, options: str = "", rows: int = 40, index: bool = True) -> None:
    connection.execute(f"select pgvec.create_collection('documents', {SMALL}, model => '{OLD}' {options})".encode())
    connection.execute(
        "insert into documents (id, content) select i::text, 'text ' || i from generate_series(1, %s) as i", (rows,)
    )
    store(connection, "documents", SMALL)
    if index:
        run_all(connection, connection.execute("select statement from pgvec.index_definition('documents')").fetchall())
        connection.execute("select pgvec.note_index('documents')")


def begin(connection: Connection, storage: str = "vector", dimensions: int = LARGE) -> None:
    connection.execute("select pgvec.begin_model_change('documents', %s, %s, %s)", (NEW, dimensions, storage))
