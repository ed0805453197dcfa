"""The search functions through PostgREST, as every client of Supabase calls them: payloads, statuses, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from conftest import searchable
from pgvec_admin.database import Target
from pgvec_admin.engine import collections
from pgvec_admin.errors import CheckFailedError
from pgvec_admin.install import functions, migrate
from pgvec_admin.server import embedded
from supabase_project import Project

QUERY = [1.0, 0.02, 0.0]


@pytest.fixture(scope="module")
def fish(platform: embedded.Server, installed: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Five texts in collection `documents`, to be read."""
    with searchable(platform, installed, tmp_path_factory.mktemp("fish")) as made:
        _fill(made)
        yield made


@pytest.fixture
def own_fish(with_search: Project) -> Project:
    """The same, to be changed."""
    _fill(with_search)
    return with_search


def _fill(project: Project) -> None:
    with psycopg.connect(project.database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('documents', 3)")
        connection.execute(
            """
            insert into documents (id, source, chunk_index, content, metadata, embedding)
            values ('f1', 'fish.md', 0, 'a red fish', '{"lang": "en", "year": 2020, "tags": ["sea"]}', '[1, 0, 0]'),
                   ('f2', 'fish.md', 1, 'a blue fish', '{"lang": "en", "year": 2021}', '[1, 0.1, 0]'),
                   ('f3', 'fish.md', 2, 'ein roter Fisch', '{"lang": "de", "year": 2022}', '[1, 0.3, 0.1]'),
                   ('b1', 'bird.md', 0, 'a red bird', '{"lang": "en", "year": 2020}', '[0, 1, 0]'),
                   ('b2', 'bird.md', 1, 'a blue bird eats fish', '{"lang": "en"}', '[0.1, 1, 0.2]')
            """
        )
    project.settle()


def _ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


ALL = ["f1", "f2", "f3", "b2", "b1"]
ENGLISH = ["f1", "f2", "b2", "b1"]
EITHER = 'or=(metadata.cs."{\\"lang\\":\\"de\\"}",metadata.not.cs."{\\"year\\":2020}")&limit=4'

# what each client sends to match_documents, by its published source, and the answer
CLIENTS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "langchain-python": ({"query_embedding": QUERY}, "limit=4", ALL[:4]),
    "langchain-python, filter": ({"query_embedding": QUERY, "filter": {"lang": "en"}}, "limit=3", ENGLISH[:3]),
    "langchain-js": ({"query_embedding": QUERY, "filter": {}, "match_count": 4}, "", ALL[:4]),
    "langchain-js, filter": ({"query_embedding": QUERY, "filter": {"lang": "en"}, "match_count": 4}, "", ENGLISH),
    "langchain-js, function filter": (
        {"query_embedding": QUERY},
        "metadata-%3Eyear::int=gte.2021&limit=4",
        ["f2", "f3"],
    ),
    "langchain-js, text filter": ({"query_embedding": QUERY}, "content=fts(english).fish&limit=4", ["f1", "f2", "b2"]),
    "langchain-dart": (
        {"query_embedding": QUERY, "match_count": 4, "match_threshold": 0.0, "filter": {}},
        "",
        ALL[:4],
    ),
    "llamaindex-ts": ({"query_embedding": QUERY, "match_count": 4, "filter": {"lang": "en"}}, "", ENGLISH),
    "n8n": ({"query_embedding": QUERY, "filter": {"lang": "en"}, "match_count": 4}, "", ENGLISH),
    "n8n agents": ({"query_embedding": QUERY}, 'metadata=cs.{"lang":"en"}&limit=4', ENGLISH),
    "n8n agents, or": ({"query_embedding": QUERY}, EITHER, ["f2", "f3", "b2"]),
    "flowise": ({"query_embedding": QUERY, "filter": {}, "match_count": 4}, "", ALL[:4]),
    "supabase documentation": (
        {"query_embedding": QUERY, "match_threshold": 0.78, "match_count": 10},
        "",
        ALL[:3],
    ),
    "by hand, embedding as text": ({"query_embedding": json.dumps(QUERY), "match_count": 4}, "", ALL[:4]),
    "by hand, nulls": (
        {"query_embedding": QUERY, "match_count": None, "filter": None, "match_threshold": None},
        "",
        ALL,
    ),
    "by hand, filter as text": ({"query_embedding": QUERY, "filter": '{"lang": "en"}'}, "", ENGLISH),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_every_clients_search_is_answered(fish: Project, client: str) -> None:
    arguments, query, expected = CLIENTS[client]
    answer = fish.call("POST", f"rpc/match_documents?{query}", json=arguments)
    assert _ids(answer) == expected
    assert set(answer.json()[0]) == {"id", "content", "metadata", "similarity"}


def test_searches_are_read_by_get_too(fish: Project) -> None:
    found = fish.call("GET", f"rpc/match_documents?query_embedding={json.dumps(QUERY)}&match_count=2")
    assert _ids(found) == ["f1", "f2"]
    assert _ids(fish.call("GET", "rpc/keyword_search?query_text=bird&select=id,score&order=id")) == ["b1", "b2"]


def test_rows_of_an_answer_are_chosen_ordered_and_counted_by_the_client(fish: Project) -> None:
    arguments = {"query_embedding": QUERY}
    assert fish.call("POST", "rpc/match_documents?select=id&order=id.desc&limit=2&offset=1", json=arguments).json() == [
        {"id": "f2"},
        {"id": "f1"},
    ]
    one = fish.call(
        "POST",
        "rpc/match_documents?limit=1&select=content",
        json=arguments,
        headers={"Accept": "application/vnd.pgrst.object+json"},
    )
    assert one.json() == {"content": "a red fish"}
    counted = fish.call(
        "POST", "rpc/match_documents?similarity=gt.0.9", json=arguments, headers={"Prefer": "count=exact"}
    )
    assert counted.headers["content-range"] == "0-2/3"


def test_each_sibling_has_what_its_client_reads(fish: Project) -> None:
    both = fish.rpc("match_documents_embeddings", {"query_embedding": QUERY, "match_count": 2}).json()
    assert [(row["id"], row["embedding"]) for row in both] == [("f1", "[1,0,0]"), ("f2", "[1,0.1,0]")]
    both = fish.rpc("match_documents_mmr", {"query_embedding": QUERY, "match_count": 2, "filter": {}}).json()
    assert [(row["id"], row["embedding"]) for row in both] == [("f1", [1, 0, 0]), ("f2", [1, 0.1, 0])]
    words = fish.rpc("kw_match_documents", {"query_text": "red fish", "match_count": 5}).json()
    assert words[0]["id"] == "f1"
    assert all(0 <= row["similarity"] <= 0.1 for row in words)
    found = fish.rpc("match_vectors", {"query_embedding": QUERY, "match_count": 1, "filter": {"lang": "de"}}).json()
    assert [set(row) for row in found] == [{"id", "similarity", "metadata"}]
    hybrid = {"query_text": "red fish", "query_embedding": QUERY, "match_count": 3}
    assert _ids(fish.rpc("hybrid_search", hybrid))[0] == "f1"
    weighed = hybrid | {"full_text_weight": 1, "semantic_weight": 1, "rrf_k": 50}
    assert _ids(fish.rpc("hybrid_search", weighed))[0] == "f1"
    assert _ids(fish.rpc("recommend_documents", {"positive": ["f1"], "match_count": 1})) == ["f2"]
    assert fish.rpc("document_facets", {"field": "lang"}).json()[0] == {"value": "en", "documents": 4}
    assert _ids(fish.rpc("document_context", {"document_id": "f2"})) == ["f1", "f2", "f3"]


def test_mem0_finds_its_memories(own_fish: Project) -> None:
    with psycopg.connect(own_fish.database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('memories', 3)")
    own_fish.settle()
    row = {"id": "m1", "embedding": QUERY, "metadata": {"data": "likes fish", "userId": "u"}}
    assert own_fish.call("POST", "memories", "service_role", json=row).status_code == 201
    arguments = {"query_embedding": QUERY, "match_count": 5, "filter": {"userId": "u"}}
    found = own_fish.rpc("match_vectors", arguments, "service_role").json()
    assert [(one["id"], one["metadata"]["data"]) for one in found] == [("m1", "likes fish")]


def test_a_collections_own_functions_need_no_name_of_it(own_fish: Project) -> None:
    with psycopg.connect(own_fish.database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('jobs', 2)")
        connection.execute("insert into jobs (id, content, embedding) values ('j1', 'cook', '[1,0]')")
        connection.execute("select pgvec.create_collection_api('jobs')")
        connection.execute("select pgvec.create_collection_api('jobs')")
    own_fish.settle()
    assert _ids(own_fish.rpc("match_jobs", {"query_embedding": [1, 0], "match_count": 5, "filter": {}})) == ["j1"]
    assert _ids(own_fish.rpc("kw_match_jobs", {"query_text": "cooks"})) == ["j1"]
    assert _ids(own_fish.rpc("hybrid_search_jobs", {"query_text": "cook", "query_embedding": [1, 0]})) == ["j1"]
    with psycopg.connect(own_fish.database, autocommit=True) as connection:
        connection.execute("select pgvec.drop_collection('jobs')")
    own_fish.settle()
    assert own_fish.rpc("match_jobs", {"query_embedding": [1, 0]}).status_code == 404


@pytest.mark.parametrize(
    ("function", "arguments", "status", "code", "hint"),
    [
        ("match_documents", {"query_embedding": [1, 2]}, 400, "PV002", "embed queries with the model"),
        ("match_documents", {"query_embedding": [0, 0, 0]}, 400, "PV005", "zero vector"),
        ("match_documents", {"query_embedding": None}, 400, "PV004", "embed the query text"),
        ("match_documents", {"query_embedding": QUERY, "collection": "x"}, 400, "PV001", "documents"),
        ("match_documents", {"query_embedding": QUERY, "filter": {"a": {"$near": 1}}}, 400, "PV003", "$eq"),
        ("match_documents", {"query_embedding": QUERY, "for_tenant": "0" * 32}, 400, "PV006", "for_tenant"),
        ("keyword_search", {"query_text": "fish", "ranking": "best"}, 400, "PV004", "bm25"),
        ("match_documents", {"query_embedding": QUERY, "tenant": "x"}, 404, "PGRST202", ""),
        ("delete_documents", {}, 400, "PV004", "filter"),
        ("upsert_documents", {"documents": [{"text": "x"}]}, 400, "PV004", "content"),
        ("upsert_documents", {"documents": [{"content": "x", "language": "klingon"}]}, 400, "PV004", "english"),
    ],
)
def test_errors_arrive_as_json_with_a_hint(
    fish: Project, function: str, arguments: dict[str, Any], status: int, code: str, hint: str
) -> None:
    answer = fish.rpc(function, arguments)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), told
    assert hint in (told["hint"] or "")
    assert told["message"]


def test_rows_are_written_through_the_table_and_through_the_functions(own_fish: Project) -> None:
    row = {"content": "a green fish", "metadata": {"lang": "en"}, "embedding": [0.9, 0.2, 0.1]}
    made = own_fish.call(
        "POST",
        "documents?select=id",
        "service_role",
        json=[row, row | {"id": "f1"}],
        headers={"Prefer": "resolution=merge-duplicates,return=representation"},
    )
    # a bulk request has the same keys in every row, or says so
    assert made.status_code == 400
    for body in (row, row | {"id": "f1"}):
        made = own_fish.call(
            "POST",
            "documents?select=id,content,fts,bm25,embedded_hash,content_hash",
            "service_role",
            json=[body],
            headers={"Prefer": "resolution=merge-duplicates,return=representation"},
        )
        assert made.status_code in (200, 201), made.text
        assert made.json()[0]["fts"] == "'fish':3 'green':2"
        assert made.json()[0]["bm25"].endswith("/268435456")
        assert made.json()[0]["embedded_hash"] == made.json()[0]["content_hash"]
    assert "f1" in _ids(own_fish.rpc("keyword_search", {"query_text": "green"}))
    documents = [{"id": "f1", "metadata": {"lang": "fr"}}, {"content": "a whale", "embedding": "[1,0,0.5]"}]
    written = own_fish.rpc("upsert_documents", {"documents": documents}, "service_role")
    assert len(written.json()) == 2
    assert "f1" in written.json()
    assert _ids(own_fish.rpc("match_documents", {"query_embedding": QUERY, "filter": {"lang": "fr"}})) == ["f1"]
    assert own_fish.rpc("delete_documents", {"ids": ["f1", "no such"]}, "service_role").json() == 1
    assert own_fish.rpc("delete_documents", {"source": "bird.md"}, "service_role").json() == 2
    assert own_fish.rpc("delete_documents", {"filter": {"lang": {"$in": ["de"]}}}, "service_role").json() == 1
    assert own_fish.call("DELETE", "documents?id=eq.f2", "service_role").status_code == 204


MERGE = {"Prefer": "resolution=merge-duplicates,return=representation"}


@pytest.mark.parametrize("missing", ["", "missing=default"])
def test_rows_of_one_request_may_lack_what_others_have(own_fish: Project, missing: str) -> None:
    """As supabase-js sends them: all keys of all rows are named in the address."""
    rows = [
        {"id": "f1", "content": "a red fish", "metadata": {"lang": "fr"}, "embedding": [1, 0, 0.5]},
        {"id": "f2", "content": "a pale fish"},
        {"id": "n1", "content": "no metadata", "metadata": None},
        {"content": "no id"},
    ]
    made = own_fish.call(
        "POST",
        "documents?columns=id,content,metadata,embedding&select=id,content,metadata,embedding",
        "service_role",
        json=rows[:3],
        headers={"Prefer": ",".join(filter(None, [MERGE["Prefer"], missing]))},
    )
    assert made.status_code in (200, 201), made.text
    assert {row["id"]: (row["content"], row["metadata"], row["embedding"]) for row in made.json()} == {
        "f1": ("a red fish", {"lang": "fr"}, "[1,0,0.5]"),
        "f2": ("a pale fish", {} if missing else {"lang": "en", "year": 2021}, "[1,0.1,0]"),
        "n1": ("no metadata", {}, None),
    }
    made = own_fish.call("POST", "documents?columns=id,content,metadata", "service_role", json=rows[2:], headers=MERGE)
    assert made.status_code in (200, 201), made.text
    assert len({row["id"] for row in made.json()}) == 2
    changed = own_fish.call(
        "PATCH", "documents?id=eq.f2&select=embedding", "service_role", json={"embedding": None}, headers=MERGE
    )
    assert changed.json() == [{"embedding": None}]


@pytest.mark.parametrize("metadata", ["a tag", ["a"], 5, True])
def test_metadata_that_is_no_object_is_refused_with_a_hint(own_fish: Project, metadata: Any) -> None:
    calls = [
        own_fish.call("POST", "documents", "service_role", json={"content": "x", "metadata": metadata}),
        own_fish.call("PATCH", "documents?id=eq.f1", "service_role", json={"metadata": metadata}),
        own_fish.rpc("upsert_documents", {"documents": {"content": "x", "metadata": metadata}}, "service_role"),
    ]
    for answer in calls:
        assert (answer.status_code, answer.json()["code"]) == (400, "PV004"), answer.text
        assert "object" in answer.json()["message"]
        assert answer.json()["hint"]


def test_a_client_that_limits_by_the_address_alone_gets_as_many_as_it_asks_for(own_fish: Project) -> None:
    """LangChain for Python; and conditions in the address choose among all that were found."""
    with psycopg.connect(own_fish.database, autocommit=True) as connection:
        connection.execute(
            "insert into documents (id, content, embedding, metadata)"
            " select 'm' || i, 'x', '[0,-1,1]', jsonb_build_object('n', i) from generate_series(1, 1200) as i"
        )
    found = own_fish.call("POST", "rpc/match_documents?limit=150", json={"query_embedding": QUERY})
    assert len(_ids(found)) == 150
    for function in ("match_documents", "match_documents_embeddings", "match_documents_mmr"):
        assert len(_ids(own_fish.rpc(function, {"query_embedding": QUERY}))) == 1000
    chained = own_fish.call("POST", "rpc/match_documents?metadata-%3Elang=not.is.null", json={"query_embedding": QUERY})
    assert _ids(chained) == ALL
    with psycopg.connect(own_fish.database, autocommit=True) as connection:
        connection.execute("update pgvec.collections set settings = '{\"match_count\": 7}'")
    assert len(_ids(own_fish.rpc("match_documents", {"query_embedding": QUERY}))) == 7
    assert len(_ids(own_fish.rpc("match_documents", {"query_embedding": QUERY, "match_threshold": -1}))) == 7
    assert len(_ids(own_fish.rpc("match_documents", {"query_embedding": QUERY, "match_count": 9}))) == 9


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_who_may_only_read_cannot_write(fish: Project, role: str) -> None:
    calls = [
        fish.call("POST", "documents", role, json={"content": "x"}),
        fish.call("DELETE", "documents?id=eq.f1", role),
        fish.call("PATCH", "documents?id=eq.f1", role, json={"content": "x"}),
        fish.rpc("upsert_documents", {"documents": [{"content": "x"}]}, role),
        fish.rpc("delete_documents", {"ids": ["f1"]}, role),
    ]
    assert {call.json()["code"] for call in calls} == {"42501"}
    assert len(_ids(fish.rpc("match_documents", {"query_embedding": QUERY}, role))) == 5


def test_the_engine_is_not_exposed(fish: Project) -> None:
    for path in ("collections", "rpc/keyword_query", "rpc/candidates_as_owner"):
        answer = fish.call("GET", path, headers={"Accept-Profile": "pgvec"})
        assert answer.json()["code"] == "PGRST106"
    listed = fish.call("GET", "", "service_role").json()["paths"]
    assert not [path for path in listed if "pgvec" in path]


TUTORIAL = """
create table documents (id bigserial primary key, content text, metadata jsonb, embedding extensions.vector(3));
create function match_documents (
  query_embedding extensions.vector(3), match_count int default null, filter jsonb default '{}'
) returns table (id bigint, content text, metadata jsonb, similarity float)
language plpgsql set search_path = public, extensions as $$
#variable_conflict use_column
begin
  return query
  select id, content, metadata, 1 - (documents.embedding <=> query_embedding) as similarity
    from documents where metadata @> filter order by documents.embedding <=> query_embedding limit match_count;
end $$;
grant select on documents to anon;
insert into documents (content, metadata, embedding)
values ('a red fish', '{"lang": "en"}', '[1,0,0]'), ('ein Vogel', '{"lang": "de"}', '[0,1,0]');
"""


def test_beside_the_table_and_function_of_the_tutorial_nothing_is_overwritten_unseen(project: Project) -> None:
    where = Target(project.database, "the test")
    with psycopg.connect(project.database, autocommit=True) as connection:
        connection.execute(TUTORIAL.encode())

        def found() -> Any:
            project.settle()
            answer = project.rpc("match_documents", {"query_embedding": QUERY, "match_count": 1, "filter": {}})
            return answer.status_code, answer.json()

        before = found()
        assert before[1][0]["content"] == "a red fish"
        with pytest.raises(CheckFailedError, match=r"made by somebody else: public\.match_documents"):
            migrate.migrate(where, report=lambda _: None)
        assert found() == before

        migrate.migrate(where, report=lambda _: None, replace_existing=True)
        status, told = found()
        assert (status, told["code"], told["hint"][:11]) == (400, "PV001", "collections")
        with pytest.raises(psycopg.Error, match=r"there is a table public\.documents already"):
            connection.execute("select pgvec.create_collection('documents', 3)")
        collections.adopt(connection, "public.documents", metadata="metadata")
        status, (row,) = found()
        assert (status, row["id"], row["content"], row["metadata"]) == (200, "1", "a red fish", {"lang": "en"})

        assert functions.history(connection, "match_documents")[1][0].origin == "replaced"
        migrate.uninstall(where, keep_tables=True, report=lambda _: None)
        assert connection.execute("select count(*) from documents").fetchone() == (2,)
        assert found()[0] == 404
