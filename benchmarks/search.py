"""Cost and recall of searches, beside the equivalent bare queries: one server, one run, in turn.

    python benchmarks/search.py [--rows 100000] [--dimensions 384] [--postgres 18] [--indexed]

Prints Markdown tables: `match_documents` against the bare query; its recall, rows and p95 at filters of many widths,
against every fixed strategy, and with an index of their own; more rows than ef_search; thresholds; the memory of an
index build against its plan.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import psycopg
from numpy.typing import NDArray

from dataset import TOPICS, Rows, arguments, clustered, fill, server
from pgvec_admin.database import Connection, Target
from pgvec_admin.engine import index
from pgvec_admin.engine.search import vector_literal

LIMIT = 10
DEFAULT_EF_SEARCH = 40
BLOCK = 20

COLUMNS = "id, content, metadata, embedding <=> %(query)s as distance from documents"
NEAREST = f"select {COLUMNS} where {{condition}} order by embedding <=> %(query)s limit {LIMIT}"
EXACT = f"select {COLUMNS} where {{condition}} order by (embedding <=> %(query)s) + 0 limit {LIMIT}"
FUNCTION = f"select id, content, metadata, similarity from match_documents(%(query)s, {LIMIT}, %(filter)s)"

# what people set once for all queries; with the ef_search of the function itself
INDEX_ONLY = (
    "set enable_seqscan = off; set enable_bitmapscan = off; set hnsw.ef_search = 100; set hnsw.iterative_scan = "
)
STRATEGIES = {
    "exact": (EXACT, ""),
    "iterative, strict": (NEAREST, INDEX_ONLY + "strict_order"),
    "iterative, relaxed": (NEAREST, INDEX_ONLY + "relaxed_order"),
    "plain": (NEAREST, INDEX_ONLY + "off"),
}


@dataclass(frozen=True)
class Filter:
    """A filter for a query of a topic, the same condition for a bare query, and the rows that pass."""

    name: str
    filter: Callable[[int], Mapping[str, object]]
    condition: Callable[[int], str]
    passes: Callable[[dict[str, NDArray[np.int64]], int], NDArray[np.bool_]]


def _contains(**wanted: int) -> str:
    return f"metadata @> '{json.dumps(wanted)}'"


def _one_of(key: str, values: int, name: str) -> Filter:
    return Filter(
        name,
        lambda number: {key: number % values},
        lambda number: _contains(**{key: number % values}),
        lambda columns, number: columns[key] == number % values,
    )


def filters(topics: list[int]) -> list[Filter]:
    """From half of the rows to a ten-thousandth, two at once, and one whose rows are all far from the query."""
    return [
        _one_of("half", 2, "50 %"),
        _one_of("tenth", 10, "10 %"),
        _one_of("hundredth", 100, "1 %"),
        _one_of("thousandth", 1000, "0.1 %"),
        _one_of("ten_thousandth", 10_000, "0.01 %"),
        Filter(
            "10 % and a range, 2 %",
            lambda number: {"tenth": number % 10, "year": {"$gte": 2020}},
            lambda number: f"{_contains(tenth=number % 10)} and metadata @? 'strict $ ? (@.year >= 2020)'",
            lambda columns, number: (columns["tenth"] == number % 10) & (columns["year"] >= 2020),
        ),
        Filter(
            "10 %, all far away",
            lambda number: {"topic": (topics[number] + 5) % TOPICS},
            lambda number: _contains(topic=(topics[number] + 5) % TOPICS),
            lambda columns, number: columns["topic"] == (topics[number] + 5) % TOPICS,
        ),
        Filter(
            "10 %, all near",
            lambda number: {"topic": topics[number]},
            lambda number: _contains(topic=topics[number]),
            lambda columns, number: columns["topic"] == topics[number],
        ),
    ]


@dataclass
class Way:
    """One way to answer, with its times and rows so far."""

    statement: str
    connection: Connection
    seconds: list[float] = field(default_factory=list)
    found: int = 0
    wanted: int = 0
    rows: int = 0

    def ask(self, parameters: Mapping[str, object], condition: str, expected: set[str], *, warm: bool) -> None:
        """Run it once; `warm` counts."""
        statement = self.statement.replace("{condition}", condition.replace("%", "%%")).encode()
        started = time.perf_counter()
        rows = self.connection.execute(statement, parameters).fetchall()
        taken = time.perf_counter() - started
        if warm:
            self.seconds.append(taken)
            self.found += len({row[0] for row in rows} & expected)
            self.wanted += len(expected)
            self.rows += len(rows)

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        return float(np.percentile(self.seconds, share * 100)) * 1000

    @property
    def recall(self) -> float:
        """The share of an exact scan's rows that was found."""
        return self.found / self.wanted


def main() -> None:
    parser = arguments("Latency and recall of match_documents beside bare queries.")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="the first warms the cache")
    parser.add_argument("--indexed", action="store_true", help="only filters with an index of their own")
    chosen = parser.parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, chosen.queries)
    with server(chosen.postgres) as (where, folder):
        fill(where, folder, rows)
        print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions")
        if chosen.indexed:
            indexed(where, rows, queries, chosen.rounds)
            return
        unfiltered(where, rows, queries, chosen.rounds)
        filtered(where, rows, queries, chosen.rounds)
        indexed(where, rows, queries, chosen.rounds)
        counts_and_thresholds(where, rows, queries, chosen.rounds)
        memory(where, chosen.dimensions)


def _open(where: Target, settings: str = "") -> Connection:
    connection = psycopg.connect(where.conninfo, autocommit=True)
    connection.execute(f"set search_path = public, extensions; select '[1]'::vector; {settings}".encode())
    return connection


def _nearest(rows: Rows, query: NDArray[np.float32], passing: NDArray[np.bool_] | None = None) -> list[str]:
    similarity = rows.vectors @ query
    if passing is not None:
        similarity = np.where(passing, similarity, -np.inf)
    return [str(place) for place in np.argsort(-similarity)[:LIMIT] if similarity[place] > -np.inf]


def _turns(ways: list[Way], queries: Rows, rounds: int, ask: Callable[[Way, int, bool], None]) -> None:
    """A block of queries by one way, then by the next, so that all meet the same conditions of the machine.

    The order alternates from round to round; the first round warms the caches, as does one query before each block,
    since another connection's process had the processor.
    """
    for round_ in range(rounds):
        for first in range(0, len(queries.vectors), BLOCK):
            for way in ways if round_ % 2 else reversed(ways):
                ask(way, first, False)
                for number in range(first, min(first + BLOCK, len(queries.vectors))):
                    ask(way, number, round_ > 0)


def unfiltered(where: Target, rows: Rows, queries: Rows, rounds: int) -> None:
    """The function against the bare query, at the default ef_search and others."""
    literals = [vector_literal(query) for query in queries.vectors]
    expected = [set(_nearest(rows, query)) for query in queries.vectors]
    print(f"\n| ef_search | bare query p50 ms | match_documents p50 ms | ratio | recall@{LIMIT} |")
    print("|---|---:|---:|---:|---:|")
    for ef_search in (20, 30, DEFAULT_EF_SEARCH, 60, 100):
        with _open(where, f"set hnsw.ef_search = {ef_search}") as connection:
            settings = json.dumps({"ef_search": ef_search} if ef_search != DEFAULT_EF_SEARCH else {})
            connection.execute("update pgvec.collections set settings = %s", (settings,))
            bare = Way(NEAREST.replace("where {condition} ", ""), connection)
            function = Way(FUNCTION.replace(", %(filter)s", ""), connection)
            _turns(
                [bare, function],
                queries,
                rounds + 4,
                lambda way, number, warm: way.ask({"query": literals[number]}, "", expected[number], warm=warm),
            )
            default = " (default)" if ef_search == DEFAULT_EF_SEARCH else ""
            p50, of_function = bare.percentile(0.5), function.percentile(0.5)
            times = f"{p50:.2f} | {of_function:.2f} | {of_function / p50:.2f}"
            print(f"| {ef_search}{default} | {times} | {function.recall:.3f} |")
            connection.execute("update pgvec.collections set settings = '{}'")


def filtered(where: Target, rows: Rows, queries: Rows, rounds: int) -> None:
    """Every strategy at every filter; the best is the quickest that has a recall of 0.99 and all the rows."""
    columns = {key: np.array([one[key] for one in rows.metadata]) for key in rows.metadata[0]}
    topics = [int(str(one["topic"])) for one in queries.metadata]
    literals = [vector_literal(query) for query in queries.vectors]
    print(f"\n| filter passes | way | rows of {LIMIT} | recall@{LIMIT} | p50 ms | p95 ms | p95 of the best fixed |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for case in filters(topics):
        expected = [_nearest(rows, query, case.passes(columns, number)) for number, query in enumerate(queries.vectors)]
        there = sum(map(len, expected)) / len(expected)
        ways = {name: Way(statement, _open(where, settings)) for name, (statement, settings) in STRATEGIES.items()}
        ways["match_documents"] = Way(FUNCTION, _open(where))

        def ask(way: Way, number: int, warm: bool, case: Filter = case, expected: list[list[str]] = expected) -> None:
            parameters = {"query": literals[number], "filter": json.dumps(case.filter(number))}
            way.ask(parameters, case.condition(number), set(expected[number]), warm=warm)

        _turns(list(ways.values()), queries, rounds, ask)
        asked = len(queries.vectors) * (rounds - 1)
        good = [
            way for name, way in ways.items() if name in STRATEGIES and way.recall >= 0.99 and way.rows / asked >= there
        ]
        best = min(way.percentile(0.95) for way in good)
        for name, way in ways.items():
            print(
                f"| {case.name} | {name} | {way.rows / asked:.1f} of {there:.1f} | {way.recall:.3f} |"
                f" {way.percentile(0.5):.2f} | {way.percentile(0.95):.2f} | {way.percentile(0.95) / best:.2f} |"
            )
            way.connection.close()


def indexed(where: Target, rows: Rows, queries: Rows, rounds: int) -> None:
    """Filters without and with an index of their own, beside a search without a filter."""
    literals = [vector_literal(query) for query in queries.vectors]
    print(f"\n| filter passes | its own index | built in s | recall@{LIMIT} | p50 ms | p95 ms |")
    print("|---|---|---:|---:|---:|---:|")
    cases = {
        "all": {},
        "50 %": {"half": 0},
        "10 %": {"tenth": 0},
        "0.5 %, three keys": {"half": 0, "tenth": 0, "topic": 0},
    }
    for name, wanted in cases.items():
        passing = np.array([all(one[key] == value for key, value in wanted.items()) for one in rows.metadata])
        expected = [set(_nearest(rows, query, passing)) for query in queries.vectors]
        for own in (False, True) if wanted else (False,):
            started = time.perf_counter()
            if own:
                index.create(where, "documents", rows_that=wanted)
            built = f"{time.perf_counter() - started:.0f}" if own else ""
            with _open(where) as connection:
                way = Way(FUNCTION, connection)
                for number in list(range(len(literals))) * rounds:
                    parameters = {"query": literals[number], "filter": json.dumps(wanted)}
                    way.ask(parameters, "", expected[number], warm=True)
            times = f"{way.percentile(0.5):.2f} | {way.percentile(0.95):.2f}"
            print(f"| {name} | {'yes' if own else 'no'} | {built} | {way.recall:.3f} | {times} |", flush=True)


def counts_and_thresholds(where: Target, rows: Rows, queries: Rows, rounds: int) -> None:
    """More rows than ef_search, and a threshold that three rows pass."""
    thresholds = [float(np.sort(rows.vectors @ query)[-3:].min()) - 1e-6 for query in queries.vectors]
    literals = [vector_literal(query) for query in queries.vectors]
    calls = {
        "no match_count": "select id from match_documents(%(query)s)",
        "match_count 200": "select id from match_documents(%(query)s, 200)",
        "match_count 10": f"select id from match_documents(%(query)s, {LIMIT})",
        "match_count 10, threshold": "select id from match_documents(%(query)s, 10, match_threshold => %(threshold)s)",
    }
    ways = {name: Way(statement, _open(where)) for name, statement in calls.items()}

    def ask(way: Way, number: int, warm: bool) -> None:
        way.ask({"query": literals[number], "threshold": thresholds[number]}, "", set(), warm=warm)

    _turns(list(ways.values()), queries, rounds, ask)
    plain = ways["match_count 10"].percentile(0.5)
    print("\n| call | rows | p50 ms | of match_count 10 |\n|---|---:|---:|---:|")
    for name, way in ways.items():
        returned, p50 = way.rows / len(way.seconds), way.percentile(0.5)
        print(f"| {name} | {returned:.1f} | {p50:.2f} | {p50 / plain:.2f} |")
        way.connection.close()


def memory(where: Target, dimensions: int) -> None:
    """The row at which a build outgrows maintenance_work_mem, as planned and as the server says."""
    print(
        "\n| storage | maintenance_work_mem | workers | planned row | row | difference |\n|---|---|---:|---:|---:|---:|"
    )
    for storage in ("vector", "halfvec", "binary"):
        for megabytes, workers in ((16, 0), (64, 1)):
            with _open(where, f"set maintenance_work_mem = '{megabytes}MB'") as connection:
                connection.execute(f"set max_parallel_maintenance_workers = {workers}".encode())
                notices: list[str] = []
                connection.add_notice_handler(lambda notice, kept=notices: kept.append(notice.message_primary or ""))  # type: ignore[misc]
                need = "select (pgvec.index_memory('hnsw', %s, %s, %s, workers => %s)).build_bytes"
                nothing, million = (
                    connection.execute(need, (storage, dimensions, count, workers)).fetchone()
                    for count in (0, 1_000_000)
                )
                assert nothing is not None
                assert million is not None
                planned = (megabytes * 2**20 - nothing[0]) / (million[0] - nothing[0]) * 1_000_000
                row = connection.execute(
                    "select statement from pgvec.index_definition('documents', 'hnsw', %s)", (storage,)
                ).fetchone()
                assert row is not None
                # the rest of the build, beyond memory, would take minutes
                limited = int(planned * 1.1)
                connection.execute(
                    f"create unlogged table sample as select embedding from documents limit {limited}".encode()
                )
                statement = re.sub(r"concurrently \S+ on \S+", "on sample", row[0])
                connection.execute(statement.encode())
                connection.execute("drop table sample")
                told = re.search(r"after (\d+) tuples", " ".join(notices))
                told_row = int(told[1]) if told else 0
                print(
                    f"| {storage} | {megabytes} MB | {workers} | {planned:,.0f} | {told_row:,} |"
                    f" {told_row / planned - 1:+.2%} |"
                )


if __name__ == "__main__":
    main()
