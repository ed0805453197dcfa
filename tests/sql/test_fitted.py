"""Vectors of words fitted to rows: search by text alone, for whom, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql
from scipy import sparse

from command import Run
from conftest import Connection
from http_service import running
from judged import needs_judgements, read
from pgvec_admin.api import Settings
from pgvec_admin.engine import collections
from pgvec_admin.errors import DataRejectedError
from pgvec_admin.fitting import ridge
from pgvec_admin.fitting import run as fitting
from pgvec_admin.loading import load
from pgvec_admin.quality import evaluate
from pgvec_admin.quality.evaluate import Query
from properties import FULL
from supabase_project import Project

TOPICS = {
    "fish": ["salmon swim up the river", "a trout waits in the stream", "herring and cod live in the sea"],
    "bird": ["sparrows sing in the morning", "an eagle flies above the hills", "swans and ducks land on the lake"],
    "tool": ["a hammer drives the nail", "the saw cuts a board of oak", "screws hold the shelf to the wall"],
}
AXES = dict(zip(TOPICS, np.eye(3), strict=True))


def _quiet(*_: object) -> None:
    """No progress."""


def _fill(connection: Connection, name: str = "documents", **options: object) -> None:
    """Sixty texts about three topics, with the vectors of somebody's model: seven dimensions, not of length 1."""
    random = np.random.default_rng(1)
    turned = random.normal(size=(3, 7))
    collections.create(connection, name, 7, **options)  # type: ignore[arg-type]
    place = 0
    for topic, texts in TOPICS.items():
        for text in texts * 7:
            vector = 3 * (AXES[topic] + 0.1 * random.normal(size=3)) @ turned
            connection.execute(
                sql.SQL("insert into {} (id, content, embedding) values (%s, %s, %s)").format(sql.Identifier(name)),
                (f"{topic}{place}", f"{text}, number {place}", str(vector.tolist())),
            )
            place += 1


@pytest.fixture
def documents(connection: Connection) -> Connection:
    """A collection, with a row on herring in other words that only vectors find by "river"."""
    _fill(connection)
    return connection


def _search(connection: Connection, text: str, **arguments: object) -> list[Any]:
    given = {"query_text": text} | arguments
    call = ", ".join(f"{name} => %({name})s" for name in given)
    return connection.execute(f"select id, similarity, headline from search({call})".encode(), given).fetchall()


def _notices(connection: Connection) -> list[str]:
    told: list[str] = []
    connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    return told


def test_a_text_alone_finds_rows_without_its_words(documents: Connection) -> None:
    assert {row[0][:4] for row in _search(documents, "river", match_count=30)} == {"fish"}
    assert len(_search(documents, "river", match_count=30)) == 7
    fitting.fit(documents, "documents", report=_quiet)
    found = _search(documents, "river", match_count=21)
    assert {row[0][:4] for row in found} == {"fish"}
    assert len(found) == 21
    assert all(row[1] > 0.8 for row in found)


def test_nothing_fitted_means_keyword_search_alone_and_a_notice(documents: Connection) -> None:
    told = _notices(documents)
    found = _search(documents, "river", highlight=True)
    assert [row[1] for row in found] == [None] * 7
    assert "<mark>river</mark>" in found[0][2]
    assert told == ["nothing is fitted to collection 'documents': it is searched by keyword alone"]


def test_no_word_with_a_vector_means_keyword_search_alone_and_a_notice(documents: Connection) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    documents.execute("insert into documents (id, content) values ('z', 'a zebra')")
    told = _notices(documents)
    assert _search(documents, "zebra") == [("z", None, None)]
    assert documents.execute("select id from hybrid_search('zebra')").fetchall() == [("z",)]
    assert told == ["no word of the query has a fitted vector: it is searched by keyword alone"] * 2
    assert _search(documents, "") == []
    with pytest.raises(psycopg.Error, match="query_embedding is null") as raised:
        documents.execute("select id from hybrid_search('zebra', full_text_weight => 0)")
    assert raised.value.sqlstate == "PV004"


def test_hybrid_search_without_an_embedding_takes_the_fitted_vector(documents: Connection) -> None:
    with pytest.raises(psycopg.Error, match="query_embedding is null"):
        documents.execute("select id from hybrid_search('river')")
    fitting.fit(documents, "documents", report=_quiet)
    given = documents.execute("select * from hybrid_search('river', pgvec.query_vector('river'))").fetchall()
    assert documents.execute("select * from hybrid_search('river')").fetchall() == given
    assert documents.execute(
        "select id, content, metadata, score, similarity, keyword_score from search('river')"
    ).fetchall() == [row[:6] for row in given]
    assert documents.execute(
        "select route, rows from pgvec.explain_search('documents', match_count => 5, query_text => 'river')"
    ).fetchall() == [("fitted vector, exact", 5)]


def test_an_embedding_that_is_given_is_used(documents: Connection) -> None:
    vector = "[1, 2, 3, 4, 5, 6, 7]"
    before = documents.execute("select * from hybrid_search('river', %s)", (vector,)).fetchall()
    fitting.fit(documents, "documents", report=_quiet)
    assert documents.execute("select * from hybrid_search('river', %s)", (vector,)).fetchall() == before
    found = _search(documents, "river", query_embedding=vector)
    assert [(row[0], row[1]) for row in found] == [(row[0], row[4]) for row in before]


def test_the_vector_is_the_sum_of_those_of_the_words(documents: Connection) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    rows = documents.execute(
        "select lexeme, vector::real[] from pgvec.lexeme_vectors where lexeme in ('salmon', 'hammer', 'nail')"
    ).fetchall()
    known = {lexeme: np.array(vector) for lexeme, vector in rows}
    summed = known["salmon"] * (1 + np.log(2)) + known["hammer"]
    row = documents.execute("select pgvec.query_vector('Salmon hammers salmon zebra -nail')::real[]").fetchone()
    assert row is not None
    assert row[0] == pytest.approx(summed / np.linalg.norm(summed), abs=1e-5)


@pytest.mark.parametrize("distance", ["l2", "inner_product", "l1"])
def test_by_other_distances_it_is_as_long_as_the_vectors_of_the_rows(connection: Connection, distance: str) -> None:
    _fill(connection, distance=distance, storage="halfvec")
    fitting.fit(connection, "documents", report=_quiet)
    row = connection.execute(
        "select extensions.vector_norm(pgvec.query_vector('river')),"
        " (select avg(extensions.l2_norm(embedding)) from documents)"
    ).fetchone()
    assert row is not None
    assert row[0] == pytest.approx(row[1], rel=0.001)
    assert {row[0][:4] for row in _search(connection, "eagle", match_count=7)} == {"bird"}


def test_a_fit_replaces_the_one_before_at_its_end(documents: Connection) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    documents.execute("update documents set content = replace(content, 'hammer', 'mallet')")
    during = []

    def look(_done: int, _total: int | None, note: str) -> None:
        if note == "store":
            with psycopg.connect(documents.info.dsn) as other:
                during.append(
                    other.execute("select lexeme from pgvec.lexeme_vectors where lexeme = 'hammer'").fetchall()
                )

    fitting.fit(documents, "documents", report=look)
    assert during == [[("hammer",)]]
    assert documents.execute(
        "select lexeme from pgvec.lexeme_vectors where lexeme in ('hammer', 'mallet')"
    ).fetchall() == [("mallet",)]


@pytest.mark.parametrize("access", ["tenant", "policy"])
def test_rows_that_not_everybody_sees_are_not_fitted(
    connection: Connection, access: str, as_role: Callable[[str], Connection]
) -> None:
    connection.execute("select pgvec.create_collection('documents', 7, access => %s)", (access,))
    with pytest.raises(psycopg.Error, match="not everybody sees all rows") as raised:
        fitting.fit(connection, "documents", report=_quiet)
    assert raised.value.sqlstate == "PV006"
    assert raised.value.diag.message_hint


def test_a_policy_that_comes_later_ends_the_use_of_what_was_fitted(documents: Connection) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    assert documents.execute("select rows from pgvec.fit_status()").fetchall() == [(63,)]
    documents.execute("create policy mine on documents as restrictive for select using (id like 'f%')")
    assert documents.execute("select pgvec.query_vector('river'), count(*) from pgvec.fit_status()").fetchall() == [
        (None, 0)
    ]


def test_an_adopted_table_is_fitted_while_it_has_no_row_level_security(connection: Connection) -> None:
    _fill(connection, "first")
    connection.execute("create table notes as select id, content, embedding from first")
    connection.execute("alter table notes add primary key (id)")
    connection.execute("select pgvec.adopt_collection('notes', 'public.notes', content_columns => '{content}')")
    assert fitting.fit(connection, "notes", report=_quiet).rows == 63
    assert len(_search(connection, "river", collection="notes", match_count=21)) == 21
    connection.execute("alter table notes enable row level security")
    assert connection.execute("select pgvec.query_vector('river', 'notes')").fetchall() == [(None,)]


def test_who_may_not_read_the_table_learns_nothing_of_its_words(
    documents: Connection, as_role: Callable[[str], Connection]
) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    reader = as_role("pgvec_reader")
    assert reader.execute("select pgvec.query_vector('river') is not null").fetchall() == [(True,)]
    for table in ("fits", "lexeme_vectors"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"select * from pgvec.{table}".encode())
    documents.execute("revoke select on documents from pgvec_reader")
    assert reader.execute("select pgvec.query_vector('river'), count(*) from pgvec.fit_status()").fetchall() == [
        (None, 0)
    ]


def test_another_model_is_not_searched_with_vectors_of_the_old_one(documents: Connection) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    documents.execute("update pgvec.collections set model = 'local:a'")  # bound afterwards: the vectors are its own
    assert documents.execute("select pgvec.query_vector('river') is null").fetchall() == [(False,)]
    fitting.fit(documents, "documents", report=_quiet)
    documents.execute("update pgvec.collections set model = 'local:b'")
    assert documents.execute("select pgvec.query_vector('river') is null").fetchall() == [(True,)]


def test_what_was_fitted_goes_with_its_collection_and_keeps_its_name(documents: Connection) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    documents.execute("update pgvec.collections set name = 'renamed'")
    assert documents.execute("select rows from pgvec.fit_status('renamed')").fetchall() == [(63,)]
    documents.execute("select pgvec.drop_collection('renamed')")
    assert documents.execute("select count(*) from pgvec.lexeme_vectors").fetchone() == (0,)


def test_a_collection_without_vectors_cannot_be_fitted(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    with pytest.raises(DataRejectedError, match="no rows with words and a vector"):
        fitting.fit(connection, "documents", report=_quiet)


def test_of_a_large_collection_a_sample_is_fitted(documents: Connection) -> None:
    documents.execute(
        "insert into documents (id, content, embedding)"
        " select 'x' || i, 'pike ' || i, '[1, 1, 1, 1, 1, 1, 1]' from generate_series(1, 3000) as i"
    )
    documents.execute("analyze documents")
    assert fitting.fit(documents, "documents", most_rows=500, report=_quiet).rows <= 500


def test_what_was_fitted_can_be_forgotten(documents: Connection) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    documents.execute("select pgvec.drop_fit('documents')")
    assert documents.execute("select count(*) from pgvec.lexeme_vectors").fetchone() == (0,)


def test_verify_says_when_a_fit_is_due(documents: Connection) -> None:
    def told() -> tuple[str, str]:
        row = documents.execute("select result, found from pgvec.verify_fit('documents')").fetchone()
        assert row is not None
        return row

    assert told()[0] == "ok"
    fitting.fit(documents, "documents", report=_quiet)
    assert told()[1].startswith("95 lexemes fitted to 63 rows, agreement with recent rows ")
    documents.execute(
        "insert into documents (id, content, embedding)"
        " select 'new' || i, 'unheard things', '[1, 1, 1, 1, 1, 1, 1]' from generate_series(1, 100) as i"
    )
    assert told() == (
        "warn",
        "fitted to 63 rows, there are 163 with a vector; 100 of 163 recent rows begin with no word that has a vector",
    )
    documents.execute("update pgvec.collections set model = 'local:a'")
    documents.execute("update pgvec.fits set model = 'local:b'")
    assert told()[1].startswith("what was fitted is not used")


def test_verify_notices_vectors_that_have_moved(documents: Connection) -> None:
    fitting.fit(documents, "documents", report=_quiet)
    documents.execute("update pgvec.fits set agreement = 0.9")
    documents.execute(
        "update documents set embedding = (select array_agg(-x)::extensions.vector from unnest(embedding::real[]) as x)"
    )
    row = documents.execute("select result, found from pgvec.verify_fit('documents')").fetchone()
    assert row is not None
    assert row[0] == "warn"
    assert row[1].startswith("agreement with recent rows is -")


def test_the_command_fits_and_searches_without_a_model(documents: Connection, run: Run) -> None:
    before = run("search", "river", "--no-model", "--json")
    assert "nothing is fitted to documents" in before.stderr
    assert len(json.loads(before.stdout)) == 7
    done = run("fit", "documents", "--json")
    assert json.loads(done.stdout)["rows"] == 63
    assert "95 words of 63 rows have a vector, " in done.stderr
    found = json.loads(run("search", "river", "--no-model", "--json", "-n", "21").stdout)
    assert {one["id"][:4] for one in found} == {"fish"}
    assert found[0]["similarity"] > 0.8
    assert found[0]["headline"].count("<mark>river</mark>") == 1
    refused = run("search", "river", "--no-model", "--fusion", "rrf")
    assert refused.returncode == 2
    assert "--fusion means nothing with --no-model" in refused.stderr


def test_evaluate_has_a_row_for_it_where_it_was_fitted(documents: Connection) -> None:
    queries, qrels = [Query("a", "river")], {"a": {"fish8": 1, "fish0": 1}}
    for fitted in (False, True):
        if fitted:
            fitting.fit(documents, "documents", report=_quiet)
        found = evaluate.run(documents, "documents", queries, qrels, embed=None, report=_quiet)
        assert ("no model" in [result.mode for result in found.results]) == fitted
    assert found.results[-1].recall100 == 1


def test_the_service_answers_texts_without_a_model(documents: Connection, database: str) -> None:
    with running(Settings(database, no_model=True)) as service:

        def found(mode: str, text: str = "river") -> Any:
            return service.post("/search", json={"query": text, "mode": mode, "top_k": 21})

        assert len(found("hybrid").json()["results"]) == 7
        assert found("vector").status_code == 422
        fitting.fit(documents, "documents", report=_quiet)
        for mode in ("vector", "hybrid"):
            answer = found(mode).json()["results"]
            assert len(answer) == 21
            assert {one["id"][:4] for one in answer} == {"fish"}
        assert found("hybrid", "zebra").json()["results"] == []
        assert found("vector", "zebra").json()["title"] == "no word of the text has a fitted vector"
        near = service.post("/search/pgvector", json={"query": "river", "limit": 1}).json()["results"]
        assert near[0]["chunkId"].startswith("fish")
        refused = service.post("/documents", json=[{"id": "x", "content": "a text"}])
        assert refused.status_code == 422
        assert refused.json()["title"] == "the service runs without a model"


def test_rest_answers_a_text_with_the_anon_key(with_search: Project) -> None:
    with psycopg.connect(with_search.database, autocommit=True) as connection:
        _fill(connection)
        fitting.fit(connection, "documents", report=_quiet)
    with_search.settle()
    answer = with_search.rpc("search", {"query_text": "river", "match_count": 21}, "anon")
    assert {row["id"][:4] for row in answer.json()} == {"fish"}
    assert len(answer.json()) == 21
    assert with_search.rpc("query_vector", {"query_text": "river"}, "anon").status_code == 404


@needs_judgements
@pytest.mark.parametrize("name", ["cranfield", "cisi"] if FULL else ["cisi"])
def test_it_is_better_than_words_alone_with_vectors_of_nobodys_model(
    connection: Connection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "MODES", [mode for mode in evaluate.MODES if mode.name in evaluate.LEGS])
    judged = read(name)
    turn = np.random.default_rng(1).normal(size=(384, 100)) / 10
    collections.create(connection, "documents", 100)
    records = [replace(one, embedding=(one.embedding @ turn).astype(np.float32)) for one in judged.records]  # type: ignore[operator]
    load.load_records(connection, "documents", records)
    fitting.fit(connection, "documents", report=_quiet)
    queries = [Query(one.id, one.text) for one in judged.queries]
    found = evaluate.run(connection, "documents", queries, judged.qrels, embed=None, report=_quiet)
    ndcg = {result.mode: result.ndcg10 for result in found.results}
    assert ndcg["no model"] > ndcg["keyword, bm25"] + 0.01


def test_words_and_their_places_are_read_as_they_are(documents: Connection) -> None:
    rows = fitting.read(documents, collections.get(documents, "documents"), 1000, _quiet)
    (rows.times > 0).sum(axis=0)
    rows.times.sort_indices()  # as scipy does now and then
    place = int(rows.times[:, rows.lexemes.index("salmon")].nonzero()[0][0])
    found = {rows.lexemes[column]: rows.firsts[place, column] for column in rows.firsts[place].indices}
    expected = {"salmon": 1, "swim": 2, "river": 5, "number": 6}
    assert {word: found[word] for word in expected} == expected


def test_what_rows_begin_with_is_spread_nearly_as_the_rows_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Along each principal component, though a ridge regression shrinks most what rows differ least in."""
    random = np.random.default_rng(1)
    count, words, dimensions = 2000, 300, 8
    bags = sparse.csr_matrix((random.random((count, words)) < 0.05).astype(np.float32))
    noise = random.normal(size=(count, dimensions))
    vectors = (bags @ random.normal(size=(words, dimensions)) + 4 * noise) / np.arange(1, dimensions + 1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = ridge.Rows([f"w{place}" for place in range(words)], bags, bags.copy(), vectors.astype(np.float32))
    components = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)[2].T
    own = (vectors @ components).std(axis=0)

    def apart() -> float:
        begun = bags @ ridge.fit(rows, _quiet).vectors
        spread = (begun / np.linalg.norm(begun, axis=1, keepdims=True) @ components).std(axis=0)
        return float(np.abs(np.log(spread / spread[0] / (own / own[0]))).max())

    stretched = apart()
    monkeypatch.setattr(ridge, "_spread", lambda fitted, *_: fitted)
    assert stretched < apart() / 2
