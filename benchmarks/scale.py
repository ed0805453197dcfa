"""How searches grow with the rows: a small collection beside a large one, on one server, in one run.

    PGVEC_EVAL_DATA=... python benchmarks/scale.py [--rows 1000000] [--beside 100000] [--kind islands] [--only load]

The vectors of `islands` are in groups of a hundred, far from each other: the worst case of a graph. Those of `smooth`
have sixteen directions, as those of texts have a few dozen; those of `normal` have all, and near ones are hardly nearer
than others. Texts are 60 words drawn one by one from the judged
collections, as frequent as they are there; so are the words of queries.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg

from dataset import Vectors, arguments, server
from keywords import CORPORA, _texts
from pgvec_admin.database import Connection, Target
from pgvec_admin.engine import collections, index
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.loading import load
from pgvec_admin.loading.records import Record

WORDS = (1, 2, 4, 25)
VECTOR_QUERIES, KEYWORD_QUERIES, EXACT_QUERIES = 60, 100, 30
VALUES = {"half": 2, "fifth": 5, "tenth": 10, "twentieth": 20, "hundredth": 100, "thousandth": 1000}
FILTERS = {f"{100 / values:g} %": key for key, values in VALUES.items()}
PARTS = ("load", "vectors", "filters", "keywords", "hybrid")
BY_VECTOR = "select id, similarity from match_documents(%(query)s, 10, %(filter)s, collection => %(name)s)"
NEAREST = """
select id, 1 from {} where metadata @> %(filter)s::jsonb order by (embedding <=> %(query)s::vector) + 0 limit 10
"""
LOOK = """
select id, 1 - (embedding <=> %(query)s::vector) from {} where metadata @> %(filter)s::jsonb
 order by embedding <=> %(query)s::vector limit 10
"""
BARE = "set enable_seqscan = off; set enable_bitmapscan = off; set hnsw.ef_search = {}"
# each with what goes before it, within a transaction that is rolled back
WAYS = {
    "match_documents": (BY_VECTOR, ""),
    "without deep_recall": (BY_VECTOR, "update pgvec.collections set settings = settings #- '{tuned,deep_recall}'"),
    **{f"one look, ef_search {ef_search}": (LOOK, BARE.format(ef_search)) for ef_search in (100, 200, 400, 1000)},
    "exact": (NEAREST, ""),
}
BY_WORDS = "select id, score from keyword_search(%(query)s, 10, collection => %(name)s)"
HEAVIEST = """
select d.id, - (d.bm25 <#> q.weights) as score
  from {} as d, (select (pgvec.keyword_query(%(name)s, %(query)s)).weights offset 0) as q
 order by score desc, d.id
 limit 10
"""
HALVES = {
    "keyword": "select id, score from keyword_search(%(query)s, 100, collection => %(name)s)",
    "vector": "select id, similarity from match_documents(%(vector)s, 100, collection => %(name)s)",
    "hybrid": "select id, score from hybrid_search(%(query)s, %(vector)s, 10, collection => %(name)s)",
}
IS_ASKED = "select length(to_tsvector('english', %s)) > 0"


def vocabulary() -> list[str]:
    """All words of the judged collections, with repetitions."""
    return [
        word for name in CORPORA for text in _texts(name, "corpus.jsonl*") for word in re.findall("[A-Za-z]+", text)
    ]


class Rows:
    """Rows made in batches, and queries of the same kind."""

    def __init__(self, number: int, dimensions: int, kind: str, words: list[str]) -> None:
        self.number, self.words = number, words
        self._random = np.random.default_rng(number)
        self.dimensions = dimensions
        shape = ({"islands": max(1, number // 100), "smooth": 16}.get(kind, 0), dimensions)
        self._kind, self._base = kind, self._random.normal(size=shape).astype(np.float32)

    def vectors(self, number: int) -> Vectors:
        """Vectors of length 1, of this kind."""
        if self._kind == "islands":
            centres = self._base[self._random.integers(len(self._base), size=number)]
            drawn = centres + 0.7 * self._random.normal(size=(number, self.dimensions))
        elif self._kind == "smooth":
            drawn = self._random.normal(size=(number, len(self._base))) @ self._base
        else:
            drawn = self._random.normal(size=(number, self.dimensions))
        unit: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def text(self, words: int) -> str:
        """Words as frequent as in the judged collections."""
        return " ".join(self.words[place] for place in self._random.integers(len(self.words), size=words))

    def records(self) -> Iterator[Record]:
        """What is loaded."""
        for first in range(0, self.number, 10_000):
            size = min(10_000, self.number - first)
            keys = {key: self._random.integers(values, size=size) for key, values in VALUES.items()}
            for place, vector in enumerate(self.vectors(size)):
                metadata: dict[str, object] = {key: int(values[place]) for key, values in keys.items()}
                yield Record(id=str(first + place), content=self.text(60), metadata=metadata, embedding=vector)


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.set_defaults(rows=1_000_000)
    parser.add_argument("--beside", type=int, default=100_000)
    parser.add_argument("--kind", choices=("islands", "smooth", "normal"), default="islands")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    if "PGVEC_EVAL_DATA" not in os.environ or not Path(os.environ["PGVEC_EVAL_DATA"], CORPORA[0]).exists():
        parser.error("PGVEC_EVAL_DATA has to name the folder of the judged collections")
    words = vocabulary()
    sizes = {"small": given.beside, "large": given.rows}
    with server(given.postgres) as (where, _):
        kinds = {name: Rows(number, given.dimensions, given.kind, words) for name, number in sizes.items()}
        print(f"PostgreSQL {given.postgres}, {given.dimensions} dimensions, {given.kind}\n")
        print("| rows | rows a second | index create s | which index |\n|---:|---:|---:|---|")
        for name, rows in kinds.items():
            print(fill(where, name, rows, indexed=bool({"vectors", "filters", "hybrid"} & {*given.only})), flush=True)
        with psycopg.connect(where.conninfo, autocommit=True) as connection:
            connection.execute("set search_path = public, extensions")
            measured = {"vectors": vectors, "filters": filters, "keywords": keywords, "hybrid": hybrid}
            for part, measure in measured.items():
                if part in given.only:
                    print()
                    for name, rows in kinds.items():
                        measure(connection, name, rows)


def fill(where: Target, name: str, rows: Rows, *, indexed: bool) -> str:
    """Load a collection and build its index; a line of the table."""
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        collections.create(connection, name, rows.dimensions)
        started = time.perf_counter()
        load.load_records(connection, name, rows.records())
        loaded = time.perf_counter() - started
        connection.execute(f"vacuum analyze {name}".encode())
    built, said = 0.0, ""
    if indexed:
        started = time.perf_counter()
        build = index.create(where, name, maintenance_work_mem="4GB", tune=60)
        built = time.perf_counter() - started
        graph = re.sub(r".* with ", "", build.statement)
        said = f"{graph}, {build.kept.setting} {build.kept.value}" if build.kept else graph
    return f"| {rows.number:,} | {rows.number / loaded:,.0f} | {built:.0f} | {said} |"


def header(name: str, *columns: str) -> None:
    """The first two lines of a table, before the first collection."""
    if name == "small":
        print(f"| {' | '.join(columns)} |\n|{'---:|' * len(columns)}")


def percentiles(seconds: list[float]) -> str:
    """p50 and p95 in ms, as cells."""
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return f"{p50:.1f} | {p95:.1f}"


def timed(
    connection: Connection, statement: str, parameters: dict[str, object]
) -> tuple[float, list[tuple[object, float]]]:
    """Seconds, and the rows (id, score)."""
    started = time.perf_counter()
    rows = connection.execute(statement.encode(), parameters).fetchall()
    return time.perf_counter() - started, [(row[0], float(row[1])) for row in rows]


def _vector_search(connection: Connection, name: str, rows: Rows, ways: list[str], key: str | None) -> Iterator[str]:
    """Cells for each way: its times, and recall@10 of some of the queries."""
    literals = [vector_literal(vector) for vector in rows.vectors(VECTOR_QUERIES)]
    asked: list[dict[str, object]] = [
        {"query": query, "filter": json.dumps({} if key is None else {key: number % VALUES[key]}), "name": name}
        for number, query in enumerate(literals)
    ]
    exact = [{row[0] for row in timed(connection, NEAREST.format(name), one)[1]} for one in asked[:EXACT_QUERIES]]
    for way in ways:
        statement, before = WAYS[way]
        connection.execute(f"begin; {before}".encode())
        for one in asked:  # warms
            timed(connection, statement.format(name), one)
        answers = [timed(connection, statement.format(name), one) for one in asked]
        connection.execute("rollback")
        found = sum(len({row[0] for row in hits} & best) for (_, hits), best in zip(answers, exact, strict=False))
        recall = found / sum(map(len, exact))
        yield f"{way} | {percentiles([took for took, _ in answers])} | {recall:.3f}"


def vectors(connection: Connection, name: str, rows: Rows) -> None:
    """Without a filter, at the ef_search that index create has left."""
    header(name, "rows", "way", "p50 ms", "p95 ms", "recall@10")
    for cells in _vector_search(connection, name, rows, ["match_documents"], None):
        print(f"| {rows.number:,} | {cells} |", flush=True)


def filters(connection: Connection, name: str, rows: Rows) -> None:
    """By a key that a share of the rows has, beside every fixed way."""
    header(name, "filter passes", "rows", "way", "p50 ms", "p95 ms", "recall@10")
    for share, key in FILTERS.items():
        for cells in _vector_search(connection, name, rows, list(WAYS), key):
            print(f"| {share} | {rows.number:,} | {cells} |", flush=True)


def _questions(connection: Connection, rows: Rows, words: int) -> list[str]:
    """Texts of so many words, at least one of which is a lexeme."""
    drawn = (rows.text(words) for _ in range(50 * KEYWORD_QUERIES))
    kept = (text for text in drawn if connection.execute(IS_ASKED, (text,)).fetchone() == (True,))
    return [text for text, _ in zip(kept, range(KEYWORD_QUERIES), strict=False)]


def keywords(connection: Connection, name: str, rows: Rows) -> None:
    """Words drawn from the texts; the score of the ten rows beside that of the best ten of all rows."""
    header(
        name, "words", "rows", "p50 ms", "p95 ms", "mean score beside the exact ten", "overlap@10 where scores differ"
    )
    for number in WORDS:
        seconds, shares, overlap = [], [], []
        asked = _questions(connection, rows, number)
        for turn in range(2):
            for place, query in enumerate(asked):
                parameters: dict[str, object] = {"query": query, "name": name}
                took, hits = timed(connection, BY_WORDS, parameters)
                if turn == 0:
                    continue
                seconds.append(took)
                if place < EXACT_QUERIES and hits:
                    _, exact = timed(connection, HEAVIEST.format(name), parameters)
                    shares.append(sum(score for _, score in hits) / sum(score for _, score in exact))
                    above = {id_ for id_, score in exact if score > exact[-1][1] + 1e-6}
                    overlap += [len(above & {id_ for id_, _ in hits}) / len(above)] if above else []
        print(
            f"| {number} | {rows.number:,} | {percentiles(seconds)} | {np.mean(shares):.4f} | {np.mean(overlap):.3f} |",
            flush=True,
        )


def hybrid(connection: Connection, name: str, rows: Rows) -> None:
    """hybrid_search beside its two halves, each of as many rows as it asks them for."""
    header(name, "words", "rows", "keyword p50 ms", "vector p50 ms", "hybrid p50 ms", "of both")
    for number in (2, 25):
        asked = list(zip(_questions(connection, rows, number), rows.vectors(KEYWORD_QUERIES), strict=False))
        random.Random(1).shuffle(asked)
        seconds: dict[str, list[float]] = {call: [] for call in HALVES}
        for query, vector in asked:
            for call, statement in HALVES.items():
                took, _ = timed(connection, statement, {"query": query, "vector": vector_literal(vector), "name": name})
                seconds[call].append(took)
        p50 = {call: float(np.percentile(measured, 50)) * 1000 for call, measured in seconds.items()}
        ratio = p50["hybrid"] / (p50["keyword"] + p50["vector"])
        cells = " | ".join(f"{took:.1f}" for took in p50.values())
        print(f"| {number} | {rows.number:,} | {cells} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
