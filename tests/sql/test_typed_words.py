"""Words as people type them: with typing errors, half of them, and other words for the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from conftest import Connection

TEXTS = {
    "pool": "Every connection pool of postgres has a limit.",
    "automatic": "Automatic vacuum, and automation of backups",
    "automata": "Finite automata",
    "brain": "The brain is an organ of animals",
    "bring": "They bring more of it",
    "kube": "How to install kubernetes on a notebook",
    "portable": "A portable computer weighs little",
    "computer": "The computer of a museum",
    "run": "He runs every day",
    "code": "Part XJ900 of the machine",
    "russian": "Базы данных",
}


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    for id_, text in TEXTS.items():
        connection.execute("insert into documents (id, content, embedding) values (%s, %s, '[1,2,3]')", (id_, text))
    connection.execute("insert into documents (content) select 'the human brain' from generate_series(1, 20)")
    return connection


def _ids(connection: Connection, text: str, options: str = "", **arguments: Any) -> list[str]:
    call = f"select id from keyword_search(%(text)s{options})".encode()
    return [row[0] for row in connection.execute(call, {"text": text, **arguments}).fetchall()]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("postgers", "pool"),  # changed places
        ("postres", "pool"),  # left out
        ("posttgres", "pool"),  # one too many
        ("postgraz", "pool"),  # two errors
        ("conection", "pool"),
        ("xonnection", "pool"),  # the first letter
        ("connectino", "pool"),  # in the ending, which the stem has not
        ("runnign", "run"),
        ("Conection", "pool"),
        ("kubernetse", "kube"),
        ("kuberentess", "kube"),  # two errors
        ("данныз", "russian"),
        ("zzzzzzzz", None),
    ],
)
def test_a_typing_error_finds_what_was_meant(documents: Connection, typed: str, found: str | None) -> None:
    assert _ids(documents, typed) == []
    assert _ids(documents, typed, ", fuzzy => true") == ([found] if found else [])


def test_hybrid_search_reads_words_in_the_same_way(documents: Connection) -> None:
    call = "select id from hybrid_search(%s, null, semantic_weight => 0, fuzzy => %s, prefix => %s)"
    assert documents.execute(call, ("postgers", False, False)).fetchall() == []
    assert documents.execute(call, ("postgers", True, False)).fetchall() == [("pool",)]
    assert documents.execute(call, ("postg", False, True)).fetchall() == [("pool",)]
    near = documents.execute(
        "select id from hybrid_search('postgers', '[1,2,3]', fuzzy => true, match_count => 1)"
    ).fetchall()
    assert near == [("pool",)]


@pytest.mark.parametrize("typed", ["XJ901", "XJ90", "MACHNE", "mAchne", "900", "mac", "lim"])
def test_codes_numbers_and_short_words_are_left_alone(documents: Connection, typed: str) -> None:
    assert _ids(documents, typed, ", fuzzy => true") == []
    assert documents.execute("select suggest_query(%s)", (typed,)).fetchone() == (None,)


def test_words_that_rows_have_are_left_alone(documents: Connection) -> None:
    documents.execute("insert into documents (id, content) values ('rare', 'brian')")
    assert _ids(documents, "brian", ", fuzzy => true") == ["rare"]
    plain = "select id, score from keyword_search(%s, fuzzy => %s)"
    for text in ("connection pool", "the brain of animals", "automatic computer limits"):
        assert documents.execute(plain, (text, True)).fetchall() == documents.execute(plain, (text, False)).fetchall()


def test_the_likelier_word_counts_more(documents: Connection) -> None:
    for number in range(30):
        documents.execute("insert into documents (id, content) values (%s, 'a lemon')", (f"lemon{number}",))
    documents.execute("insert into documents (id, content) values ('melon', 'a melon'), ('demon', 'a demon')")
    found = _ids(documents, "lemno", ", 50, fuzzy => true")
    assert set(found) == {f"lemon{number}" for number in range(30)}
    found = _ids(documents, "emon", ", 50, fuzzy => true")
    assert set(found) == {f"lemon{number}" for number in range(30)} | {"demon"}


def test_the_frequent_word_is_suggested(documents: Connection) -> None:
    for typed, suggested in (
        ("brian", "brain"),
        ("The Brian is an orgn", "The brain is an organ"),
        ("runnign", "runs"),
        ("connectino", "connection"),
        ("brain", None),
        ("kuberentess", "kubernetes"),
    ):
        assert documents.execute("select suggest_query(%s)", (typed,)).fetchone() == (suggested,), typed


def test_a_query_that_finds_too_little_is_read_again(documents: Connection) -> None:
    assert _ids(documents, "postgers") == []
    documents.execute("""update pgvec.collections set settings = settings || '{"fuzzy_below": 1}'""")
    assert _ids(documents, "postgers") == ["pool"]
    assert _ids(documents, "postgers museum") == ["computer"]
    documents.execute("""update pgvec.collections set settings = settings || '{"fuzzy_below": 2}'""")
    assert _ids(documents, "postgers museum") == ["computer", "pool"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("connec", {"pool"}),
        ("connecti", {"pool"}),  # longer than the stem
        ("connection poo", {"pool"}),
        ("automa", {"automatic", "automata"}),
        ("automati", {"automatic"}),
        ("AUTOMATI", {"automatic"}),
        ("kuber ", set()),
        ("kuber", {"kube"}),
        ("xj9", {"code"}),
        ("дан", {"russian"}),
        ("", set()),
        ("%", set()),
    ],
)
def test_the_last_word_may_be_the_beginning_of_one(documents: Connection, typed: str, found: set[str]) -> None:
    assert set(_ids(documents, typed, ", prefix => true")) == found


def test_a_whole_word_counts_more_than_one_that_it_begins(documents: Connection) -> None:
    documents.execute("insert into documents (id, content) values ('auto', 'an auto of an aunt')")
    assert _ids(documents, "auto", ", prefix => true")[0] == "auto"
    assert set(_ids(documents, "auto", ", prefix => true")) == {"auto", "automatic", "automata"}


def test_words_are_completed_with_the_rows_that_have_them(documents: Connection) -> None:
    complete = "select completion, documents from suggest_completions(%s, %s)"
    documents.execute("insert into documents (content) values ('automation'), ('more automation')")
    for prefix, count, found in (
        ("automa", 5, [("automation", 3), ("automatic", 1), ("automata", 1)]),
        ("automa", 1, [("automation", 3)]),
        ("Finite automa", 2, [("Finite automation", 3), ("Finite automatic", 1)]),
        ("bra", 5, [("brain", 21)]),
        ("b", 2, [("brain", 21), ("backups", 1)]),
        ("zzz", 5, []),
        ("automa ", 5, []),
        ("", 5, []),
        (None, 5, []),
        ("%", 5, []),
    ):
        assert documents.execute(complete, (prefix, count)).fetchall() == found, prefix


def _synonyms(connection: Connection, synonyms: object) -> int:
    row = connection.execute("select pgvec.set_synonyms('documents', %s)", (Jsonb(synonyms),)).fetchone()
    assert row is not None
    return int(row[0])


def test_synonyms_are_searched_as_well(documents: Connection) -> None:
    assert _ids(documents, "k8s laptops") == []
    assert _synonyms(documents, {"k8s": ["kubernetes"], "laptop": ["notebook", "portable computer"]}) == 2
    assert _ids(documents, "k8s") == ["kube"]
    assert set(_ids(documents, "laptops")) == {"kube", "portable"}
    assert _ids(documents, "notebook") == ["kube"], "in one direction"
    assert documents.execute("select pgvec.show_synonyms('documents')").fetchone() == (
        {"k8s": ["kubernetes"], "laptop": ["notebook", "portable computer"]},
    )
    assert documents.execute("select value, documents from document_facets('x', 'k8s')").fetchall() == []
    assert _synonyms(documents, {}) == 0
    assert _ids(documents, "laptops") == []
    assert documents.execute("select settings from pgvec.collections").fetchone() == ({},)


def test_a_phrase_has_synonyms_too(documents: Connection) -> None:
    _synonyms(documents, {"container orchestration": ["kubernetes"]})
    assert _ids(documents, "about container orchestration") == ["kube"]
    assert _ids(documents, "orchestration of a container") == []


def test_what_was_typed_counts_more_than_its_synonyms(documents: Connection) -> None:
    documents.execute("insert into documents (id, content) values ('typed', 'laptop and charger words')")
    documents.execute("insert into documents (id, content) values ('other', 'notebook and charger words')")
    documents.execute("insert into documents (content) select 'laptop' from generate_series(1, 30)")
    _synonyms(documents, {"laptop": ["notebook", "portable computer"]})
    found = _ids(documents, "laptop charger", ", 100")
    assert found[:2] == ["typed", "other"]
    assert found.index("portable") > found.index("other")
    assert "computer" not in found, "a phrase finds rows that have all of it"
    marked = documents.execute(
        "select headline from keyword_search('laptop', 100, highlight => true) where id = 'portable'"
    ).fetchone()
    assert marked == ("A <mark>portable</mark> <mark>computer</mark> weighs little",)


@pytest.mark.parametrize(
    ("synonyms", "message"),
    [
        ([], "synonyms are of type array, not an object"),
        (None, "synonyms are of type null, not an object"),
        ({"a": 1}, "the synonyms of 'a' are not a list of 1 to 20 texts"),
        ({"cat": {"x": "y"}}, "the synonyms of 'cat' are not a list"),
        ({"cat": []}, "the synonyms of 'cat' are not a list"),
        ({"cat": ["x", 1]}, "the synonyms of 'cat' are not a list"),
        ({"cat": ["x"] * 21}, "the synonyms of 'cat' are not a list"),
        ({"cat": ["x" * 201]}, "the synonyms of 'cat' are not a list"),
        ({"the": ["x"]}, "'the' has no word that is searched"),
    ],
)
def test_what_is_no_list_of_synonyms_is_refused_whole(documents: Connection, synonyms: object, message: str) -> None:
    _synonyms(documents, {"k8s": "kubernetes"})
    with pytest.raises(psycopg.Error, match=message) as caught:
        _synonyms(documents, synonyms)
    assert caught.value.sqlstate == "PV004"
    assert _ids(documents, "k8s") == ["kube"]


def test_kept_answers_are_no_longer_good_with_other_synonyms(documents: Connection) -> None:
    version = "select pgvec.collection_version('documents')"
    before = documents.execute(version).fetchone()
    _synonyms(documents, {"k8s": "kubernetes"})
    after = documents.execute(version).fetchone()
    _synonyms(documents, {"k8s": "kube"})
    assert len({before, after, documents.execute(version).fetchone()}) == 3


def test_a_collection_takes_its_synonyms_with_it(documents: Connection) -> None:
    _synonyms(documents, {"k8s": "kubernetes"})
    documents.execute("select pgvec.drop_collection('documents')")
    assert documents.execute("select count(*) from pgvec.synonyms").fetchone() == (0,)


def test_rows_with_a_language_of_their_own_are_found_by_what_was_meant(documents: Connection) -> None:
    documents.execute("insert into documents (id, content, language) values ('haus', 'die alten Häuser', 'german')")
    assert _ids(documents, "Häusser", ", fuzzy => true") == ["haus"]
    assert _ids(documents, "Häus", ", prefix => true") == ["haus"]


@pytest.mark.parametrize("add_columns", [False, True])
def test_words_of_rows_that_not_everybody_sees_are_used_for_nobody(connection: Connection, add_columns: bool) -> None:
    connection.execute("create table notes (id int primary key, content text, embedding extensions.vector(3))")
    connection.execute("insert into notes values (1, 'the secret salmon')")
    connection.execute("select pgvec.adopt_collection('notes', 'notes', add_columns => %s)", (add_columns,))
    for call in (
        "keyword_search('salmn', collection => 'notes', fuzzy => true)",
        "keyword_search('salm', collection => 'notes', prefix => true)",
        "suggest_completions('salm', 5, 'notes')",
        "pgvec.begun_lexemes('notes', 'salm', 5)",
        "pgvec.nearest_lexemes('notes', 'salmn')",
    ):
        assert connection.execute(f"select * from {call}".encode()).fetchall() == [], call


def test_readers_may_do_all_of_it(documents: Connection, as_role: Callable[[str], Connection]) -> None:
    _synonyms(documents, {"k8s": "kubernetes"})
    reader = as_role("pgvec_reader")
    for call in (
        "keyword_search('postgers', fuzzy => true)",
        "keyword_search('automa', prefix => true)",
        "keyword_search('k8s', highlight => true, mark_start => '<b>', mark_stop => '</b>')",
        "suggest_completions('automa')",
        "suggest_query('postgers')",
    ):
        expected = documents.execute(f"select * from {call}".encode()).fetchall()
        assert expected
        assert reader.execute(f"select * from {call}".encode()).fetchall() == expected
    for refused in ("pgvec.set_synonyms('documents', '{}')", "pgvec.synonyms", "pgvec.show_synonyms('documents')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"select * from {refused}".encode())
