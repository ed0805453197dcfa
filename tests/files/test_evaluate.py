"""Evaluating: files of BEIR and TREC, measures equal to trec_eval's, and the conclusions from the figures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from command import Run
from conftest import Connection
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.quality import evaluate
from pgvec_admin.quality.evaluate import Evaluation, Query, Result


@pytest.fixture
def documents(connection: Connection) -> Connection:
    """Ten rows, each about a number; vectors know even from odd."""
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        "insert into documents (id, content, embedding)"
        " select 'd' || i, 'number' || i || ' and word' || i % 3,"
        " array[i % 2, 1 - i % 2, i / 50.0]::float4[]::extensions.vector from generate_series(1, 10) as i"
    )
    return connection


def _quiet(done: int, total: int | None, note: str) -> None:
    del done, total, note


def test_measures_are_those_of_the_book(documents: Connection) -> None:
    queries = [Query("a", "number4", [0.0, 1.0, 0.08]), Query("b", "number7 word1", [1.0, 0.0, 0.14])]
    qrels = {"a": {"d4": 2, "d9": 1}, "b": {"d7": 1}, "unasked": {"d1": 1}}
    found = evaluate.run(documents, "documents", queries, qrels, embed=None, report=_quiet)
    assert [result.mode for result in found.results] == [mode.name for mode in evaluate.MODES]
    keyword = next(result for result in found.results if result.mode == "keyword, bm25")
    # a: d4 alone is found, first; b: d7 has both words
    ideal = 2 + 1 / 1.584962500721156
    assert keyword.ndcg10 == pytest.approx((2 / ideal + 1) / 2)
    assert keyword.mrr10 == 1
    assert keyword.recall100 == pytest.approx((0.5 + 1) / 2)
    assert (found.queries, found.unknown) == (2, 0)
    vector = found.results[0]
    assert vector.recall100 == 1
    assert all(0 < result.p50_ms <= result.p95_ms for result in found.results)
    assert all(result.ndcg10_low <= result.ndcg10 <= result.ndcg10_high for result in found.results)
    assert not any(result.significant for result in found.results), "two queries prove nothing"


def test_behind_the_tenth_place_a_document_counts_for_recall_alone(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 2)")
    connection.execute(
        "insert into documents (id, content, embedding)"
        " select 'd' || i, 'text', array[30, i]::float4[]::extensions.vector from generate_series(1, 30) as i"
    )
    queries = [Query("a", "x", [1.0, 0.0]), Query("b", "x", [1.0, 0.0])]
    found = evaluate.run(
        connection, "documents", queries, {"a": {"d10": 1}, "b": {"d11": 1}}, embed=None, report=_quiet
    )
    vector = found.results[0]
    assert vector.ndcg10 == pytest.approx(1 / math.log2(11) / 2)
    assert vector.mrr10 == pytest.approx(1 / 10 / 2)
    assert vector.recall100 == 1


def test_without_vectors_keywords_are_measured_alone(documents: Connection) -> None:
    found = evaluate.run(
        documents, "documents", [Query("a", "number4")], {"a": {"d4": 1, "x": 1}}, embed=None, report=_quiet
    )
    assert {result.mode.split(",")[0] for result in found.results} == {"keyword"}
    told = evaluate.advice(found)
    assert told[0] == "1 judged documents are not in documents: are the ids the same?"
    assert told[1] == "no vectors were given, so keywords were measured alone"


def test_queries_are_embedded_where_they_bring_no_vector(documents: Connection) -> None:
    asked: list[str] = []

    def embed(text: str) -> list[float]:
        asked.append(text)
        return [1.0, 0.0, 0.1]

    queries = [Query("a", "number4"), Query("b", "number5", [0.0, 1.0, 0.1])]
    evaluate.run(documents, "documents", queries, {"a": {"d4": 1}, "b": {"d5": 1}}, embed=embed, report=_quiet)
    assert asked == ["number4"]


def test_queries_without_judgements_are_refused(documents: Connection) -> None:
    for qrels in ({}, {"b": {"d1": 1}}, {"a": {"d1": 0}}):
        with pytest.raises(UsageError, match="no query has a judged document"):
            evaluate.run(documents, "documents", [Query("a", "word")], qrels, embed=None, report=_quiet)


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\nq1\td 1\t2\nq1\td2\t0\n",
        "q1\td 1\t2\nq1\td2\t0\n",
        "q1\t0\td 1\t2\n\nq1\t0\td2\t0\n",
    ],
    ids=["BEIR", "no header", "TREC"],
)
def test_judgements_are_read_in_their_usual_forms(tmp_path: Path, text: str) -> None:
    file = tmp_path / "qrels.tsv"
    file.write_text(text)
    assert evaluate.read_qrels(file) == {"q1": {"d 1": 2, "d2": 0}}


def test_bad_lines_are_named(tmp_path: Path) -> None:
    file = tmp_path / "bad"
    file.write_text("q1\td1\t1\nq1\td2\tgood\n")
    with pytest.raises(DataRejectedError, match=r"bad:2: not a judgement"):
        evaluate.read_qrels(file)
    for line in ('{"text": "no id"}', "[]", "{", '{"_id": 1}'):
        file.write_text('{"_id": "q1", "text": "fine"}\n\n' + line)
        with pytest.raises(DataRejectedError, match=r"bad:3: not a query"):
            evaluate.read_queries(file)
    file.write_text('{"_id": "q1", "text": "x", "embedding": [1, 2]}\n{"id": 2, "text": "y"}\n')
    assert evaluate.read_queries(file) == [Query("q1", "x", [1, 2]), Query("2", "y")]


def _result(mode: str, ndcg: float, difference: float, *, significant: bool) -> Result:
    return Result(mode, ndcg, ndcg, ndcg, 0, 0, 1, 1, difference, difference, difference, significant)


@pytest.mark.parametrize(
    ("difference", "significant", "told"),
    [
        (0.05, True, "hybrid helps here (+0.050 NDCG@10 beside vector)"),
        (0.05, False, "hybrid is no clear gain here (+0.050 NDCG@10 beside vector, 50 queries)"),
        (0.003, True, "hybrid is no clear gain here (+0.003 NDCG@10 beside vector, 50 queries)"),
        (-0.02, True, "hybrid does not help here (-0.020 NDCG@10 beside vector): use vector alone"),
        (-0.02, False, "hybrid is no clear gain here (-0.020 NDCG@10 beside vector, 50 queries)"),
    ],
)
def test_it_says_whether_hybrid_helps(difference: float, significant: bool, told: str) -> None:
    results = [
        _result("vector", 0.5, 0, significant=False),
        _result("hybrid, dbsf", 0.5 + difference, difference, significant=significant),
        _result("hybrid, rrf", 0.7, 0.2, significant=True),
    ]
    assert evaluate.advice(Evaluation("documents", 50, 0, "vector", results)) == [told, "best here: hybrid, rrf"]


def test_the_command_prints_draws_and_writes_json(documents: Connection, run: Run, tmp_path: Path) -> None:
    queries, qrels, png = tmp_path / "queries.jsonl", tmp_path / "qrels.tsv", tmp_path / "picture.png"
    vectors = {number: [number % 2, 1 - number % 2, number / 50] for number in range(1, 11)}
    queries.write_text(
        "".join(
            json.dumps({"_id": f"q{n}", "text": f"number{n}", "embedding": vector}) + "\n"
            for n, vector in vectors.items()
        )
    )
    qrels.write_text("query-id\tcorpus-id\tscore\n" + "".join(f"q{n}\td{n}\t1\n" for n in vectors))
    call = ("evaluate", "documents", "--queries", str(queries), "--qrels", str(qrels))
    printed = run(*call, "--png", str(png))
    assert printed.returncode == 0, printed.stderr
    assert "hybrid, weighted" in printed.stdout
    assert "10 queries; difference from" in printed.stderr
    assert png.read_bytes().startswith(b"\x89PNG")
    found = json.loads(run(*call, "--json").stdout)
    assert found["queries"] == 10
    assert len(found["results"]) == 8
    assert all(result["ndcg10"] == 1 for result in found["results"] if result["mode"].startswith("keyword"))


def test_the_command_searches_by_both_and_refreshes(documents: Connection, run: Run) -> None:
    documents.execute("""update pgvec.collections set settings = '{"live_statistics": 1}'""")
    documents.execute("insert into documents (id, content) values ('d11', 'number11'), ('d12', 'number12')")
    shown = run("collection", "show", "documents")
    assert "10 rows counted, 2 changed since" in shown.stdout
    assert "pgvec-admin collection refresh documents" in shown.stderr
    assert json.loads(run("collection", "show", "documents", "--json").stdout)["keywords"]["uncounted"] == 2
    assert run("collection", "refresh", "documents").stderr.endswith(
        "documents: 15 different words in 12 rows of 1.8 on average; weights of 12 rows made anew\n"
    )
    assert json.loads(run("collection", "refresh", "documents", "--json").stdout)["documents"] == 12
    refused = run("search", "number4", "--mode", "hybrid")
    assert refused.returncode == 2
    assert "bound to no embedding model" in refused.stderr
