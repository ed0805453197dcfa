"""llama-index-pgvec: what LlamaIndex expects of a vector store; its filters against its own reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.core.vector_stores.types import VectorStoreQueryMode
from llama_index.core.vector_stores.utils import build_metadata_filter_fn
from psycopg.types.json import Jsonb

import installation
from conftest import Connection
from llama_index_pgvec import PgvecVectorStore
from llama_index_pgvec.filters import compiled
from openai_server import vector_of
from pgvec_admin.server import embedded
from properties import examples

pytestmark = pytest.mark.anyio
OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
ASYNC = {"add": "async_add", "delete": "adelete", "query": "aquery"}


def _vector(text: str) -> list[float]:
    return [float(number) for number in vector_of(text)]


def _node(id_: str, text: str, document: str | None = None, **metadata: Any) -> TextNode:
    told = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document)} if document else {}
    return TextNode(id_=id_, text=text, metadata=metadata, relationships=told, embedding=_vector(text))


NODES = [
    _node("f1", "a red fish in the sea", "fish", lang="en", n=1),
    _node("f2", "ein roter Fisch", "fish", lang="de", n=2),
    _node("b1", "a blue bird", "birds", lang="en", n=3),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(database: str, connection: Connection) -> Iterator[PgvecVectorStore]:
    made = PgvecVectorStore(database)
    made.create_collection(8)
    yield made
    made.close()


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Any:
    """Calls a method, or its async sibling."""

    async def named(store: PgvecVectorStore, name: str, *arguments: Any, **options: Any) -> Any:
        if request.param == "async":
            return await getattr(store, ASYNC.get(name, f"a{name}"))(*arguments, **options)
        return getattr(store, name)(*arguments, **options)

    return named


def _query(text: str, k: int = 3, mode: str = "default", **more: Any) -> VectorStoreQuery:
    return VectorStoreQuery(
        query_embedding=_vector(text),
        query_str=text,
        similarity_top_k=k,
        mode=VectorStoreQueryMode(mode),
        **more,
    )


async def test_nodes_are_stored_found_and_deleted(store: PgvecVectorStore, call: Any) -> None:
    assert await call(store, "add", NODES) == ["f1", "f2", "b1"]
    assert await call(store, "add", NODES) == ["f1", "f2", "b1"]  # again
    found = await call(store, "query", _query("a blue bird", 1))
    assert (found.ids, found.similarities) == (["b1"], [pytest.approx(1)])
    node = found.nodes[0]
    assert (node.node_id, node.get_content(), node.metadata, node.ref_doc_id) == (
        "b1",
        "a blue bird",
        {"lang": "en", "n": 3},
        "birds",
    )
    by_ids = await call(store, "get_nodes", ["b1", "nothing", "f1"])
    assert [node.node_id for node in by_ids] == ["b1", "f1"]
    english = MetadataFilters(filters=[MetadataFilter(key="lang", value="en")])
    assert {node.node_id for node in await call(store, "get_nodes", filters=english)} == {"f1", "b1"}
    assert [node.node_id for node in await call(store, "get_nodes", ["f1", "f2"], english)] == ["f1"]
    await call(store, "delete", "fish")
    assert (await call(store, "query", _query("fish"))).ids == ["b1"]
    await call(store, "add", NODES)
    await call(store, "delete_nodes", ["f1", "b1"], english)
    assert (await call(store, "query", _query("fish"))).ids == ["f2"]
    await call(store, "delete_nodes")
    assert (await call(store, "query", _query("fish"))).ids == ["f2"]
    await call(store, "clear")
    assert (await call(store, "query", _query("fish"))).ids == []


async def test_each_mode_finds_as_it_should(store: PgvecVectorStore, call: Any) -> None:
    await call(store, "add", NODES)
    for mode in ("text_search", "sparse"):
        assert (await call(store, "query", _query("fish sea", mode=mode))).ids == ["f1"]
    hybrid = await call(store, "query", _query("roter", 1, "hybrid", alpha=0.1))
    assert hybrid.ids == ["f2"]
    by_vector = await call(store, "query", _query("a blue bird", 1, "hybrid", alpha=1.0))
    assert by_vector.ids == ["b1"]
    unlike = await call(store, "query", _query("a red fish in the sea", 2, "mmr", mmr_threshold=0.1))
    assert (unlike.ids[0], len(unlike.ids)) == ("f1", 2)
    narrowed = await call(store, "query", _query("fish", 3, node_ids=["f1", "b1"]))
    assert sorted(narrowed.ids) == ["b1", "f1"]
    of_document = await call(store, "query", _query("fish", 3, doc_ids=["fish"]))
    assert sorted(of_document.ids) == ["f1", "f2"]
    with pytest.raises(ValueError, match="none of default"):
        await call(store, "query", _query("x", mode="svm"))


async def test_rows_that_something_else_wrote_are_nodes_too(store: PgvecVectorStore, connection: Connection) -> None:
    row = {"id": "x", "content": "a plain row", "metadata": {"a": 1}, "embedding": _vector("a plain row")}
    connection.execute("select public.upsert_documents(%s)", (Jsonb([row]),))
    node = store.query(_query("a plain row", 1)).nodes[0]  # type: ignore[index]
    assert (node.node_id, node.get_content(), node.metadata) == ("x", "a plain row", {"a": 1})


async def test_tenants_do_not_see_each_other(database: str, connection: Connection, call: Any) -> None:
    connection.execute("select pgvec.create_collection('notes', 8, access => 'tenant')")
    ours, theirs = (PgvecVectorStore(database, collection="notes", tenant=tenant) for tenant in (OURS, THEIRS))
    await call(ours, "add", [_node("1", "our fish")])
    await call(theirs, "add", [_node("1", "their fish")])
    for mode in ("default", "text_search", "hybrid", "mmr"):
        found = await call(ours, "query", _query("fish", mode=mode))
        assert [node.get_content() for node in found.nodes] == ["our fish"]
    await call(theirs, "clear")
    assert await call(theirs, "get_nodes", ["1"]) == []
    assert len(await call(ours, "get_nodes", ["1"])) == 1
    nobodys = PgvecVectorStore(database, collection="notes")
    with pytest.raises(psycopg.Error) as refused:
        await call(nobodys, "query", _query("fish"))
    assert refused.value.sqlstate == "PV006"
    for one in (ours, theirs, nobodys):
        one.close()


class Stand(BaseEmbedding):
    """Vectors that are made from the text."""

    def _get_text_embedding(self, text: str) -> list[float]:
        return _vector(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return _vector(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return _vector(query)


async def test_an_index_over_the_store_retrieves(store: PgvecVectorStore) -> None:
    nodes = [
        TextNode(id_=str(n), text=text) for n, text in enumerate(["pools hold connections", "locks make them wait"])
    ]
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex(nodes, storage_context=context, embed_model=Stand())
    again = VectorStoreIndex.from_vector_store(store, embed_model=Stand())
    found = again.as_retriever(similarity_top_k=1).retrieve("pools hold connections")
    assert [one.node.node_id for one in found] == ["0"]
    assert found[0].score == pytest.approx(1)
    hybrid = again.as_retriever(vector_store_query_mode="hybrid", similarity_top_k=1, alpha=0.0)
    assert [one.node.node_id for one in await hybrid.aretrieve("wait")] == ["1"]
    index.delete_nodes(["0"], delete_from_docstore=True)
    assert [node.node_id for node in store.get_nodes(["0", "1"])] == ["1"]


# filters

METADATA: list[dict[str, Any]] = [
    {},
    {"word": "alpha", "n": 1, "tags": ["a", "b"]},
    {"word": "Alpha 100%", "n": 2.5, "tags": ["b"]},
    {"word": "a_b", "n": -3, "tags": []},
    {"word": "", "n": 1},
    {"word": None},
]
WORD = st.sampled_from(["alpha", "Alpha 100%", "a_b", "%", "_", "lph", "", "\\"])
NUMBER = st.sampled_from([1, 2.5, -3, 0])
TAG = st.sampled_from(["a", "b", "c"])
TEXTS = st.lists(WORD, min_size=1, max_size=3)


def _filters(operators: list[str], key: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[MetadataFilter]:
    return st.builds(
        MetadataFilter, key=st.just(key), operator=st.sampled_from([FilterOperator(o) for o in operators]), value=value
    )


ONE = st.one_of(
    _filters(["==", "!="], "word", WORD),
    _filters(["in", "nin"], "word", TEXTS),
    _filters(["==", "!=", ">", ">=", "<", "<="], "n", NUMBER),
    _filters(["any", "all"], "tags", st.lists(TAG, min_size=1, max_size=3)),
    _filters(["contains"], "tags", TAG),
    _filters(["text_match", "text_match_insensitive"], "word", WORD),
    _filters(["is_empty"], "word", st.none()),
    _filters(["is_empty", "!="], "nothing", st.just("x")),
)


@pytest.fixture(scope="module")
def shelf(server: embedded.Server, with_engine: Any) -> Iterator[Connection]:
    with (
        installation.created(server, "filters_of_llama_index", with_engine.template_dbname) as url,
        installation.connect(installation.as_installer(url)) as made,
    ):
        made.execute("select pgvec.create_collection('documents', 2)")
        rows = [
            {"id": str(n), "content": "x", "metadata": metadata, "embedding": [1, n]}
            for n, metadata in enumerate(METADATA)
        ]
        made.execute("select public.upsert_documents(%s)", (Jsonb(rows),))
        yield made


@examples(500)
@given(filters=st.lists(ONE, min_size=1, max_size=3), condition=st.sampled_from(list(FilterCondition)))
def test_a_filter_matches_what_llama_index_itself_matches(
    shelf: Connection, filters: list[MetadataFilter], condition: FilterCondition
) -> None:
    asked = MetadataFilters(filters=[*filters], condition=condition)
    found = shelf.execute(
        "select id from public.match_documents('[1,0]', filter => %s)", (Jsonb(compiled(asked)),)
    ).fetchall()
    matches = build_metadata_filter_fn(lambda id_: METADATA[int(id_)], asked)
    expected = {str(n) for n in range(len(METADATA)) if matches(str(n))}
    assert {row[0] for row in found} == expected


def test_filters_may_be_nested_and_what_is_missing_is_told() -> None:
    one = MetadataFilter(key="a", value=1)
    nested = MetadataFilters(filters=[MetadataFilters(filters=[one], condition=FilterCondition.NOT), one])
    assert compiled(nested) == {"$and": [{"$not": {"$or": [{"a": 1}]}}, {"a": 1}]}
    assert compiled(None) == {}
    with pytest.raises(ValueError, match=r"begins with \$"):
        compiled(MetadataFilters(filters=[MetadataFilter(key="$or", value=1)]))
