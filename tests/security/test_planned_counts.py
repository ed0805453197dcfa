"""The planner's estimates reveal nothing about rows that a caller may not see: other rows give the same estimates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from conftest import Connection, searchable
from embedding_workers import until
from pgvec_admin.server import embedded
from properties import examples
from supabase_project import Project

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
OTHERS = "00000000-0000-4000-8000-00000000000c"
KINDS = {"tenant": "access => 'tenant'", "parts": "access => 'tenant', partition => 3", "policy": "access => 'policy'"}

COLUMNS = ("tenant_id", "id", "source", "chunk_index", "content", "metadata", "language", "embedding", "embedded_hash",
           "content_hash", "fts", "bm25", "created_at", "updated_at")  # fmt: skip


def _rows(word: str, day: int) -> list[dict[str, Any]]:
    """The same number of rows, of the same sizes, for any word of four letters."""
    return [
        {
            "id": f"{word}-{n:04}",
            "content": f"{word} text number {n:04}",
            "source": f"{word}.md",
            "chunk_index": n + 1000 * day,
            "metadata": {"w": word, "n": n},
            "embedding": [1, n + day],
        }
        for n in range(300)
    ]


@pytest.fixture(scope="module")
def project(platform: embedded.Server, installed: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with searchable(platform, installed, tmp_path_factory.mktemp("planned")) as made:
        with psycopg.connect(made.database, autocommit=True) as connection:
            for kind, options in KINDS.items():
                for twin, word, tenant in ((1, "wolf", THEIRS), (2, "bear", THEIRS if kind == "parts" else OTHERS)):
                    name = f"{kind}_{twin}"
                    connection.execute(f"select pgvec.create_collection('{name}', 2, {options})".encode())
                    mine, others = (OURS, tenant) if kind != "policy" else (None, None)
                    _write(connection, name, _rows("ours", 1)[:10], mine)
                    _write(connection, name, _rows(word, twin), others)
                    connection.execute(f"grant select on {name} to anon, authenticated".encode())
                    if kind == "policy":
                        connection.execute(
                            f"create policy mine on {name} for select using (content like 'ours%')".encode()
                        )
                    connection.execute(
                        f"create index on {name} using hnsw ((extensions.binary_quantize(embedding)::bit(2))"
                        " extensions.bit_hamming_ops)".encode()
                    )
                    connection.execute("select pgvec.note_index(%s)", (name,))
            for kind in KINDS:
                for twin in (1, 2):
                    _vacuum(connection, f"{kind}_{twin}")
        made.settle()
        yield made


def _vacuum(connection: Connection, name: str) -> None:
    """Vacuum until all pages are known as visible to all: they are not while another session has an older snapshot."""
    hidden = (
        "select count(*) from pg_class as c where c.relkind = 'r' and c.relallvisible < c.relpages"
        " and (c.oid = %(name)s::regclass or c.oid in (select relid from pg_partition_tree(%(name)s)))"
    )

    def vacuumed() -> bool:
        connection.execute(f"vacuum analyze {name}".encode())
        return connection.execute(hidden, {"name": name}).fetchone() == (0,)

    until(vacuumed, f"all pages of {name} are visible to all")


def _write(connection: Connection, name: str, rows: list[dict[str, Any]], tenant: str | None) -> None:
    connection.execute("select upsert_documents(%s, %s, %s)", (Jsonb(rows), name, tenant))


VALUES = {
    "tenant_id": st.sampled_from([OURS, THEIRS, OTHERS]),
    "chunk_index": st.integers(0, 3000),
    "created_at": st.sampled_from(["2020-01-01", "2026-06-01", "2030-01-01"]),
    "updated_at": st.sampled_from(["2020-01-01", "2026-06-01", "2030-01-01"]),
}
WORDS = st.one_of(
    st.sampled_from(["wolf", "bear", "ours", "wolf-0007", "bear.md", "wolf text number 0003"]),
    st.text("abcdefghijklmnopqrstuvwxyz-. 0123456789", max_size=6),
)


FOUND = ["wolf", "bear", "ours", "wol:*", "bea:*", "text", "wolf | bear", "0007"]


@st.composite
def predicates(draw: st.DrawFn) -> tuple[str, str, str]:
    """A column, an operator of PostgREST and a value."""
    column = draw(st.sampled_from(COLUMNS))
    if column == "fts" and draw(st.booleans()):
        return column, draw(st.sampled_from(["fts", "plfts", "not.fts"])), draw(st.sampled_from(FOUND))
    if column in ("metadata", "embedding", "fts", "bm25"):
        return column, "is", "null"
    operator = draw(st.sampled_from(["eq", "neq", "gt", "gte", "lt", "lte", "is", "not.is", "in"]))
    if operator.endswith("is"):
        return column, operator, "null"
    value = str(draw(VALUES.get(column, WORDS)))
    return column, operator, f'("{value}")' if operator == "in" else value


SQL = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "is": "is", "not.is": "is not"}


def _planned(connection: Connection, name: str, role: str, found: list[tuple[str, str, str]]) -> Any:
    """The plan that a role without a tenant, or with the plainest one, gets from EXPLAIN."""
    parts, values = [], []
    for column, operator, value in found:
        if column == "tenant_id" and name.startswith("policy"):
            continue
        if operator.endswith("fts"):
            parts.append(f"{'not ' if operator.startswith('not') else ''}{column} @@ %s::tsquery")
            values.append(value)
        elif value == "null":
            parts.append(f"{column} {SQL[operator]} null")
        else:
            parts.append(f"{column} {SQL.get(operator, '=')} %s")
            values.append(value.strip('()"'))
    condition = " and ".join(parts) or "true"
    with connection.transaction(force_rollback=True):
        connection.execute(f"set local role {role}".encode())
        rows = connection.execute(f"explain select id from {name} where {condition}".encode(), values).fetchall()
    return [row[0].replace(name, "COLLECTION") for row in rows]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["anon", "authenticated"])
@examples(250)
@given(found=st.lists(predicates(), min_size=1, max_size=2))
def test_plans_do_not_depend_on_what_is_in_rows_of_others(
    project: Project, kind: str, role: str, found: list[tuple[str, str, str]]
) -> None:
    with psycopg.connect(project.database) as connection:
        assert _planned(connection, f"{kind}_1", role, found) == _planned(connection, f"{kind}_2", role, found)


@pytest.mark.parametrize("kind", KINDS)
@examples(250, for_a_change=40)
@given(found=predicates())
def test_nor_do_planned_counts_of_the_rest_api(project: Project, kind: str, found: tuple[str, str, str]) -> None:
    column, operator, value = found
    ranges = [
        project.call(
            "GET",
            f"{kind}_{twin}",
            params={"select": "id", "limit": "1", column: f"{operator}.{value}"},
            headers={"Prefer": "count=planned"},
        ).headers.get("content-range")
        for twin in (1, 2)
    ]
    assert ranges[0] == ranges[1]


def test_the_statistics_that_told_are_removed_from_what_an_earlier_release_made(project: Project) -> None:
    with psycopg.connect(project.database, autocommit=True) as connection:
        for name in ("tenant_1", "parts_1", "policy_1"):
            for column in ("content", "id", "source", "fts"):
                connection.execute(f"alter table {name} alter column {column} set statistics -1".encode())
            connection.execute(f"analyze {name}".encode())
            told = "select count(*) from pgvec.telling_columns(%s) where known"
            assert connection.execute(told, (name,)).fetchone() != (0,)
            policies = (
                "select polname, pg_get_expr(polqual, polrelid) from pg_policy where polrelid = %s::regclass order by 1"
            )
            before = connection.execute(policies, (name,)).fetchall()
            connection.execute("select pgvec.upgrade_collections()")
            assert connection.execute(told, (name,)).fetchone() == (0,)
            assert connection.execute(policies, (name,)).fetchall() == before
            connection.execute(f"analyze {name}".encode())
            assert connection.execute(told, (name,)).fetchone() == (0,)
