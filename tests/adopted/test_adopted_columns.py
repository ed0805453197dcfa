"""Filters on columns of adopted tables, of every type, mean what they mean in metadata."""

# ruff: noqa: E501 - tables of cases read better with a case a line
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from conftest import Connection
from filter_reference import matches
from properties import examples


def test_patterns_need_not_be_values_of_the_column_that_they_are_for(connection: Connection) -> None:
    connection.execute("create domain word as text check (value ~ '^[a-z]+$')")
    connection.execute("create table words (id text primary key, content text, w word, c char(3))")
    connection.execute("insert into words values ('1', 'x', 'abc', 'abc'), ('2', 'x', 'xyz', 'xyz')")
    connection.execute("select pgvec.adopt_collection('words', 'words', dimensions => 3)")
    connection.execute("update words set embedding = '[1,2,3]'")
    for pattern in ({"$like": "a%"}, {"$ilike": "A_C"}, {"$like": "\\a%"}):
        for column in "wc":
            found = connection.execute(
                "select id from match_documents('[1,2,3]', filter => %s, collection => 'words')",
                (Jsonb({column: pattern}),),
            ).fetchall()
            assert found == [("1",)], (column, pattern)


VALUES = {
    "smallint": "7", "integer": "7", "bigint": "7", "numeric(5,2)": "7.25", "real": "7.25", "double precision": "7.1",
    "money": "7", "text": "abc", "varchar(5)": "abc", "char(3)": "abc", "char(5)": "abc", "name": "abc", '"char"': "a",
    "citycode": "abc", "mood": "fine", "boolean": "true", "uuid": "00000000-0000-4000-8000-00000000000a",
    "date": "2026-10-01", "time": "10:30", "timetz": "10:30+02", "timestamp": "2026-10-01 10:30",
    "timestamp(0)": "2026-10-01 10:30", "timestamptz": "2026-10-01 10:30+02", "interval": "1 day",
    "inet": "10.0.0.1", "cidr": "10.0.0.0/8", "macaddr": "08:00:2b:01:02:03", "bit(3)": "101", "varbit(5)": "101",
    "int[]": "{1,2}", "text[]": "{a,b}", "jsonb": '{"a": 1}', "json": '{"a": 1}', "int4range": "[1,5)", "bytea": "abc",
}  # fmt: skip


def test_a_column_of_any_type_equals_what_the_metadata_shows_of_it(connection: Connection) -> None:
    connection.execute(
        "create domain citycode as char(3) check (value ~ '^[a-z]+$'); create type mood as enum ('fine')"
    )
    columns = {f"c{number}": type_ for number, type_ in enumerate(VALUES)}
    connection.execute(
        f"create table shapes (id text primary key, content text, {', '.join(f'{n} {t}' for n, t in columns.items())})".encode()
    )
    literals = ", ".join(f"'{VALUES[type_]}'" for type_ in columns.values())
    connection.execute(f"insert into shapes values ('1', 'x', {literals})".encode())
    connection.execute("insert into shapes (id, content) values ('2', 'x')")
    connection.execute(
        "select pgvec.adopt_collection('shapes', 'shapes', dimensions => 3, content_columns => '{content}')"
    )
    connection.execute("update shapes set embedding = '[1,2,3]'")
    search = "select id, metadata from match_documents('[1,2,3]', filter => %s, collection => 'shapes')"
    row = connection.execute(search, ("{}",)).fetchone()
    assert row is not None
    shown = {columns[name]: value for name, value in row[1].items() if name in columns}
    assert shown.keys() == VALUES.keys()
    wrong = []
    for name, type_ in columns.items():
        value = row[1][name]
        conditions = [(value, ["1"])]
        conditions += [({"$not": {"$exists": True}}, ["2"])]
        if type_ not in ("jsonb", "json"):
            conditions += [({}, [])]  # an empty object is contained in objects alone
        if not isinstance(value, list | dict):
            conditions += [({"$in": [value]}, ["1"]), ({"$ne": value}, ["2"]), ({"$exists": True}, ["1"])]
        for condition, expected in conditions:
            found = connection.execute(search, (Jsonb({name: condition}),)).fetchall()
            if [one[0] for one in found] != expected:
                wrong.append((type_, condition, found))
    assert wrong == []


NUMBERS = [None, -1, 0, 1, 2, 1.5, 10**12]
WORDS = [None, "", "a", "b", "ab", "%"]


@examples(400)
@given(data=st.data())
def test_conditions_on_columns_mean_what_they_mean_in_metadata(connection: Connection, data: st.DataObject) -> None:
    if connection.execute("select to_regclass('things')").fetchone() == (None,):
        connection.execute(
            "create table things (id text primary key, content text, i int, n numeric, t text, b boolean, e extensions.vector(1))"
        )
        connection.execute("select pgvec.adopt_collection('things', 'things', embedding_column => 'e')")
    draw = data.draw
    value = {
        "i": draw(st.sampled_from([None, -1, 0, 1, 2])),
        "n": draw(st.sampled_from(NUMBERS)),
        "t": draw(st.sampled_from(WORDS)),
        "b": draw(st.sampled_from([None, True, False])),
    }

    def condition(depth: int) -> dict[str, Any]:
        kind = draw(st.sampled_from(["leaf", "leaf", "$or", "$and", "$not"] if depth else ["leaf"]))
        if kind == "$not":
            return {"$not": condition(depth - 1)}
        if kind != "leaf":
            return {kind: [condition(depth - 1) for _ in range(draw(st.integers(1, 2)))]}
        any_value = st.sampled_from([value for value in [*NUMBERS, *WORDS, True, False] if value is not None])
        ordered = any_value.filter(lambda one: not isinstance(one, bool))
        operator = draw(
            st.sampled_from(
                [
                    "plain",
                    "$between",
                    "$eq",
                    "$ne",
                    "$gt",
                    "$gte",
                    "$lt",
                    "$lte",
                    "$in",
                    "$nin",
                    "$exists",
                    "$like",
                    "$contains",
                ]
            )
        )
        operand: Any = {
            "$between": st.sampled_from([[0, 1], [1, 1.5], ["a", "b"], ["", "a"]]),
            "$in": st.lists(any_value, max_size=3),
            "$nin": st.lists(any_value, max_size=3),
            "$exists": st.booleans(),
            "$like": st.sampled_from(["a%", "_", "%", "\\%"]),
        }.get(operator, ordered if operator.startswith(("$g", "$l")) else any_value)
        drawn = draw(operand)
        return {
            draw(st.sampled_from(["i", "n", "t", "b", "missing"])): drawn if operator == "plain" else {operator: drawn}
        }

    wanted = condition(2)
    connection.execute("delete from things")
    connection.execute("insert into things values ('x', 'x', %(i)s, %(n)s, %(t)s, %(b)s, '[1]')", value)
    found = connection.execute(
        "select count(*) from match_documents('[1]', filter => %s, collection => 'things')", (Jsonb(wanted),)
    ).fetchone()
    document = {key: one for key, one in value.items() if one is not None}
    assert found == (int(matches(document, wanted)),), (document, wanted)


@pytest.mark.parametrize(
    ("name", "type_"),
    [("metadata", "jsonb"), ("metadata", "json"), ("cmetadata", "jsonb"), ("langchain_metadata", "json"), ("metadata_", "json")],
)  # fmt: skip
def test_the_tables_of_guides_are_filtered_by_their_metadata(connection: Connection, name: str, type_: str) -> None:
    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    connection.execute(
        f"create table t (id bigserial primary key, content text, {name} {type_}, embedding extensions.vector(3))".encode()
    )
    connection.execute(
        f"insert into t (content, {name}, embedding) values ('a', '{{\"lang\": \"de\", \"n\": 1}}', '[1,2,3]'), ('b', null, '[1,2,3]')".encode()
    )
    connection.execute("select pgvec.adopt_collection('t', 't')")
    assert f"column {name} of public.t is taken as the metadata: filters look at its keys" in notices
    search = "select id, metadata from match_documents('[1,2,3]', filter => %s, collection => 't')"
    for condition in ({"lang": "de"}, {"lang": {"$in": ["de"]}}, {"n": {"$gte": 1.0}}):
        assert connection.execute(search, (Jsonb(condition),)).fetchall() == [("1", {"lang": "de", "n": 1})]
    assert connection.execute(search, (Jsonb({"lang": {"$exists": False}}),)).fetchall() == [("2", {})]
    connection.execute("select pgvec.release_collection('t')")
    connection.execute("select pgvec.adopt_collection('t', 't', metadata_column => '')")
    assert connection.execute(search, (Jsonb({}),)).fetchone() == ("1", {name: {"lang": "de", "n": 1}})


def test_numbers_equal_a_column_by_value(connection: Connection) -> None:
    connection.execute("create domain count_of as int check (value >= 0)")
    types = ("smallint", "integer", "bigint", "numeric", "numeric(9,3)", "real", "double precision", "count_of")
    columns = ", ".join(f"n{place} {type_}" for place, type_ in enumerate(types))
    connection.execute(
        f"create table t (id int primary key, content text, {columns}, embedding extensions.vector(1))".encode()
    )
    values = ", ".join("8200" for _ in types)
    connection.execute(f"insert into t values (1, 'a', {values}, '[1]')".encode())
    connection.execute("select pgvec.adopt_collection('t', 't')")
    for place in range(len(types)):
        for number in ("8200", "8200.0", "8.2e3", "8200.000"):
            for condition, wanted in (
                ("{}", 1),
                ('{{"$eq": {}}}', 1),
                ('{{"$in": [{}]}}', 1),
                ('{{"$ne": {}}}', 0),
                ('{{"$nin": [{}, 1]}}', 0),
            ):
                value = number if condition == "{}" else condition.format(number)
                found = connection.execute(
                    "select count(*) from match_documents('[1]', filter => %s, collection => 't')",
                    (f'{{"n{place}": {value}}}',),
                ).fetchone()
                assert found == (wanted,), (types[place], value)
