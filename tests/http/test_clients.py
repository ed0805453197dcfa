"""The clients themselves, each in its own language, against a project: supabase-js and -py, LangChain for both."""

from __future__ import annotations

import json
import subprocess
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from supabase_project import FOLDER, Project, token

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_community.vectorstores import SupabaseVectorStore
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings

    import supabase

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
NODE = FOLDER / "node_modules" / ".bin" / "node"


class Letters(Embeddings):
    """An embedding that can be worked out by hand: how often a, b and c occur."""

    def embed_query(self, text: str) -> list[float]:
        return [0.1 + text.count(letter) for letter in "abc"]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


@pytest.fixture
def documents(with_search: Project) -> Project:
    with psycopg.connect(with_search.database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('documents', 3)")
    with_search.settle()
    return with_search


def test_javascript(documents: Project) -> None:
    ran = subprocess.run(
        [NODE, FOLDER / "clients.mjs", documents.url, token("service_role")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert [row["id"] for row in told["rpc"]] == ["1"]
    assert [row["id"] for row in told["text"]] == ["1"]
    assert [row["id"] for row in told["undefined"]] == ["1", "3", "2"]
    assert told["chained"] == [{"id": "3", "lang": "de"}]
    assert [row["id"] for row in told["get"]] == ["1"]
    assert told["hybrid"][0]["id"] == "1"
    assert (told["error"]["code"], "embed queries" in told["error"]["hint"]) == ("PV002", True)

    assert told["ids"] == ["l1", "l2", "l3"]
    assert told["search"] == ["aaa", "abc abc"]
    assert told["scores"] == [["aaa", pytest.approx(0.9995, abs=1e-3)]]
    assert told["function_filter"] == ["abc abc", "ccc"]
    assert told["no_filter"] == ["ccc"]
    assert told["mmr"][0] == "aaa"
    assert len(told["mmr"]) == 2
    assert told["retriever"][0] == "ccc"
    assert told["after_delete"] == []


@pytest.fixture
def client(documents: Project) -> Iterator[supabase.Client]:
    """supabase-py, whose connections are closed behind it."""
    with httpx.Client() as http:
        options = supabase.ClientOptions(httpx_client=http)
        yield supabase.create_client(documents.url, token("service_role"), options)


def test_supabase_for_python(client: supabase.Client) -> None:
    rows = [
        {"id": "1", "content": "a cat", "metadata": {"lang": "en"}, "embedding": [1.1, 0.1, 0.1]},
        {"id": "2", "content": "bbb", "metadata": {"lang": "en"}, "embedding": [0.1, 3.1, 0.1]},
        {"id": "3", "content": "eine Katze", "metadata": {"lang": "de"}, "embedding": [1.0, 0.2, 0.1]},
    ]
    assert len(client.table("documents").upsert(rows).execute().data) == 3
    query = {"query_embedding": [1.1, 0.1, 0.1]}

    def ids(call: Any) -> list[str]:
        return [row["id"] for row in call.execute().data]

    assert ids(client.rpc("match_documents", query)) == ["1", "3", "2"]
    narrowed = query | {"match_count": 5, "filter": {"lang": "en"}, "match_threshold": 0.7}
    assert ids(client.rpc("match_documents", narrowed)) == ["1"]
    assert ids(client.rpc("match_documents", query).eq("metadata->>lang", "de").order("id").limit(2)) == ["3"]
    as_text = {"query_embedding": json.dumps(query["query_embedding"])}
    assert ids(client.rpc("match_documents", as_text, get=True).limit(1)) == ["1"]
    assert ids(client.rpc("hybrid_search", query | {"query_text": "cat"}))[0] == "1"
    with pytest.raises(supabase.PostgrestAPIError) as refused:
        client.rpc("match_documents", {"query_embedding": [1, 2]}).execute()
    assert (refused.value.code, "embed queries" in (refused.value.hint or "")) == ("PV002", True)


def test_langchain_for_python(client: supabase.Client) -> None:
    def store(query_name: str) -> SupabaseVectorStore:
        return SupabaseVectorStore(client, Letters(), "documents", query_name=query_name)

    made = store("match_documents")
    texts = [Document(page_content=text, metadata={"n": n}) for n, text in enumerate(("aaa", "abc abc", "ccc"), 1)]
    ids = made.add_documents(texts)
    assert len(set(ids)) == 3
    assert [one.page_content for one in made.similarity_search("aa", 2)] == ["aaa", "abc abc"]
    assert [one.page_content for one in made.similarity_search("aa", 2, filter={"n": 3})] == ["ccc"]
    scored = made.similarity_search_with_relevance_scores("aa", 1)
    assert [(one.page_content, round(score, 2)) for one, score in scored] == [("aaa", 1.0)]
    various = store("match_documents_embeddings").max_marginal_relevance_search("aa", 2, fetch_k=3, lambda_mult=0.1)
    assert [one.page_content for one in various] == ["aaa", "ccc"]
    made.delete(ids[:2])
    assert [one.page_content for one in made.similarity_search("aa", 5)] == ["ccc"]
