"""Recall against latency: measuring index kinds on a copy of a collection's rows, comparing distances, tuning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from psycopg.rows import class_row

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.engine import collections, index
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.errors import UsageError

Report = Callable[[int, int | None, str], None]


@dataclass(frozen=True)
class Measure:
    """One setting of one index; `kind` names the index, latencies are measured on the server."""

    kind: str
    parameter: str | None
    value: int | None
    recall: float
    p50_ms: float
    p95_ms: float
    index_bytes: int | None
    build_seconds: float | None


@dataclass(frozen=True)
class Bench:
    """All measurements, and the rows and queries behind them."""

    rows: int
    of_rows: int
    queries: int
    measures: list[Measure]


@dataclass(frozen=True)
class Trial:
    """A value that `tune` tried; the last is `chosen`: the smallest that reached the recall, else the best for it."""

    setting: str
    value: int
    recall: float | None
    p50_ms: float | None
    p95_ms: float | None
    chosen: bool


@dataclass(frozen=True)
class Overlap:
    """The share of nearest rows that two distances have in common."""

    distance: str
    other: str
    overlap: float | None


@dataclass(frozen=True)
class Lengths:
    """Lengths of a collection's vectors."""

    shortest: float | None
    mean: float | None
    longest: float | None


def run(
    where: Target,
    collection: str,
    *,
    row_limit: int = 100_000,
    queries: int = 100,
    match_count: int = 10,
    query_embeddings: Iterable[Iterable[float]] | None = None,
    report: Report = lambda *_: None,
) -> Bench:
    """Measure the exact scan and every index that fits the collection, on a temporary copy of its rows.

    The copy ends with the session that makes it. Raises UsageError where there are too few rows to measure.
    """
    asked = _Asked(collection, queries, match_count, _literals(query_embeddings))
    with database.connect(where, autocommit=True) as connection:
        rows, of_rows, used = _copy(connection, asked, row_limit)
        kinds = [EXACT, *_planned(connection, collection)]
        measures: list[Measure] = []
        for number, kind in enumerate(kinds):
            report(number, len(kinds), kind.name)
            measures += _measure(connection, collection, kind)
        report(len(kinds), len(kinds), "")
    return Bench(rows, of_rows, used, measures)


def grow(
    where: Target,
    collection: str,
    *,
    row_limit: int = 1_000_000,
    queries: int = 100,
    match_count: int = 10,
    query_embeddings: Iterable[Iterable[float]] | None = None,
    report: Report = lambda *_: None,
) -> list[Bench]:
    """Measure the exact scan and the first index that fits, over all rows (at most row_limit), a tenth and a hundredth.

    The graph is that which `index create` would build. The smallest comes first. Raises UsageError as `run`, and where
    a hundredth of the rows says nothing.
    """
    asked = _Asked(collection, queries, match_count, _literals(query_embeddings))
    found: list[Bench] = []
    for number, share in enumerate((1, 10, 100)):
        with database.connect(where, autocommit=True) as connection:
            size = found[0].rows // share if found else row_limit
            report(number, 3, f"{size:,} rows" if found else "all rows")
            rows, of_rows, used = _copy(connection, asked, size)
            if not found and rows < 100 * SMALLEST:
                raise UsageError(
                    f"{rows:,} rows are too few to see how cost grows: {100 * SMALLEST:,} at least",
                    "pgvec-admin bench without --scale measures them",
                )
            first = _planned(connection, collection)[0]
            if first.method == "hnsw":
                first = replace(first, graph=_graph(connection, collection))
            measures = [one for kind in (EXACT, first) for one in _measure(connection, collection, kind)]
        found.append(Bench(rows, of_rows, used, measures))
    report(3, 3, "")
    return found[::-1]


@dataclass(frozen=True)
class _Asked:
    """What is searched for; embeddings in pgvector's text form."""

    collection: str
    queries: int
    match_count: int
    embeddings: list[str] | None


@dataclass(frozen=True)
class _Kind:
    """An index to try, or none; `graph` has the options of HNSW where they are not the usual ones."""

    method: str
    storage: str | None = None
    graph: tuple[int, int] = (16, 64)

    @property
    def name(self) -> str:
        return self.method if self.storage is None else f"{self.method} {self.storage}"


EXACT = _Kind("exact")
SMALLEST = 20  # rows that say anything


def _literals(embeddings: Iterable[Iterable[float]] | None) -> list[str] | None:
    return None if embeddings is None else [vector_literal(one) for one in embeddings]


def _planned(connection: Connection, collection: str) -> list[_Kind]:
    return [_Kind(one.method, one.storage) for one in index.plan(connection, collection, measure=False)]


def _graph(connection: Connection, collection: str) -> tuple[int, int]:
    row = connection.execute("select m, ef_construction from pgvec.graph_plan(%s)", (collection,)).fetchone()
    assert row is not None
    return row[0], row[1]


def _copy(connection: Connection, asked: _Asked, row_limit: int) -> tuple[int, int, int]:
    """Make the copy, once in a session: rows in it, rows there are, queries."""
    dimensions = collections.get(connection, asked.collection).dimensions
    # the copy and one index; the default of 8 MB would read them from disk
    megabytes = max(64, row_limit * (dimensions * 4 + 200) * 2 // 2**20)
    connection.execute("select set_config('temp_buffers', %s, false)", (f"{megabytes}MB",))
    row = connection.execute(
        "select rows, of_rows, queries_used from pgvec.prepare_bench(%s, %s, %s, %s, %s)",
        (asked.collection, row_limit, asked.queries, asked.match_count, asked.embeddings),
    ).fetchone()
    assert row is not None
    rows, of_rows, used = row
    if rows < 2 or used < 1:
        raise UsageError(
            f"collection {asked.collection!r} has {of_rows} embedded rows, too few to measure",
            "load and embed some hundred rows first",
        )
    return rows, of_rows, used


def _measure(connection: Connection, collection: str, kind: _Kind) -> list[Measure]:
    with connection.cursor(row_factory=class_row(Measure)) as cursor:
        return cursor.execute(
            "select %s as kind, b.* from pgvec.bench_index(%s, %s, %s, m => %s, ef_construction => %s) as b",
            (kind.name, collection, kind.method, kind.storage, *kind.graph),
        ).fetchall()


def pareto(measures: Iterable[Measure]) -> list[Measure]:
    """The settings that no other beats in both recall and p50, quickest first."""
    front: list[Measure] = []
    for measure in sorted(measures, key=lambda one: (one.p50_ms, -one.recall)):
        if not front or measure.recall > front[-1].recall:
            front.append(measure)
    return front


def good(bench: Bench, kind: str, wanted_recall: float) -> Measure:
    """The quickest setting of a kind that reaches a recall, else the one that comes nearest."""
    measures = [one for one in bench.measures if one.kind == kind]
    reached = [one for one in measures if one.recall >= wanted_recall]
    return min(reached, key=_p50) if reached else max(measures, key=lambda one: (one.recall, -one.p50_ms))


def slopes(steps: list[Bench], wanted_recall: float = 0.98) -> list[str]:
    """How much each kind costs with ten times the rows."""
    said = []
    for kind in dict.fromkeys(one.kind for one in steps[0].measures):
        chosen = [good(step, kind, wanted_recall) for step in steps]
        times = " and ".join(f"{later.p50_ms / before.p50_ms:.1f}" for before, later in pairwise(chosen))
        line = f"{kind}: with ten times the rows a search takes {times} times as long"
        if all(one.build_seconds and one.index_bytes for one in chosen):
            built = " and ".join(
                f"{(later.build_seconds or 0) / (before.build_seconds or 1):.0f}" for before, later in pairwise(chosen)
            )
            line += f", the build {built} times"
        missed = [f"{step.rows:,}" for step, one in zip(steps, chosen, strict=True) if one.recall < wanted_recall]
        if missed:
            line += f"; no setting reaches recall {wanted_recall} over {' and '.join(missed)} rows"
        said.append(line)
    return said


def advice(bench: Bench, wanted_recall: float = 0.98) -> list[str]:
    """What the figures say: HNSW or IVFFlat, and whether an index is needed at all."""
    good = [measure for measure in bench.measures if measure.recall >= wanted_recall]
    quickest = {
        kind: min(found, key=lambda one: one.p50_ms)
        for kind, found in (
            (kind, list(group))
            for kind, group in groupby(sorted(good, key=lambda one: one.kind), key=lambda one: one.kind)
        )
    }
    said = []
    exact = next(measure for measure in bench.measures if measure.kind == "exact")
    for kind, best in sorted(quickest.items(), key=lambda item: item[1].p50_ms):
        if kind != "exact":
            said.append(
                f"{kind} reaches recall {best.recall:.3f} at {best.parameter} {best.value} in {best.p50_ms:.2f} ms,"
                f" {exact.p50_ms / best.p50_ms:.1f} times as fast as an exact scan"
            )
    hnsw = min((one for kind, one in quickest.items() if kind.startswith("hnsw")), key=_p50, default=None)
    ivfflat = min((one for kind, one in quickest.items() if kind.startswith("ivfflat")), key=_p50, default=None)
    if hnsw and ivfflat and hnsw.build_seconds and ivfflat.build_seconds:
        said.append(
            f"HNSW answers {ivfflat.p50_ms / hnsw.p50_ms:.1f} times as fast as IVFFlat, which builds"
            f" {hnsw.build_seconds / ivfflat.build_seconds:.0f} times as fast:"
            " IVFFlat where rows are replaced as a whole and the index rebuilt, HNSW elsewhere"
        )
    elif hnsw and not ivfflat:
        said.append(f"IVFFlat does not reach recall {wanted_recall} with the probes tried: HNSW")
    if not quickest or min(quickest.values(), key=_p50).kind == "exact":
        said.append("an exact scan is the quickest here: no index is needed at this size")
    return said


def _p50(measure: Measure) -> float:
    return measure.p50_ms


def tune(
    connection: Connection,
    collection: str,
    *,
    wanted_recall: float = 0.98,
    queries: int = 100,
    match_count: int = 10,
    seconds: float = 60,
) -> list[Trial]:
    """Write the smallest ef_search, or probes, that reaches a recall into the collection's settings."""
    with connection.cursor(row_factory=class_row(Trial)) as cursor:
        return cursor.execute(
            "select * from pgvec.tune(%s, %s, %s, %s, seconds => %s)",
            (collection, wanted_recall, queries, match_count, seconds),
        ).fetchall()


def distances(
    connection: Connection, collection: str, *, queries: int = 50, match_count: int = 10
) -> tuple[list[Overlap], Lengths]:
    """How far the rankings by the four distances agree, and the lengths of the vectors, which explain it."""
    with connection.cursor(row_factory=class_row(Overlap)) as cursor:
        overlaps = cursor.execute(
            "select * from pgvec.compare_distances(%s, %s, %s)", (collection, queries, match_count)
        ).fetchall()
    with connection.cursor(row_factory=class_row(Lengths)) as cursor:
        lengths = cursor.execute("select * from pgvec.vector_lengths(%s)", (collection,)).fetchone()
    assert lengths is not None
    return overlaps, lengths


def why(lengths: Lengths) -> str:
    """Why the distances rank as they do."""
    if lengths.shortest is None or lengths.longest is None:
        return "there are no vectors"
    if lengths.longest - lengths.shortest <= 0.001 * lengths.longest:
        return (
            f"all vectors have length {lengths.mean:.3f}: cosine, L2 and inner product rank alike,"
            " and inner product is the quickest to compute; L1 sums the differences by dimension and ranks otherwise"
        )
    return (
        f"lengths go from {lengths.shortest:.3f} to {lengths.longest:.3f}: inner product prefers long vectors,"
        " L2 those of the query's own length, cosine looks at the direction alone;"
        " choose what the model was trained with, or store vectors of length 1"
    )
