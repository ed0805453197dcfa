"""hybrid_search: both scores for every candidate, four fusions, and the options for a search page."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from conftest import Connection
from judged import NAMES, needs_judgements, read
from pgvec_admin.database import Target
from pgvec_admin.engine import choices, collections, index
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.loading import load
from pgvec_admin.quality import evaluate
from plans import scans
from properties import FULL

QUERY = "red fish"
VECTOR = "[1, 0.2, 0]"
COLUMNS = "id, score, similarity, keyword_score, semantic_rank, keyword_rank"


@pytest.fixture
def documents(connection: Connection) -> Connection:
    """Texts about fish and birds of some colours; the vectors follow the animal, roughly."""
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        """
        insert into documents (id, source, chunk_index, content, metadata, embedding)
        values ('f1', 'fish.md', 0, 'a red fish', '{"year": 2020, "day": "2026-11-01"}', '[1, 0, 0]'),
               ('f2', 'fish.md', 1, 'a blue fish and a red fish', '{"year": 2021, "day": "2026-10-01"}', '[1, 0.1, 0]'),
               ('f3', 'fish.md', 2, 'salmon', '{"year": 2022, "day": "2020-01-01"}', '[1, 0.3, 0.1]'),
               ('b1', 'bird.md', 0, 'a red bird', '{"year": 2020, "day": "no date"}', '[0, 1, 0]'),
               ('b2', 'bird.md', 1, 'a blue bird eats fish', '{"year": 2021}', '[0.1, 1, 0.2]'),
               ('n1', null, null, 'a red fish without a vector', '{}', null),
               ('x1', null, null, 'nothing of the kind', '{}', '[-1, 0, 1]')
        """
    )
    return connection


def _search(connection: Connection, **arguments: object) -> list[tuple[Any, ...]]:
    given = {"query_text": QUERY, "query_embedding": VECTOR} | arguments
    call = ", ".join(f"{name} => %({name})s" for name in given)
    return connection.execute(f"select {COLUMNS} from hybrid_search({call})".encode(), given).fetchall()


def _ids(connection: Connection, **arguments: object) -> list[str]:
    return [row[0] for row in _search(connection, **arguments)]


def _legs(connection: Connection, ranking: str = "bm25") -> tuple[dict[str, float], dict[str, float]]:
    semantic = connection.execute("select id, similarity from match_documents(%s)", (VECTOR,)).fetchall()
    keyword = connection.execute("select id, score from keyword_search(%s, ranking => %s)", (QUERY, ranking)).fetchall()
    return dict(semantic), dict(keyword)


@pytest.mark.parametrize("candidates", [1, 2, 100])
def test_every_candidate_has_both_scores(documents: Connection, candidates: int) -> None:
    semantic, keyword = _legs(documents)
    rows = _search(documents, match_count=1, candidates=candidates) + _search(documents, candidates=candidates)
    for id_, _, similarity, keyword_score, semantic_rank, keyword_rank in rows:
        assert similarity == (pytest.approx(semantic[id_]) if id_ in semantic else None)
        assert keyword_score == pytest.approx(keyword.get(id_, 0), rel=1e-6)
        assert (semantic_rank is None) == (similarity is None)
        assert (keyword_rank is None) == (keyword_score == 0)


def test_all_rows_come_where_all_are_asked_for(documents: Connection) -> None:
    rows = _search(documents, match_count=50)
    assert sorted(row[0] for row in rows) == ["b1", "b2", "f1", "f2", "f3", "n1", "x1"]
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)


def _parts(fusion: str, ranking: str, values: dict[str, float], *, keyword: bool) -> dict[str, float]:
    """One side of the fused score, by its formula."""
    low, high = min(values.values()), max(values.values())
    ranks = {id_: n for n, id_ in enumerate(sorted(values, key=lambda id_: (-values[id_], id_)), 1)}
    mean, spread = statistics.mean(values.values()), statistics.pstdev(values.values())
    match fusion:
        case "rrf":
            return {id_: 1 / (60 + ranks[id_]) if values[id_] > 0 or not keyword else 0 for id_ in values}
        case "dbsf":
            return {id_: (value - (mean - 3 * spread)) / (6 * spread) for id_, value in values.items()}
        case "minmax":
            return {id_: (value - low) / (high - low) for id_, value in values.items()}
        case _:
            return {id_: value / high if keyword and ranking == "bm25" else value for id_, value in values.items()}


@pytest.mark.parametrize("fusion", ["rrf", "dbsf", "minmax", "weighted"])
@pytest.mark.parametrize("ranking", ["bm25", "ts_rank", "ts_rank_cd"])
def test_fusions_are_those_of_the_book(documents: Connection, fusion: str, ranking: str) -> None:
    semantic, keyword = _legs(documents, ranking)
    ids = sorted(set(semantic) | set(keyword))
    by_vector = _parts(fusion, ranking, semantic, keyword=False)
    by_keyword = _parts(fusion, ranking, {id_: keyword.get(id_, 0.0) for id_ in ids}, keyword=True)
    expected = {id_: 0.7 * by_vector.get(id_, 0) + 0.3 * by_keyword[id_] for id_ in ids}
    rows = _search(documents, fusion=fusion, ranking=ranking, semantic_weight=0.7, full_text_weight=0.3)
    assert {row[0]: row[1] for row in rows} == pytest.approx(expected, rel=1e-6)


def test_the_command_and_the_service_have_the_names_that_the_functions_have(documents: Connection) -> None:
    rankings = documents.execute("select jsonb_object_keys(pgvec.rankings())").fetchall()
    assert [row[0] for row in rankings] == list(choices.RANKINGS)
    source = documents.execute("select prosrc from pg_proc where oid = 'pgvec.fuse'::regproc").fetchone()
    assert source is not None
    assert re.findall(r"^    when '(\w+)' then$", source[0], flags=re.M) == list(choices.FUSIONS)
    for refused in ("pgvec.fuse(null, 'sum', 1, 1, 60, 'bm25')", "hybrid_search('', null, fusion => 'sum')"):
        with pytest.raises(psycopg.Error, match="fusion cannot be 'sum'") as caught:
            documents.execute(f"select {refused}".encode())
        assert caught.value.sqlstate == "PV004"
        assert caught.value.diag.message_hint == f"one of: {', '.join(choices.FUSIONS)}"
    usual = _search(documents)
    assert usual == _search(documents, ranking=choices.DEFAULT_RANKING, fusion=choices.DEFAULT_FUSION)
    others = set(choices.FUSIONS) - {choices.DEFAULT_FUSION}
    assert all(_search(documents, fusion=fusion) != usual for fusion in others)


def test_a_weighted_sum_of_similarity_and_ts_rank_is_exact(documents: Connection) -> None:
    rows = _search(documents, fusion="weighted", ranking="ts_rank", semantic_weight=0.7, full_text_weight=0.3)
    for row in rows:
        assert row[1] == 0.7 * (row[2] or 0) + 0.3 * row[3]


def test_rrf_k_asks_for_ranks(documents: Connection) -> None:
    assert _search(documents, rrf_k=7) == _search(documents, rrf_k=7, fusion="rrf")
    assert _search(documents, rrf_k=7) != _search(documents, fusion="rrf")
    assert _search(documents, rrf_k=7, fusion="dbsf") == _search(documents)


def test_a_weight_of_zero_leaves_a_side_out(documents: Connection) -> None:
    semantic, keyword = _legs(documents)
    rows = _search(documents, full_text_weight=0)
    assert [row[0] for row in rows] == list(semantic)
    assert {row[3] for row in rows} == {None}
    for embedding in (VECTOR, None):
        rows = _search(documents, semantic_weight=0, query_embedding=embedding)
        assert [row[0] for row in rows] == list(keyword)
        assert {row[2] for row in rows} == {None}


@pytest.mark.parametrize("fusion", ["rrf", "dbsf", "minmax", "weighted"])
@pytest.mark.parametrize("text", ["the of", "", None, "nowhere"])
def test_a_side_that_finds_nothing_does_not_spoil_the_other(
    documents: Connection, fusion: str, text: str | None
) -> None:
    semantic, _ = _legs(documents)
    assert _ids(documents, query_text=text, fusion=fusion) == list(semantic)
    documents.execute("update documents set embedding = null")
    assert _ids(documents, fusion=fusion) == list(_legs(documents)[1])


@pytest.mark.parametrize("fusion", ["rrf", "dbsf", "minmax", "weighted"])
def test_a_phrase_that_no_row_has_is_searched_by_its_words(documents: Connection, fusion: str) -> None:
    found = _ids(documents, query_text='"no such phrase" red', fusion=fusion)
    assert found == _ids(documents, query_text="no such phrase red", fusion=fusion)


def test_equal_rows_come_in_the_order_of_their_ids(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        "insert into documents (id, content, embedding)"
        " select i, 'red fish', '[1,0,0]' from generate_series(1, 30) as i"
    )
    for fusion in ("rrf", "dbsf", "minmax", "weighted"):
        found = _ids(connection, fusion=fusion, match_count=50)
        assert found == sorted(found)
        assert len(found) == 30
        assert _ids(connection, fusion=fusion, match_count=5) == sorted(str(i) for i in range(1, 31))[:5]


def test_filters_and_excluded_words_bind_both_sides_and_phrases_what_keywords_find(documents: Connection) -> None:
    assert set(_ids(documents, filter='{"year": {"$gte": 2021}}')) == {"f2", "f3", "b2"}
    assert set(_ids(documents, query_text="red -fish")) == {"b1", "f3", "x1"}
    found = _search(documents, query_text='"red bird"', semantic_weight=0)
    assert [row[0] for row in found] == ["b1"]
    assert set(_ids(documents, query_text='"red bird"')) == {"f1", "f2", "f3", "b1", "b2", "x1"}


def test_the_threshold_holds_for_what_vectors_bring(documents: Connection) -> None:
    found = {row[0]: row[2] for row in _search(documents, match_threshold=0.97)}
    assert set(found) == {"f1", "f2", "f3", "b1", "b2", "n1"}
    assert found["b1"] < 0.97 < found["f3"], "its words brought the one, its vector the other"
    assert set(_ids(documents, match_threshold=0.993)) == {"f1", "f2", "b1", "b2", "n1"}
    assert set(_ids(documents, match_threshold=0.97, full_text_weight=0)) == {"f1", "f2", "f3"}


def test_both_sides_use_their_indexes(documents: Connection, database: str) -> None:
    documents.execute(
        "insert into documents (content, embedding)"
        " select 'word' || i % 200, array[sin(i), cos(i), 1]::float4[]::extensions.vector"
        " from generate_series(1, 12000) as i"
    )
    index.create(Target(database, "the test"), "documents")
    documents.execute("vacuum analyze documents")
    found = scans(documents, "select * from hybrid_search('word7', '[1,0,0]', candidates => 20)")
    of_table = [indexes for tables, indexes in found if "documents" in tables]
    assert {"documents_fts_idx"} in of_table
    assert {"documents_embedding_hnsw_cosine_idx"} in of_table
    # nothing read the table instead; the rows found are read by their ids
    assert [indexes for indexes in of_table if "seq scan" in indexes or not indexes] == []


def test_one_row_of_each_source_or_value(documents: Connection) -> None:
    everything = _ids(documents, match_count=50)
    found = _ids(documents, group_by="source")
    first = {next(id_ for id_ in everything if id_ in group) for group in (("f1", "f2", "f3"), ("b1", "b2"))}
    assert set(found) == first | {"n1", "x1"}
    assert found == [id_ for id_ in everything if id_ in found]
    years = _ids(documents, group_by="year")
    assert len([id_ for id_ in years if id_ not in ("n1", "x1")]) == 3


def test_groups_are_looked_for_behind_the_first_candidates(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        "insert into documents (source, chunk_index, content, embedding)"
        " select 'source' || i / 60, i % 60, 'red fish', array[1, i / 1000.0, 0]::float4[]::extensions.vector"
        " from generate_series(0, 599) as i"
    )
    assert len(_ids(connection, group_by="source", candidates=20, match_count=8)) == 8


def test_diversity_holds_repetitions_back(documents: Connection) -> None:
    documents.execute(
        "insert into documents (id, content, embedding)"
        " select 'copy' || i, 'a red fish', '[1,0,0]' from generate_series(1, 5) as i"
    )
    plain = _ids(documents, match_count=4)
    assert _ids(documents, match_count=4, diversity=0) == plain
    varied = _ids(documents, match_count=4, diversity=0.6)
    assert varied[0] == plain[0]
    assert sum(id_ == "f1" or id_.startswith("copy") for id_ in varied) < sum(
        id_ == "f1" or id_.startswith("copy") for id_ in plain
    )
    assert len(set(_ids(documents, match_count=50, diversity=1))) == 12


def test_recent_rows_come_first_where_that_is_asked_for(documents: Connection) -> None:
    plain = {row[0]: row[1] for row in _search(documents, match_count=50)}
    aged = _search(documents, match_count=50, recency_field="day", half_life="1000 days")
    scores = {row[0]: row[1] for row in aged}
    for undated in ("b1", "b2", "n1"):
        assert scores[undated] == pytest.approx(plain[undated])
    days = documents.execute("select extract(epoch from now() - '2020-01-01'::timestamptz)::float8 / 86400").fetchone()
    assert days is not None
    assert scores["f3"] == pytest.approx(plain["f3"] * 0.5 ** (days[0] / 1000), rel=1e-3)
    assert [row[1] for row in aged] == sorted(scores.values(), reverse=True)


@pytest.mark.parametrize(
    "value", ['"2026-01-31"', '"2026-01-31T12:00:00Z"', "1769860800", '"2026-13-45"', '"soon"', "[]", "null"]
)
def test_dates_that_are_none_are_null(connection: Connection, value: str) -> None:
    row = connection.execute("select pgvec.as_timestamp(%s) is not null", (value,)).fetchone()
    assert row == ("2026-01" in value or value[0] == "1",)


def test_autocut_ends_before_the_largest_drop(documents: Connection) -> None:
    rows = _search(documents)
    drops = [before[1] - after[1] for before, after in pairwise(rows)]
    assert _search(documents, autocut=True) == rows[: drops.index(max(drops)) + 1]
    documents.execute("delete from documents where id <> 'f1'")
    assert _ids(documents, autocut=True) == ["f1"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"fusion": "max"}, "PV004", "fusion cannot be 'max'"),
        ({"ranking": "tfidf"}, "PV004", "ranking cannot be 'tfidf'"),
        ({"semantic_weight": -1}, "PV004", "the weights cannot be -1"),
        ({"semantic_weight": 0, "full_text_weight": 0}, "PV004", "the weights cannot be 0"),
        ({"full_text_weight": float("nan")}, "PV004", "the weights cannot be"),
        ({"rrf_k": -1}, "PV004", "rrf_k cannot be -1"),
        ({"diversity": 2}, "PV004", "diversity cannot be 2"),
        ({"recency_field": "day"}, "PV004", "recency_field 'day' and half_life null"),
        ({"recency_field": "day", "half_life": "-1 day"}, "PV004", "do not go together"),
        ({"query_embedding": "[1, 2]"}, "PV002", "the query has 2 dimensions"),
        ({"query_embedding": None}, "PV004", "query_embedding is null"),
        ({"query_embedding": "[0, 0, 0]"}, "PV005", "zero vector"),
        ({"filter": '{"$nor": []}'}, "PV003", "nor"),
        ({"collection": "nowhere"}, "PV001", "there is no collection 'nowhere'"),
        ({"for_tenant": "00000000-0000-0000-0000-000000000001"}, "PV006", "has no tenants"),
    ],
)
def test_what_cannot_be_is_refused(documents: Connection, arguments: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        _search(documents, **arguments)
    assert caught.value.sqlstate == code
    assert message in str(caught.value)
    assert caught.value.diag.message_hint


def test_counts_are_clamped_and_nulls_are_defaults(documents: Connection) -> None:
    assert len(_search(documents, match_count=0)) == 1
    assert len(_search(documents, match_count=10**6)) == 7
    nulls = (
        "match_count",
        "full_text_weight",
        "semantic_weight",
        "fusion",
        "filter",
        "ranking",
        "candidates",
        "autocut",
    )
    assert _search(documents, **dict.fromkeys(nulls)) == _search(documents)


def test_readers_may_search(documents: Connection, as_role: Callable[[str], Connection]) -> None:
    everything: dict[str, object] = {
        "group_by": "source",
        "diversity": 0.5,
        "recency_field": "day",
        "half_life": "1 day",
        "autocut": True,
    }
    assert _search(as_role("pgvec_reader")) == _search(documents)
    assert _ids(as_role("pgvec_reader"), **everything) == _ids(documents, **everything)


@pytest.mark.parametrize("add_columns", [False, True], ids=["beside", "in the table"])
def test_adopted_tables_are_fused_like_others(documents: Connection, add_columns: bool) -> None:
    documents.execute(
        "create table animals (id text primary key, content text, embedding extensions.vector(3));"
        "insert into animals select id, content, embedding from documents"
    )
    documents.execute("select pgvec.adopt_collection('animals', 'animals', add_columns => %s)", (add_columns,))
    documents.execute("select pgvec.refresh_statistics('documents', 0)")
    assert _search(documents, collection="animals") == _search(documents)


# NDCG@10 wanted of BM25 and of the default hybrid
WANTED = {"scifact": (0.685, 0.740), "cranfield": (0.355, 0.400), "cisi": (0.0, 0.425), "npl": (0.0, 0.495)}


@needs_judgements
@pytest.mark.parametrize("name", NAMES if FULL else ("cranfield", "cisi"))
def test_rankings_are_as_good_as_they_were_measured(
    connection: Connection, database: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = read(name)
    asked = [mode for mode in evaluate.MODES if mode.name in (*evaluate.LEGS, evaluate.DEFAULT_HYBRID)]
    monkeypatch.setattr(evaluate, "MODES", asked)
    collections.create(connection, "documents", 384)
    load.load_records(connection, "documents", judged.records)
    index.create(Target(database, "the test"), "documents")
    connection.execute("analyze documents")
    found = evaluate.run(connection, "documents", judged.queries, judged.qrels, embed=None, report=lambda *_: None)
    ndcg = {result.mode: result.ndcg10 for result in found.results}
    keyword, hybrid = WANTED[name]
    assert ndcg["keyword, bm25"] >= keyword
    assert ndcg["hybrid, dbsf"] >= hybrid
    assert ndcg["hybrid, dbsf"] >= max(ndcg["vector"], ndcg["keyword, bm25"]) - 0.005


def test_vectors_may_come_as_text_or_json(documents: Connection) -> None:
    expected = _search(documents)
    assert _search(documents, query_embedding=vector_literal([1, 0.2, 0])) == expected
