"""pgvec-admin bench: recall against latency, or distances against each other."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.output import (
    DatabaseUrl,
    Json,
    check_picture,
    open_target,
    print_json,
    print_table,
    progress,
    say,
    size,
)
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.quality import bench as benches
from pgvec_admin.quality import pictures


def bench(
    collection: Annotated[str, typer.Argument(help="Name of the collection.")],
    rows: Annotated[
        int | None,
        typer.Option(min=100, help="Rows to copy and measure on, at most (default: 100000; with --scale 1000000)."),
    ] = None,
    queries: Annotated[int, typer.Option(min=1, max=10_000, help="Rows to search for, which are left out.")] = 100,
    query_file: Annotated[
        Path | None,
        typer.Option(
            help="Search for these vectors instead: JSON lines, an array a line.", exists=True, dir_okay=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="Nearest rows to compare.")] = 10,
    recall: Annotated[float, typer.Option(min=0, max=1, help="Recall that the advice aims at.")] = 0.98,
    png: Annotated[Path | None, typer.Option("--png", help="Draw the figures into this file (extra plot).")] = None,
    distances: Annotated[
        bool, typer.Option("--distances", help="Compare the rankings by cosine, L2, inner product and L1 instead.")
    ] = False,
    scale: Annotated[
        bool, typer.Option("--scale", help="Show how cost grows: over a hundredth of the rows, a tenth, and all.")
    ] = False,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Measure recall against latency on the collection's own rows: exact, HNSW, IVFFlat, halfvec, binary.

    Works on a temporary copy, builds each index that fits the collection there, and leaves nothing behind.

    Example:

    \b
      pgvec-admin bench documents --png documents.png
      pgvec-admin bench documents --distances
      pgvec-admin bench documents --scale --png growth.png
    """
    if scale and distances:
        raise UsageError("--scale and --distances measure different things", "give one of them")
    check_picture(png)
    where = open_target(database_url)
    if distances:
        with database.connect(where) as connection:
            overlaps, lengths = benches.distances(connection, collection, queries=min(queries, 50), match_count=limit)
        if as_json:
            print_json({"overlaps": [asdict(one) for one in overlaps], "lengths": asdict(lengths)})
            return
        print_table(
            ["distance", "other", f"overlap@{limit}"],
            [[one.distance, one.other, f"{one.overlap or 0:.3f}"] for one in overlaps],
        )
        say(benches.why(lengths))
        return

    vectors = None if query_file is None else _vectors(query_file)
    with progress(f"bench of {collection}", "sizes" if scale else "indexes") as report:
        if scale:
            steps = benches.grow(
                where,
                collection,
                row_limit=rows or 1_000_000,
                queries=queries,
                match_count=limit,
                query_embeddings=vectors,
                report=report,
            )
        else:
            result = benches.run(
                where,
                collection,
                row_limit=rows or 100_000,
                queries=queries,
                match_count=limit,
                query_embeddings=vectors,
                report=report,
            )
    if scale:
        _grown(steps, collection, recall, limit, png, as_json=as_json)
        return
    if png:
        pictures.recall_and_latency(
            result, png, f"{collection}: {result.rows:,} rows, {result.queries} queries, {limit} nearest"
        )
    if as_json:
        print_json(asdict(result))
        return
    front = benches.pareto(result.measures)
    print_table(
        ["index", "setting", f"recall@{limit}", "p50 ms", "p95 ms", "best", "size", "build s"],
        [
            [
                one.kind,
                f"{one.parameter} {one.value}" if one.parameter else "",
                f"{one.recall:.3f}",
                f"{one.p50_ms:.2f}",
                f"{one.p95_ms:.2f}",
                "*" if one in front else "",
                size(one.index_bytes),
                "" if one.build_seconds is None else f"{one.build_seconds:.1f}",
            ]
            for one in result.measures
        ],
    )
    say(f"{result.queries} queries over {result.rows:,} of {result.of_rows:,} rows; * nothing beats it in both")
    for line in benches.advice(result, recall):
        say(line)


def _grown(
    steps: list[benches.Bench], collection: str, recall: float, limit: int, png: Path | None, *, as_json: bool
) -> None:
    """Tell how cost grows."""
    if png:
        pictures.growth(steps, png, f"{collection}: how a search for the {limit} nearest grows", recall)
    if as_json:
        print_json([asdict(step) for step in steps])
        return
    kinds = dict.fromkeys(one.kind for one in steps[0].measures)
    chosen = [(step, benches.good(step, kind, recall)) for kind in kinds for step in steps]
    print_table(
        ["rows", "index", "setting", f"recall@{limit}", "p50 ms", "p95 ms", "size", "build s"],
        [
            [
                f"{step.rows:,}",
                one.kind,
                f"{one.parameter} {one.value}" if one.parameter else "",
                f"{one.recall:.3f}",
                f"{one.p50_ms:.2f}",
                f"{one.p95_ms:.2f}",
                size(one.index_bytes),
                "" if one.build_seconds is None else f"{one.build_seconds:.1f}",
            ]
            for step, one in chosen
        ],
    )
    say(f"{steps[0].queries} queries; of each index the quickest setting with recall {recall}, else the nearest to it")
    for line in benches.slopes(steps, recall):
        say(line)


def _vectors(file: Path) -> list[list[float]]:
    found: list[list[float]] = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            found.append([float(value) for value in json.loads(line)])
        except (ValueError, TypeError, RecursionError) as error:
            raise DataRejectedError(f"{file}:{number}: not a vector: {error}", "an array of numbers a line") from error
    if not found:
        raise DataRejectedError(f"{file} holds no vectors", "an array of numbers a line")
    return found
