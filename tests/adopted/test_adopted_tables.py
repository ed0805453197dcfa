"""What an application does to an adopted table never fails because of us, and searches find what plain SQL finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.types.json import Jsonb

import installation
from adopted_tables import CASES, Case
from conftest import Connection
from pgvec_admin.database import Target
from pgvec_admin.install import migrate
from pgvec_admin.server import embedded

WAYS = [(case, inside) for case in CASES for inside in (False, True) if (case.inside if inside else case.beside)]
NAMES = [f"{case.name}, {'in the table' if inside else 'beside'}" for case, inside in WAYS]
EARLIER = [place for place, (case, _) in enumerate(WAYS) if case.before]
QUERY = "[1,2,0.5]"


def _adopt(connection: Connection, case: Case, table: str, *, inside: bool) -> None:
    for statement in (case.create, *case.rows):
        connection.execute(statement.replace("{t}", table).encode())
    arguments = f"{case.adopt}, add_columns => {inside}"
    if "dimensions" not in arguments:
        arguments += ", dimensions => 3"
    connection.execute(f"select pgvec.adopt_collection('{table}', 'public.{table}', {arguments})".encode())


def _column(connection: Connection, query: str, *values: Any) -> list[Any]:
    return [row[0] for row in connection.execute(query.encode(), values).fetchall()]


def _check(connection: Connection, case: Case, table: str) -> None:
    """Compare searches with plain SQL over the table."""
    of_rows = f"from {table} as x where {case.vector} is not null and {case.key} is not null"
    distance = f"{case.vector}::extensions.vector operator(extensions.{case.distance}) '{QUERY}'"
    if case.distance == "<=>":
        of_rows += f" and extensions.vector_norm({case.vector}::extensions.vector) > 0"
    order = f"order by {case.vector} operator(extensions.{case.distance}) '{QUERY}', {case.key}::text collate \"C\""
    for condition, predicate in [({}, "true"), *case.filters.values()]:
        expected = connection.execute(
            f"select {case.key}::text, {case.content} {of_rows} and {predicate} {order}".encode()
        ).fetchall()
        found = connection.execute(
            "select id, content, similarity from match_documents(%s, 1000, %s, collection => %s)",
            (QUERY, Jsonb(condition), table),
        ).fetchall()
        length = 1000 if "left(" in case.content else None
        assert sorted((row[0], row[1][:length]) for row in found) == sorted(expected), (condition, distance)
        similarities = [row[2] for row in found]
        assert similarities == sorted(similarities, reverse=True)
    for words, tsquery in [("word1", "word1"), ("word3 word2", "word3 | word2"), ("impostor", "impostor")]:
        expected_ids = _column(
            connection,
            f"select {case.key}::text from {table} where {case.key} is not null"
            f" and to_tsvector('english', {case.content}) @@ to_tsquery('english', %s)",
            tsquery,
        )
        found_ids = _column(connection, "select id from keyword_search(%s, 1000, collection => %s)", words, table)
        assert sorted(found_ids) == sorted(expected_ids), words
    both = connection.execute(
        "select id, score, similarity from hybrid_search('word1 word2', %s, 50, collection => %s)", (QUERY, table)
    ).fetchall()
    assert all(score == score and similarity != float("nan") for _, score, similarity in both)
    assert len({row[0] for row in both}) == len(both)


def _run(connection: Connection, case: Case, table: str, *, inside: bool) -> None:
    for statement in case.statements:
        connection.execute(statement.replace("{t}", table).encode())
    if "attach" in case.name or case.content == "title" or "body, title" in case.content:
        # rows that were attached, and texts that changed without a write, are no rows of a trigger's
        connection.execute("select pgvec.repair_rows(%s)", (table,))
    _check(connection, case, table)
    if case.rows:
        connection.execute("select pgvec.refresh_statistics(%s)", (table,))
    _check(connection, case, table)
    failed = _column(connection, "select found from pgvec.verify(%s, 0.02) where result = 'fail'", table)
    assert [told for told in failed if not any(word in told for word in case.told)] == []
    assert len(failed) == len(case.told)
    connection.execute("select pgvec.release_collection(%s)", (table,))


@pytest.fixture(scope="module")
def new(server: embedded.Server, with_engine: Any) -> Iterator[Connection]:
    """A database for all tables, which does not keep them from each other: each is released at its end."""
    with (
        installation.created(server, "adopted", template=with_engine.template_dbname) as url,
        installation.connect(installation.as_installer(url)) as connection,
    ):
        yield connection


@pytest.mark.parametrize("place", range(len(WAYS)), ids=NAMES)
def test_what_an_application_does_to_its_table_never_fails_and_is_found(new: Connection, place: int) -> None:
    case, inside = WAYS[place]
    _adopt(new, case, f"app{place}", inside=inside)
    _run(new, case, f"app{place}", inside=inside)


@pytest.fixture(scope="module")
def upgraded(server: embedded.Server) -> Iterator[Connection]:
    """A database in which release 0.2.0 adopted the tables, upgraded since."""
    with (
        installation.created(server, "adopted_before") as url,
        installation.connect(installation.as_installer(url)) as connection,
    ):
        connection.execute(installation.release("0.2.0").encode())
        for place in EARLIER:
            case, inside = WAYS[place]
            _adopt(connection, case, f"app{place}", inside=inside)
        migrate.migrate(Target(url, "the tests"), report=lambda _: None)
        yield connection


@pytest.mark.parametrize("place", EARLIER, ids=NAMES.__getitem__)
def test_a_table_that_an_earlier_release_adopted_is_served_as_well(upgraded: Connection, place: int) -> None:
    case, inside = WAYS[place]
    _run(upgraded, case, f"app{place}", inside=inside)
