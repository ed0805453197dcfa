"""The commands that measure: plans of indexes, tuning and benches, all on the same 500 rows."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest

from command import Run, in_process
from conftest import Connection, copied, filled
from pgvec_admin.database import Target
from pgvec_admin.engine import index


def _fill(connection: Connection) -> None:
    """A collection of 500 rows in 16 dimensions, with an index."""
    connection.execute("select pgvec.create_collection('articles', 16)")
    connection.execute("select setseed(0.5)")
    connection.execute(
        """
        insert into articles (id, content, embedding)
        select i::text, 'text ' || i, v.embedding::extensions.vector
          from generate_series(1, 500) as i,
               lateral (select array_agg(random() - 0.5) as embedding from generate_series(1, 16) where i > 0) as v
        """
    )
    index.create(Target(connection.info.dsn, "the tests"), "articles", storage="vector")


with_articles = filled("articles", _fill)
database = copied("with_articles")


@pytest.fixture
def again(database: str) -> Run:
    """As `run`, in this process."""
    return partial(in_process, PGVEC_DATABASE_URL=database)


def test_a_plan_shows_every_index_and_what_create_would_build(run: Run, again: Run) -> None:
    options = json.loads(again("index", "plan", "articles", "--json").stdout)
    kinds = {(option["method"], option["storage"]) for option in options}
    assert kinds >= {("hnsw", "vector"), ("hnsw", "halfvec"), ("hnsw", "binary"), ("ivfflat", "vector")}
    assert [option["recommended"] for option in options].count(True) == 1
    shown = run("index", "plan", "articles", "--no-measure", "--memory", "64")
    assert "recommended" in shown.stdout
    assert "pgvec-admin index create articles builds" in shown.stderr
    assert "--memory" in again("index", "plan", "articles", "--memory", "0").stderr


def test_tune_makes_a_setting_of_the_collection(run: Run, again: Run, connection: Connection) -> None:
    tried = json.loads(run("index", "tune", "articles", "--recall", "0.9", "--json").stdout)
    row = connection.execute("select (settings ->> 'ef_search')::int from pgvec.collections").fetchone()
    assert row == (tried[-1]["value"],)
    assert tried[-1]["recall"] >= 0.9
    assert again("index", "drop", "articles", "articles_embedding_hnsw_cosine_idx").returncode == 0
    refused = again("index", "tune", "articles")
    assert refused.returncode == 2
    assert "collection 'articles' has no vector index to tune" in refused.stderr


def test_a_bench_prints_its_figures_and_draws_them(run: Run, again: Run, tmp_path: Path) -> None:
    picture = tmp_path / "articles.png"
    ran = run("bench", "articles", "--queries", "20", "--png", str(picture))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[0].split("┃")[0].strip() == "index"
    assert "20 queries over 480 of 500 rows; * nothing beats it in both" in ran.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    overlaps = json.loads(again("bench", "articles", "--distances", "--queries", "20", "--json").stdout)["overlaps"]
    assert {(one["distance"], one["other"]) for one in overlaps} >= {("cosine", "l2"), ("cosine", "inner_product")}


def test_a_bench_of_growth_prints_a_line_a_size(again: Run, connection: Connection, tmp_path: Path) -> None:
    connection.execute(
        "insert into articles (id, content, embedding) select n || 'more', '', array_agg(random())::extensions.vector"
        "  from generate_series(1, 1600) as n cross join generate_series(1, 16) group by n"
    )
    picture = tmp_path / "growth.png"
    ran = again("bench", "articles", "--scale", "--queries", "5", "--png", str(picture))
    assert ran.returncode == 0, ran.stderr
    table = [[cell.strip() for cell in re.split("[┃│]", line)] for line in ran.stdout.splitlines()]
    assert table[0][:4] == ["rows", "index", "setting", "recall@10"]
    assert [line[:2] for line in table[2:]] == [
        [rows, kind] for kind in ("exact", "hnsw vector") for rows in ("20", "209", "2,095")
    ]
    assert "with ten times the rows a search takes" in ran.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    steps = json.loads(again("bench", "articles", "--scale", "--queries", "5", "--json").stdout)
    assert [step["rows"] for step in steps] == [20, 209, 2095]


def test_a_bench_searches_for_given_vectors_and_names_a_line_that_is_none(again: Run, tmp_path: Path) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text("\n".join(json.dumps([0.1 * place for place in range(1, 17)]) for _ in range(3)))
    measured = json.loads(again("bench", "articles", "--query-file", str(queries), "--json").stdout)
    assert measured["queries"] == 3
    queries.write_text("[1, 2\n")
    refused = again("bench", "articles", "--query-file", str(queries))
    assert refused.returncode == 5
    assert f"{queries}:1: not a vector" in refused.stderr
    queries.write_text("[1, 2]\n")
    assert "the query has 2 dimensions" in again("bench", "articles", "--query-file", str(queries)).stderr
