"""A database with a collection of each kind, the answers of its searches, and our objects in its catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import Connection

TENANT = "00000000-0000-4000-8000-00000000000a"
CATALOG = (Path(__file__).parents[1] / "releases" / "catalog.sql").read_text()

ROWS = """
insert into {table} (id, content, metadata, embedding, source, chunk_index)
select 'row ' || i, 'word' || i % 7 || ' and word' || i % 11 || ' in line ' || i, jsonb_build_object('n', i % 5),
       array[sin(i), cos(i), i % 3 + 0.5]::float4[]::extensions.{storage}, 'book ' || i % 4, i
  from generate_series(1, 300) as i
"""

SHOP = """
create table shop (id int primary key, title text not null, price numeric, embedding extensions.vector(3));
insert into shop
select i, 'thing word' || i % 7 || ' of kind word' || i % 13, i / 4.0,
       array[sin(i), cos(i), i % 3 + 0.5]::float4[]::extensions.vector
  from generate_series(1, 300) as i;
"""

COLLECTIONS = ("documents", "halves", "notes", "parts", "shop")


def fill(connection: Connection) -> None:
    """Make the collections, with rows and indexes; the connection then acts for TENANT."""
    connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute("select pgvec.create_collection('halves', 3, 'l2', access => 'policy', storage => 'halfvec')")
    connection.execute("select pgvec.create_collection('notes', 3, access => 'tenant')")
    connection.execute(
        "select pgvec.create_collection('parts', 3, 'inner_product', access => 'tenant', partition => 2)"
    )
    connection.execute("select pgvec.create_collection_api('notes')")
    for name in COLLECTIONS[:4]:
        storage = "halfvec" if name == "halves" else "vector"
        connection.execute(ROWS.format(table=name, storage=storage))
    connection.execute(SHOP)
    connection.execute("select pgvec.adopt_collection('shop', 'public.shop', content_columns => '{title}')")
    for name in COLLECTIONS:
        for (statement,) in connection.execute("select statement from pgvec.index_definition(%s)", (name,)).fetchall():
            connection.execute(statement)
        connection.execute("select pgvec.note_index(%s)", (name,))


def answers(connection: Connection) -> dict[tuple[str, str], list[Any]]:
    """The results of every kind of search for each collection, as TENANT sees them."""
    connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
    found = {}
    for name in COLLECTIONS:
        filters = '{"price": {"$lt": 50}}' if name == "shop" else '{"n": {"$in": [1, 2]}}'
        for kind, call in {
            "near": "match_documents('[1,2,0.5]', 20, collection => %(name)s)",
            "near and filtered": "match_documents('[1,2,0.5]', 20, %(filters)s, collection => %(name)s)",
            "by words": "keyword_search('word3 kind line', 20, collection => %(name)s)",
            "by both": "hybrid_search('word5 of word1', '[-1,1,0.5]', 20, collection => %(name)s)",
        }.items():
            rows = connection.execute(f"select * from {call}", {"name": name, "filters": filters}).fetchall()
            assert rows
            found[name, kind] = rows
    return found


def catalog(connection: Connection) -> list[tuple[Any, ...]]:
    """Kind, name and definition of everything in our schemas, privileges and comments included, in order."""
    with connection.transaction():
        # names are spelt by the path
        connection.execute("set local search_path = pg_catalog")
        return connection.execute(CATALOG.encode()).fetchall()
