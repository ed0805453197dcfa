"""pgvec-admin stats: what the log of searches says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.output import DatabaseUrl, Json, open_target, print_json, print_table, say, shortened, size
from pgvec_admin.quality import stats as statistics

BARS = "▁▂▃▄▅▆▇█"


def stats(
    collection: Annotated[str | None, typer.Argument(help="Name of the collection.", show_default="all")] = None,
    since: Annotated[str, typer.Option(help="How far back: 24h, 7d, '30 min'.")] = "24h",
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Show how searches go: how many, how fast, by which route, and what they find.

    From a sample that is logged: pgvec-admin log on COLLECTION.

    Example:

    \b
      pgvec-admin stats
      pgvec-admin stats documents --since 7d
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        found = statistics.read(connection, collection, since)
    if as_json:
        print_json(asdict(found))
        return
    print_table(
        ["collection", "rows", "to embed", "table", "indexes", "scans: vector", "keyword", "filter"],
        [
            [
                one.collection,
                "" if one.estimated_rows is None else one.estimated_rows,
                one.to_embed,
                size(one.table_bytes),
                size(one.index_bytes),
                one.vector_scans,
                one.keyword_scans,
                one.filter_scans,
            ]
            for one in found.collections
        ],
    )
    if not found.searches:
        say(f"no searches are logged since {since} ago: pgvec-admin log show")
        return
    print_table(
        ["collection", f"searches, {since}", "p95 ms"],
        [[one.collection, bars(one.searches), bars([p95 or 0 for p95 in one.p95_ms])] for one in found.series],
    )
    print_table(
        ["collection", "function", "route", "searches", "p50 ms", "p95 ms", "p99 ms", "rows", "short", "top score"],
        [
            [
                one.collection,
                one.function,
                one.route,
                one.searches,
                f"{one.p50_ms:.1f}",
                f"{one.p95_ms:.1f}",
                f"{one.p99_ms:.1f}",
                one.returned_p50,
                f"{one.short_share:.0%}",
                "" if one.top_score_p50 is None else f"{one.top_score_p50:.3f}",
            ]
            for one in found.searches
        ],
    )
    if found.slowest:
        print_table(
            ["slowest", "collection", "function", "ms"],
            [[shortened(one.text), one.collection, one.function, f"{one.ms:.1f}"] for one in found.slowest],
        )


def bars(values: Sequence[float]) -> str:
    """A row of blocks by the heights of the values; nothing for 0, the full block for the greatest."""
    top = max(values)
    return "".join(" " if value <= 0 else BARS[round(value / top * (len(BARS) - 1))] for value in values)
