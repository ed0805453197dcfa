"""The filter language: what it matches, by a reference, what it refuses, and which index serves it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

import installation
from conftest import Connection
from filter_reference import matches
from pgvec_admin.server import embedded
from properties import examples

HOSTILE = [
    '"',
    "'",
    "a.b",
    "a b",
    "$x",
    "x$y",
    "",
    "\\",
    "é",
    "日本",
    "😀",
    "%",
    "_",
    "[*]",
    "@",
    "\n",
    '"] || true',
    "--",
    "$1",
]
KEYS = ["a", "b", "c", *(text for text in HOSTILE if not text.startswith("$"))]
TEXTS = ["", "a", "ab", "A", "b", "é", "0", "true", "null", *HOSTILE]
NUMBERS = [-3, -1, 0, 1, 2, 3, 0.5, -1.5, 2.0, 1e20, 10**30]

Draw = Callable[[st.SearchStrategy[Any]], Any]


def _scalar(draw: Draw) -> Any:
    return draw(st.sampled_from([None, True, False, *NUMBERS, *TEXTS]))


def _value(draw: Draw, keys: list[str], depth: int) -> Any:
    kind = draw(st.sampled_from(["scalar", "scalar", "list", "object"] if depth else ["scalar"]))
    size = draw(st.integers(0, 3))
    if kind == "list":
        return [_value(draw, keys, depth - 1) for _ in range(size)]
    if kind == "object":
        return {draw(st.sampled_from(keys)): _value(draw, keys, depth - 1) for _ in range(size)}
    return _scalar(draw)


def _pattern(draw: Draw, characters: str) -> str:
    text: str = draw(st.text(st.sampled_from(list(characters)), max_size=4))
    return text + "\\" * ((len(text) - len(text.rstrip("\\"))) % 2)  # a backslash needs a character to escape


def _operator(draw: Draw) -> dict[str, Any]:
    name = draw(
        st.sampled_from(
            [
                "$eq",
                "$ne",
                "$contains",
                "$gt",
                "$gte",
                "$lt",
                "$lte",
                "$in",
                "$nin",
                "$containsAny",
                "$containsAll",
                "$between",
                "$exists",
                "$like",
                "$ilike",
            ]
        )
    )
    match name:
        case "$gt" | "$gte" | "$lt" | "$lte":
            operand = draw(st.sampled_from([*NUMBERS, *TEXTS]))
        case "$in" | "$nin" | "$containsAny" | "$containsAll":
            operand = [_scalar(draw) for _ in range(draw(st.integers(0, 3)))]
        case "$between":
            of: list[Any] = draw(st.sampled_from([NUMBERS, TEXTS]))
            operand = sorted([draw(st.sampled_from(of)), draw(st.sampled_from(of))])
        case "$exists":
            operand = draw(st.booleans())
        case "$like":
            operand = _pattern(draw, "ab%_é.*+?()[]{}|^$\\\n\"'")
        case "$ilike":
            operand = _pattern(draw, "aAbB%_.*")
        case _:
            operand = _scalar(draw)
    return {name: operand}


def _condition(draw: Draw, depth: int, *, of_a_key: bool) -> dict[str, Any]:
    """Values for a filter, or, with `of_a_key`, for one of its keys."""
    kind = draw(st.sampled_from(["leaf", "leaf", "leaf", "$and", "$or", "$not", "two"] if depth else ["leaf"]))
    inner = partial(_condition, draw, depth - 1, of_a_key=of_a_key)
    match kind:
        case "$and" | "$or":
            return {kind: [inner() for _ in range(draw(st.integers(1, 3)))]}
        case "$not":
            return {"$not": inner() or {"a": 1}}
        case "two":
            return inner() | inner()
    if of_a_key:
        return _operator(draw)
    key = draw(st.sampled_from(KEYS))
    if draw(st.booleans()):
        return {key: _value(draw, KEYS, 2)}
    below = _condition(draw, min(depth, 1), of_a_key=True)
    return {key: {draw(st.sampled_from(KEYS)): below} if draw(st.booleans()) and depth else below}


@st.composite
def documents(draw: Draw) -> dict[str, Any]:
    keys = [*KEYS, *HOSTILE]
    return {draw(st.sampled_from(keys)): _value(draw, keys, 3) for _ in range(draw(st.integers(0, 4)))}


@st.composite
def filters(draw: Draw) -> dict[str, Any]:
    return _condition(draw, 3, of_a_key=False)


@pytest.fixture
def everything(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 1)")
    return connection


def _passes(connection: Connection, document: Any, condition: Any) -> bool | None:
    """As a search evaluates it: by the compiled condition, whose parameter $2 has the values."""
    compiled = connection.execute(
        "select coalesce(nullif(m.condition, ''), 'true'), m.bound"
        " from pgvec.metadata_condition('$1', pgvec.parse_filter(%s), '[]') as m",
        (Jsonb(condition),),
    ).fetchone()
    assert compiled is not None
    with psycopg.RawCursor(connection) as cursor:
        typed = compiled[0].replace("$1", "$1::jsonb").replace("$2", "$2::jsonb")
        row = cursor.execute(
            f"select ({typed}) is true, $1::jsonb, $2::jsonb".encode(),
            (Jsonb(document), Jsonb(compiled[1])),
        ).fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


@examples(1500)
@given(document=documents(), condition=filters())
@example(document={"a": [1, "a"]}, condition={"a": {"$contains": "a"}})
@example(document={"a": ["a"]}, condition={"$or": [{"a": "a"}]})
@example(document={"a": None}, condition={"a": {"$ne": None}})
@example(document={}, condition={"$not": {"a": {"$exists": True}}})
@example(document={"a": {"b": 1}}, condition={"a": {"$not": {"b": {"$gt": 0}}}})
@example(document={"a": 1}, condition={"a": {"$eq": 1}, "$and": [{"a": {"$eq": 2}}]})
@example(document={"a": "x.y"}, condition={"a": {"$like": "x_y"}})
@example(document={"a": "xzy"}, condition={"a": {"$like": "x.y"}})
@example(document={}, condition={"$not": {"a": {"$like": "x"}}})
@example(document={"a": 1}, condition={"a": {"$not": {"$like": "x"}}})
def test_a_filter_means_what_the_reference_says(connection: Connection, document: Any, condition: Any) -> None:
    assert _passes(connection, document, condition) is matches(document, condition)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"year": {"$gte": 2020}, "$or": [{"lang": "en"}, {"tags": {"$containsAny": ["sql", "search"]}}]}, "a"),
        ({"year": {"$between": [2018, 2020]}}, "ab"),
        ({"lang": {"$in": ["de", "fr"]}}, "bc"),
        ({"lang": {"$nin": ["de", "fr"]}}, "ad"),
        ({"year": {"$ne": 2020}}, "bcd"),
        ({"year": {"$gt": "2000"}}, "c"),
        ({"by": {"name": {"$ilike": "ann%"}}}, "a"),
        ({"$not": {"lang": "en"}}, "bcd"),
        ({"tags": {"$containsAll": ["sql", "db"]}}, "a"),
        ({"year": {"$exists": False}}, "d"),
        ('{"lang": "en"}', "a"),
        (None, "abcd"),
    ],
)
def test_searches_take_filters(everything: Connection, condition: Any, expected: str) -> None:
    everything.execute(
        """
        insert into documents (id, content, embedding, metadata)
        values ('a', 'word', '[1]', '{"lang": "en", "year": 2020, "tags": ["sql", "db"], "by": {"name": "Anna"}}'),
               ('b', 'word', '[1]', '{"lang": "de", "year": 2018, "tags": ["search"]}'),
               ('c', 'word', '[1]', '{"lang": "fr", "year": "2021", "tags": "sql"}'),
               ('d', 'word', '[1]', '{}')
        """
    )
    for call in ("match_documents('[1]', filter => %s)", "keyword_search('word', filter => %s)"):
        rows = everything.execute(f"select id from {call} order by id", (Jsonb(condition),)).fetchall()
        assert "".join(row[0] for row in rows) == expected


@pytest.mark.parametrize(
    ("condition", "message", "hint"),
    [
        ({"year": {"$gtt": 1}}, "unknown filter operator $gtt", "$and $or $not"),
        ({"$nor": [{"a": 1}]}, "unknown filter operator $nor", "$eq $ne $gt"),
        ({"a": {"b": [{"$eq": 1}]}}, "operator stands within a list", "containment"),
        ({"$gte": 3}, "$gte stands without a key", "which key"),
        ({"a": {"$gt": [1]}}, "$gt takes a number or a string, not [1]", "2020"),
        ({"a": {"$gt": None}}, "$gt takes a number or a string, not null", "2020"),
        ({"a": {"$eq": {"b": 1}}}, "$eq takes a string, number, boolean or null", "containment"),
        ({"a": {"$in": "x"}}, "$in takes a list", '["a", "b"]'),
        ({"a": {"$in": [[1]]}}, "$in takes a list of strings", '["a", "b"]'),
        ({"a": {"$between": [1]}}, "$between takes a list of two", "[2000, 2020]"),
        ({"a": {"$between": [1, "b"]}}, "$between takes a list of two", "[2000, 2020]"),
        ({"a": {"$exists": 1}}, "$exists takes true or false", "true"),
        ({"a": {"$like": 3}}, "$like takes a pattern", "backslash"),
        ({"a": {"$like": "x\\"}}, "$like takes a pattern", "backslash"),
        (
            {"$or": [{"a": {"$like": "x"}}, {"b": {"c": {"$not": {"$ilike": "y" * 1000}}}}]},
            "2 patterns of 1001 characters together",
            "$text",
        ),
        ({"$or": [{"a": {"$like": "x"}}] * 51}, "51 patterns of 51 characters together", "at most 50 patterns"),
        ({"$or": {"a": 1}}, "$or takes a list of objects", "for example"),
        ({"$and": []}, "$and takes a list of objects", "for example"),
        ({"$not": [{"a": 1}]}, "$not takes an object", "for example"),
        ({"a": {"$in": list(range(1001))}}, "$in has 1001 values, more than 1000", "mark the rows"),
        ({"a": "x" * 70_000}, "has 70009 characters, more than 65536", "mark the rows"),
    ],
)
def test_a_filter_without_meaning_is_refused(connection: Connection, condition: Any, message: str, hint: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(
            "select pgvec.check_patterns(f), pgvec.metadata_condition('x', f, '[]') from pgvec.parse_filter(%s) as f",
            (Jsonb(condition),),
        )
    assert caught.value.sqlstate == "PV003"
    assert message in (caught.value.diag.message_primary or "")
    assert hint in (caught.value.diag.message_hint or "")


def test_a_filter_may_be_twelve_levels_deep(connection: Connection) -> None:
    condition: dict[str, Any] = {"a": 1}
    for _ in range(5):
        condition = {"$and": [condition]}
    assert _passes(connection, {"a": 1}, condition) is True
    with pytest.raises(psycopg.Error, match="nested deeper than 12 levels"):
        _passes(connection, {}, {"$not": {"$not": condition}})


def test_the_largest_filters_are_answered(everything: Connection) -> None:
    everything.execute("insert into documents (content, embedding, metadata) values ('x', '[1]', '{\"n\": 999}')")
    lists = [{"n": {"$in": list(range(1000))}} for _ in range(12)]
    assert len(json.dumps({"$and": lists})) < 65536
    row = everything.execute(
        "select count(*) from match_documents('[1]', filter => %s)", (Jsonb({"$or": lists}),)
    ).fetchone()
    assert row == (1,)


@pytest.mark.parametrize("where", ["metadata", "a column"])
@pytest.mark.parametrize("operator", ["$like", "$ilike"])
def test_more_patterns_than_the_server_keeps_compiled_are_answered(
    everything: Connection, operator: str, where: str
) -> None:
    """The server caches 32 regular expressions; with one more, each was compiled again for each row.

    Of 2,000 rows that took minutes.
    """
    key = "title" if where == "a column" else "of"
    everything.execute("create table jobs (id int primary key, title text, of text)")
    everything.execute("insert into jobs select i, 'row ' || i, 'row ' || i from generate_series(1, 500) as i")
    everything.execute("select pgvec.adopt_collection('jobs', 'jobs', dimensions => 1, content_columns => '{of}')")
    everything.execute("update jobs set embedding = '[1]'")
    everything.execute(
        "insert into documents (id, content, embedding, metadata)"
        " select i, 'x', '[1]', jsonb_build_object('of', 'row ' || i) from generate_series(1, 500) as i"
    )
    patterns = [{key: {operator: f"{n}{'abc_%' * 3}"}} for n in range(49)]
    everything.execute("set statement_timeout = '5s'")
    rows = everything.execute(
        "select id from match_documents('[1]', filter => %s, collection => %s)",
        (Jsonb({"$or": [*patterns, {key: {operator: "row 17"}}]}), "jobs" if where == "a column" else "documents"),
    ).fetchall()
    assert rows == [("17",)]


@pytest.mark.parametrize(
    "text", [*HOSTILE, "'; drop table documents; --", "$$; drop", "%s%I%L", '"} || {"a": 1', "\\u0041", "*/"]
)
def test_no_text_of_a_filter_becomes_sql_or_jsonpath(everything: Connection, text: str) -> None:
    everything.execute(
        "insert into documents (id, content, embedding, metadata)"
        " values ('own', 'x', '[1]', %s), ('other', 'x', '[1]', '{}')",
        (Jsonb({text: {text: text}}),),
    )
    if not text.startswith("$"):
        for condition in (
            {text: {text: text}},
            {text: {text: {"$eq": text}}},
            {"$or": [{text: {text: text}}]},
            {text: {text: {"$in": [text]}}},
            {text: {text: {"$gte": text}}},
            {text: {text: {"$between": [text, text]}}},
            {text: {text: {"$like": re.sub(r"([%_\\])", r"\\\1", text)}}},
            {text: {"$exists": True}},
        ):
            rows = everything.execute(
                "select id from match_documents('[1]', filter => %s)", (Jsonb(condition),)
            ).fetchall()
            assert rows == [("own",)], condition
    assert everything.execute("select count(*) from documents").fetchone() == (2,)


@pytest.fixture(scope="module")
def many(server: embedded.Server, with_engine: Any) -> Iterator[Connection]:
    """5,000 rows to be read."""
    with (
        installation.created(server, "many_to_filter", with_engine.template_dbname) as url,
        installation.connect(installation.as_installer(url)) as connection,
    ):
        connection.execute("select pgvec.create_collection('documents', 1)")
        connection.execute(
            """
            insert into documents (content, embedding, metadata)
            select 'x', '[1]',
                   jsonb_build_object('n', i, 'm', jsonb_build_object('k', i), 'tags', jsonb_build_array('t' || i))
              from generate_series(1, 5000) as i
            """
        )
        connection.execute("analyze documents")
        yield connection


@pytest.mark.parametrize(
    "condition",
    [
        {"n": 5},
        {"n": {"$eq": 5}},
        {"n": {"$in": [5, 6]}},
        {"$or": [{"n": 5}, {"m": {"k": 3}}]},
        {"tags": {"$contains": "t5"}},
        {"tags": {"$containsAny": ["t5", "t6"]}},
        {"tags": {"$containsAll": ["t5"]}},
        {"n": 5, "m": {"k": {"$gte": 0}}},
    ],
)
def test_the_gin_index_serves_equality_and_containment(many: Connection, condition: dict[str, Any]) -> None:
    plan = many.execute(
        "select plan, estimate from pgvec.explain_search('documents', '[1]', filter => %s)", (Jsonb(condition),)
    ).fetchone()
    assert plan is not None
    assert "Bitmap Index Scan on documents_metadata_idx" in plan[0]
