"""langchain-pgvec: LangChain's standard tests of vector stores, and what they do not test.

Of the standard tests all apply, and none is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests.vectorstores import VectorStoreIntegrationTests
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from conftest import Connection
from langchain_pgvec import PgvecVectorStore
from openai_server import vector_of

pytestmark = pytest.mark.anyio
OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"


class Stand(Embeddings):
    """Vectors that are made from the text."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(number) for number in vector_of(text)] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def made(database: str, connection: Connection) -> Iterator[list[PgvecVectorStore]]:
    """Stores that are closed at the end."""
    stores: list[PgvecVectorStore] = []
    yield stores
    for store in stores:
        store.close()


@pytest.fixture
def store(database: str, made: list[PgvecVectorStore]) -> PgvecVectorStore:
    made.append(PgvecVectorStore(Stand(), database))
    made[-1].create_collection(8)
    made[-1].create_collection(8)  # it is there
    return made[-1]


class TestStandard(VectorStoreIntegrationTests):
    """LangChain's own tests, sync and async."""

    @pytest.fixture
    def vectorstore(self, database: str, connection: Connection) -> Iterator[VectorStore]:
        store = PgvecVectorStore(self.get_embeddings(), database)
        store.create_collection(6)
        yield store
        store.close()


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Any:
    """Calls a method, or its async sibling."""

    async def named(store: PgvecVectorStore, name: str, *arguments: Any, **options: Any) -> Any:
        if request.param == "async":
            return await getattr(store, f"a{name}")(*arguments, **options)
        return getattr(store, name)(*arguments, **options)

    return named


FISH = [
    Document("a red fish in the sea", id="f1", metadata={"lang": "en", "n": 1, "source": "fish.md"}),
    Document("ein roter Fisch", id="f2", metadata={"lang": "de", "n": 2, "source": "fish.md"}),
    Document("a blue bird", id="b1", metadata={"lang": "en", "n": 3}),
]


async def test_searches_by_meaning_by_words_and_by_both(store: PgvecVectorStore, call: Any) -> None:
    assert await call(store, "add_documents", FISH) == ["f1", "f2", "b1"]
    assert (await call(store, "similarity_search", "a blue bird", 1))[0] == FISH[2]
    words = await call(store, "similarity_search", "fish sea", 3, mode="keyword")
    assert [document.id for document in words] == ["f1"]
    both = await call(store, "hybrid_search", "roter", 1, fusion="rrf", semantic_weight=0.1)
    assert [document.id for document in both] == ["f2"]
    scored = await call(store, "similarity_search_with_score", "ein roter Fisch", 3)
    assert scored[0][1] == pytest.approx(1)
    assert [score for _, score in scored] == sorted((score for _, score in scored), reverse=True)
    close = await call(store, "similarity_search", "ein roter Fisch", 3, score_threshold=0.99)
    assert [document.id for document in close] == ["f2"]
    relevant = await call(store, "similarity_search_with_relevance_scores", "a blue bird", 3)
    assert all(0 <= score <= 1 for _, score in relevant)
    by_vector = await call(store, "similarity_search_by_vector", Stand().embed_query("a blue bird"), 1)
    assert by_vector == FISH[2:]
    unlike = await call(store, "max_marginal_relevance_search", "a red fish in the sea", 2, lambda_mult=0.1)
    assert (unlike[0].id, len(unlike)) == ("f1", 2)
    with pytest.raises(ValueError, match="none of vector"):
        await call(store, "similarity_search", "x", mode="both")


@pytest.mark.parametrize(
    ("filter_", "ids"),
    [
        ({"lang": "en"}, {"f1", "b1"}),
        ({"n": {"$gte": 2}}, {"f2", "b1"}),
        ({"lang": {"$in": ["de", "fr"]}}, {"f2"}),
        ({"$or": [{"n": 1}, {"lang": {"$ne": "en"}}]}, {"f1", "f2"}),
        ({"source": {"$like": "fish%"}}, {"f1", "f2"}),
    ],
)
async def test_filters_are_those_of_the_functions(
    store: PgvecVectorStore, call: Any, filter_: dict[str, Any], ids: set[str]
) -> None:
    await call(store, "add_documents", FISH)
    for mode in ("vector", "hybrid"):
        found = await call(store, "similarity_search", "fish", 10, filter=filter_, mode=mode)
        assert {document.id for document in found} == ids
    if "source" in filter_:
        assert await call(store, "delete", source="fish.md") is True
    else:
        assert await call(store, "delete", filter=filter_) is True
    left = await call(store, "similarity_search", "fish", 10)
    assert {document.id for document in left} == {"f1", "f2", "b1"} - ids
    with pytest.raises(ValueError, match="name ids"):
        await call(store, "delete")


async def test_a_retriever_uses_the_modes(store: PgvecVectorStore) -> None:
    store.add_documents(FISH)
    for kind in ({"search_kwargs": {"k": 1, "mode": "keyword"}}, {"search_type": "mmr", "search_kwargs": {"k": 1}}):
        found = await store.as_retriever(**kind).ainvoke("a red fish in the sea")
        assert [document.id for document in found] == ["f1"]
    by_threshold = store.as_retriever(
        search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.9, "k": 5}
    )
    assert [document.id for document in by_threshold.invoke("a blue bird")] == ["b1"]


async def test_tenants_do_not_see_each_other(
    database: str, connection: Connection, made: list[PgvecVectorStore], call: Any
) -> None:
    connection.execute("select pgvec.create_collection('notes', 8, access => 'tenant')")
    ours, theirs = (PgvecVectorStore(Stand(), database, collection="notes", tenant=tenant) for tenant in (OURS, THEIRS))
    made += [ours, theirs]
    await call(ours, "add_texts", ["our fish"], ids=["1"])
    await call(theirs, "add_texts", ["their fish"], ids=["1"])
    for mode in ("vector", "keyword", "hybrid"):
        assert [d.page_content for d in await call(ours, "similarity_search", "fish", 5, mode=mode)] == ["our fish"]
    assert [document.page_content for document in await call(theirs, "get_by_ids", ["1"])] == ["their fish"]
    assert await call(theirs, "delete", ["1"])
    assert await call(theirs, "get_by_ids", ["1"]) == []
    assert len(await call(ours, "get_by_ids", ["1"])) == 1
    made.append(PgvecVectorStore(Stand(), database, collection="notes"))
    with pytest.raises(psycopg.Error) as refused:
        await call(made[-1], "similarity_search", "fish")
    assert refused.value.sqlstate == "PV006"


async def test_many_rows_and_pools_of_the_application(database: str, store: PgvecVectorStore) -> None:
    texts = [f"text {n}" for n in range(1200)]
    assert store.add_texts(texts, [{"n": n} for n in range(1200)], ids=[str(n) for n in range(1200)]) == [
        str(n) for n in range(1200)
    ]
    with ConnectionPool(database, min_size=1, max_size=2, open=True) as pool:
        async with AsyncConnectionPool(database, min_size=1, max_size=2, open=False) as async_pool:
            pooled = PgvecVectorStore(Stand(), pool, async_pool=async_pool)
            assert (await pooled.asimilarity_search("text 700", 1))[0].id == "700"
            assert pooled.similarity_search("text 1199", 1)[0].metadata == {"n": 1199}
            pooled.close()  # not its own
            assert pooled.similarity_search("text 3", 1)[0].id == "3"


async def test_a_store_is_made_of_texts(database: str, store: PgvecVectorStore, made: list[PgvecVectorStore]) -> None:
    made.append(PgvecVectorStore.from_texts(["one"], Stand(), connection=database))
    made.append(await PgvecVectorStore.afrom_documents([Document("two", id="2")], Stand(), connection=database))
    assert {document.page_content for document in store.similarity_search("one", 5)} == {"one", "two"}


async def test_an_error_has_its_code_and_hint(
    database: str, made: list[PgvecVectorStore], connection: Connection
) -> None:
    made.append(PgvecVectorStore(Stand(), database, collection="nothing"))
    with pytest.raises(psycopg.Error) as refused:
        made[-1].similarity_search("x")
    assert (refused.value.sqlstate, bool(refused.value.diag.message_hint)) == ("PV001", True)


HOSTILE = """
do $$
declare
  f record;
  n int;
begin
  for f in
    select p.* from pg_proc as p
     where p.pronamespace = 'public'::regnamespace and p.proname ~ 'documents|search|match'
  loop
    for n in 1 .. f.pronargs loop
      begin
        execute format(
          'create function public.%I(%s) returns %s language plpgsql as %L', f.proname,
          (select string_agg(format('%I %s', f.proargnames[a.place],
                                    case t.typname when 'vector' then 'text' else format_type(a.type, null) end),
                             ', ' order by a.place)
             from unnest(f.proargtypes) with ordinality as a (type, place)
             join pg_type as t on t.oid = a.type
            where a.place <= n),
          pg_get_function_result(f.oid), 'begin raise exception ''hijacked''; end');
      exception when duplicate_function then null;
      end;
    end loop;
  end loop;
end
$$
"""


async def test_a_function_of_somebody_else_is_never_called(
    database: str, store: PgvecVectorStore, administrator: Connection, call: Any
) -> None:
    """One of the same name in public, with fewer arguments, and text instead of a vector."""
    administrator.execute(HOSTILE)
    assert await call(store, "add_documents", FISH)
    for mode in ("vector", "keyword", "hybrid"):
        assert await call(store, "similarity_search", "fish", 3, mode=mode)
    assert await call(store, "max_marginal_relevance_search", "fish", 2)
    assert len(await call(store, "get_by_ids", ["f1", "b1"])) == 2
    assert await call(store, "delete", ["f1"], filter={"n": 1})


async def test_a_weaker_role_has_the_tenants_of_its_connection(
    database: str, connection: Connection, made: list[PgvecVectorStore], call: Any
) -> None:
    connection.execute("select pgvec.create_collection('notes', 8, access => 'tenant')")
    made.append(PgvecVectorStore(Stand(), database, collection="notes", tenant=THEIRS))
    await call(made[0], "add_texts", ["their fish"], ids=["1"])
    weaker = make_conninfo(database, options=f"-crole=pgvec_writer -capp.tenant_id={OURS}")
    made += [
        PgvecVectorStore(Stand(), weaker, collection="notes"),
        PgvecVectorStore(Stand(), weaker, collection="notes", tenant=THEIRS),
    ]
    assert await call(made[1], "similarity_search", "fish", 5) == []
    assert await call(made[1], "add_texts", ["our fish"], ids=["1"]) == ["1"]
    assert [document.page_content for document in await call(made[1], "hybrid_search", "fish", 5)] == ["our fish"]
    with pytest.raises(psycopg.Error) as refused:
        await call(made[2], "similarity_search", "fish")
    assert refused.value.sqlstate == "PV006"
