"""Logged searches repeated: what is compared with what, by which measure, and that no setting remains."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command import Run
from conftest import Connection
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.quality import replay, stats
from pgvec_admin.quality.replay import LoggedSearch, Ranking, Setting


@pytest.fixture
def searched(connection: Connection) -> Connection:
    """Five rows, and four searches of them in the log: two by hybrid_search, one of these twice."""
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        "insert into documents (id, content, embedding)"
        " select 'd' || i, repeat('word ', i) || 'number' || i, array[1, i, 0]::float4[]::extensions.vector"
        " from generate_series(1, 5) as i"
    )
    connection.execute("select pgvec.log_searches('documents', 1, texts => true, embeddings => true)")
    for call in (
        "match_documents('[1,0,0]', 2)",
        "keyword_search('number2')",
        "hybrid_search('word number5', '[1,0,0]')",
        "hybrid_search('word number5', '[1,0,0]')",
    ):
        connection.execute(f"select count(*) from {call}".encode())
    return connection


def test_searches_come_by_how_often_they_were_made(searched: Connection) -> None:
    found = replay.logged(searched, "documents")
    assert [(one.function, one.text, one.embedding, one.logged) for one in found] == [
        ("hybrid_search", "word number5", "[1,0,0]", 2),
        ("keyword_search", "number2", None, 1),
        ("match_documents", None, "[1,0,0]", 1),
    ]
    assert len(replay.logged(searched, "documents", limit=1)) == 1
    searched.execute("select pgvec.create_collection('empty', 3)")
    with pytest.raises(UsageError, match="no searches of empty are logged"):
        replay.logged(searched, "empty")


def test_a_setting_changes_answers_for_the_run_alone(searched: Connection) -> None:
    found = replay.logged(searched, "documents")
    now = replay.run(searched, "documents", found, Setting())
    again = replay.run(searched, "documents", found, Setting())
    assert [one and one.ids for one in now] == [one and one.ids for one in again]
    weighed = replay.parse("full_text_weight=0,ef_search=77")
    other = replay.run(searched, "documents", found, weighed)
    result = replay.compare(found, ("now", now), (weighed.name, other))
    assert (result.searches, result.left_out, result.unchanged) == (3, 0, 2)
    assert result.changes[0].search.function == "hybrid_search"
    assert result.changes[0].rbo < 1 == result.changes[0].overlap
    assert other[0] is not None
    assert other[0].ids == ["d1", "d2", "d3", "d4", "d5"]
    assert searched.execute("select settings from pgvec.collections").fetchone() == ({},)
    row = searched.execute("select count(*) from pgvec.search_log").fetchone()
    assert row == (4,), "what is made again is not logged"


def test_an_earlier_version_of_a_function_answers_and_is_gone_again(searched: Connection) -> None:
    first = searched.execute(
        "select definition from pgvec.function_history where name = 'public.keyword_search' and version = 1"
    ).fetchone()
    assert first is not None
    worse = first[0].replace("     limit request.wanted\n", "     limit 0\n")
    assert worse != first[0]
    searched.execute(
        "insert into pgvec.function_history (name, version, origin, definition, fingerprint, package_version)"
        " values ('public.keyword_search', 2, 'file', %s, 'x', '0')",
        (worse,),
    )
    found = replay.logged(searched, "documents")
    answers = replay.run(searched, "documents", found, replay.parse("version=keyword_search:2"))
    assert [one and len(one.ids) for one in answers] == [5, 0, 5]
    assert searched.execute("select count(*) from keyword_search('number2')").fetchone() == (1,)
    assert searched.execute("select max(version) from pgvec.function_history").fetchone() == (2,)


def test_another_model_gets_vectors_of_its_own(searched: Connection) -> None:
    searched.execute("select pgvec.create_collection('others', 2, model => 'local:other')")
    searched.execute("insert into others (id, content, embedding) values ('d9', 'word', '[1,0]')")
    found = replay.logged(searched, "documents")
    setting = replay.parse("collection=others")
    assert [one and one.ids for one in replay.run(searched, "documents", found, setting)] == [None, [], None]
    asked: list[str] = []

    def embed(text: str) -> list[float]:
        asked.append(text)
        return [1.0, 0.0]

    answers = replay.run(searched, "documents", found, setting, embed=embed)
    assert [one and one.ids for one in answers] == [["d9"], [], None]
    assert asked == ["word number5"]


@pytest.mark.parametrize(
    ("one", "other", "rbo"),
    [
        (["a", "b", "c"], ["a", "b", "c"], 1),
        (["a", "b"], ["c", "d"], 0),
        ([], [], 1),
        (["a"], [], 0),
        # depths 1 to 3 share 0, 1 and 2/3: 2/3 * 0.9^3 + 0.1/0.9 * (0.9^2 + 2/3 * 0.9^3)
        (["a", "b", "c"], ["b", "a", "d"], 0.63),
    ],
)
def test_rank_biased_overlap_is_that_of_the_paper(one: list[str], other: list[str], rbo: float) -> None:
    assert replay.rank_biased_overlap(one, other) == pytest.approx(rbo)
    assert replay.rank_biased_overlap(other, one) == pytest.approx(rbo)


def test_a_swap_at_the_top_weighs_more_than_one_at_the_end() -> None:
    ids = list("abcdefghij")
    top, end = [ids[1], ids[0], *ids[2:]], [*ids[:8], ids[9], ids[8]]
    assert replay.rank_biased_overlap(ids, top) < replay.rank_biased_overlap(ids, end) < 1


@pytest.mark.parametrize("text", ["ef_search", "ef_search=many", "speed=9", "version=match_documents", ""])
def test_a_setting_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        replay.parse(text)


def test_answers_are_saved_and_read_as_they_were(tmp_path: Path) -> None:
    searches = [
        LoggedSearch("hybrid_search", "wörd", "[1,0]", {"a": [1]}, None, 2),
        LoggedSearch("match_documents", None, "[1,0]", None, None, 1),
    ]
    rankings = [Ranking(["a", "b"], 1.5), None]
    replay.save(tmp_path / "saved", searches, rankings)
    assert replay.load(tmp_path / "saved") == (searches, rankings)
    result = replay.compare(searches, ("saved", rankings), ("now", [Ranking(["b"], 3.0), Ranking(["c"], 1.0)]))
    assert (result.searches, result.left_out, result.overlap) == (1, 1, 0.5)
    assert (result.changes[0].gone, result.changes[0].come) == (["a"], [])
    (tmp_path / "bad").write_text("[{}]")
    with pytest.raises(DataRejectedError, match="no saved evaluation"):
        replay.load(tmp_path / "bad")


def test_figures_are_of_the_time_asked_for(searched: Connection) -> None:
    searched.execute(
        "update pgvec.search_log set searched_at = now() - interval '3 hours', ms = 50000, sample = 0.5"
        " where function = 'hybrid_search'"
    )
    day = stats.read(searched, "documents", "24h")
    assert [(one.function, one.logged, one.searches) for one in day.searches] == [
        ("hybrid_search", 2, 4),
        ("keyword_search", 1, 1),
        ("match_documents", 1, 1),
    ]
    hybrid = day.searches[0]
    assert (hybrid.p50_ms, hybrid.p99_ms, hybrid.returned_p50, hybrid.short_share) == (50000, 50000, 5, 1)
    (series,) = day.series
    assert (series.searches[20], series.searches[23], sum(series.searches)) == (4, 2, 6)
    assert (series.p95_ms[20], series.p95_ms[0]) == (50000, None)
    assert day.slowest[0].text == "word number5"
    assert [one.function for one in stats.read(searched, None, "1h").searches] == ["keyword_search", "match_documents"]
    assert [(one.collection, one.to_embed) for one in day.collections] == [("documents", 0)]
    assert stats.read(searched, None, "0h").series == []


def test_the_commands_print_json_and_refuse_what_makes_no_sense(searched: Connection, run: Run) -> None:
    found = json.loads(run("stats", "documents", "--json").stdout)
    assert [one["function"] for one in found["searches"]] == ["hybrid_search", "keyword_search", "match_documents"]
    state = json.loads(run("log", "show", "--json").stdout)
    assert [(one["collection"], one["logged"], one["texts"]) for one in state] == [("documents", 4, True)]
    result = json.loads(run("evaluate", "documents", "--from-log", "--against", "ef_search=200", "--json").stdout)
    assert (result["searches"], result["unchanged"], result["overlap"]) == (3, 3, 1)
    for arguments, told in (
        (("evaluate", "documents"), "evaluate what?"),
        (("evaluate", "documents", "--from-log"), "compare with what?"),
        (("evaluate", "documents", "--from-log", "--against", "speed=1"), "nothing to compare with"),
        (("stats", "nowhere"), "there is no collection"),
        (("log", "on", "nowhere"), "there is no collection"),
    ):
        refused = run(*arguments)
        assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
