"""Recall against latency: measuring index kinds on a copy of a collection's rows, comparing distances, tuning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.engine import collections, index
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    given = None if query_embeddings is None else [vector_literal(one) for one in query_embeddings]
    with database.connect(where, autocommit=True) as connection:
        return _run(connection, collection, row_limit, queries, match_count, given, report)


def _run(
    connection: Connection,
    collection: str,
    row_limit: int,
    queries: int,
    match_count: int,
    given: list[str] | None,
    report: Report,
) -> Bench:
    dimensions = collections.get(connection, collection).dimensions
    # the copy and one index; the default of 8 MB would read them from disk
    megabytes = max(64, row_limit * (dimensions * 4 + 200) * 2 // 2**20)
    connection.execute("select set_config('temp_buffers', %s, false)", (f"{megabytes}MB",))
    row = connection.execute(
        "select rows, of_rows, queries_used from pgvec.prepare_bench(%s, %s, %s, %s, %s)",
        (collection, row_limit, queries, match_count, given),
    ).fetchone()
    assert row is not None
    rows, of_rows, used = row
    if rows < 2 or used < 1:
        raise UsageError(
            f"collection {collection!r} has {of_rows} embedded rows, too few to measure",
            "load and embed some hundred rows first",
        )

    planned = [(option.method, option.storage) for option in index.plan(connection, collection, measure=False)]
    kinds: list[tuple[str, str | None]] = [("exact", None), *planned]
    measures: list[Measure] = []
    for number, (method, storage) in enumerate(kinds):
        kind = method if storage is None else f"{method} {storage}"
        report(number, len(kinds), kind)
        with connection.cursor(row_factory=class_row(Measure)) as cursor:
            measures += cursor.execute(
                "select %s as kind, * from pgvec.bench_index(%s, %s, %s)", (kind, collection, method, storage)
            ).fetchall()
    report(len(kinds), len(kinds), "")
    return Bench(rows, of_rows, used, measures)


def pareto(measures: Iterable[Measure]) -> list[Measure]:
    """The settings that no other beats in both recall and p50, quickest first."""
    front: list[Measure] = []
    for measure in sorted(measures, key=lambda one: (one.p50_ms, -one.recall)):
        if not front or measure.recall > front[-1].recall:
            front.append(measure)
    return front


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


def plot(bench: Bench, file: Path, title: str) -> None:
    """A picture of recall against latency, a line an index kind. Needs matplotlib (extra `plot`)."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("pictures need matplotlib", "pip install 'pgvec-admin[plot]'") from error

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes: Axes = figure.subplots()
    for kind, group in groupby(bench.measures, key=lambda one: one.kind):
        found = sorted(group, key=lambda one: (one.recall, one.p50_ms))
        axes.plot([one.recall for one in found], [one.p50_ms for one in found], marker="o", label=kind)
    axes.set(xlabel="recall", ylabel="p50 latency on the server, ms", yscale="log", title=title)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=150)


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
