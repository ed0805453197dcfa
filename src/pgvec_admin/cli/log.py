"""pgvec-admin log and stats: the log of searches, and what it says."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from pgvec_admin import database
from pgvec_admin.cli.output import DatabaseUrl, Json, open_target, print_json, print_table, say, shortened, size
from pgvec_admin.engine import search_log
from pgvec_admin.quality import stats as statistics

BARS = "▁▂▃▄▅▆▇█"

app = typer.Typer(no_args_is_help=True, help="The log of searches: a sample, where it is turned on.")

Name = Annotated[str, typer.Argument(metavar="COLLECTION", help="Name of the collection.", show_default=False)]


@app.command()
def on(
    collection: Name,
    sample: Annotated[float, typer.Option(min=0, max=1, help="Share of the searches.")] = 0.1,
    keep: Annotated[str, typer.Option(help="How long.")] = "30 days",
    texts: Annotated[bool, typer.Option("--texts", help="With the texts and filters, which are people's own.")] = False,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="With the vectors.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Log a sample of the searches of a collection.

    Example:

    \b
      pgvec-admin log on documents --sample 0.1
      pgvec-admin log on documents --sample 1 --keep '7 days' --texts --embeddings
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        search_log.turn_on(connection, collection, sample=sample, keep=keep, texts=texts, embeddings=embeddings)
        (state,) = [one for one in search_log.state(connection) if one.collection == collection]
    say(f"searches of {collection} are logged: {sample:.3g} of them, kept for {keep}")
    if state.read_only != "collected":
        say("those in read-only transactions, as by Supabase's REST API, only while this runs: pgvec-admin log collect")


@app.command()
def off(collection: Name, database_url: DatabaseUrl = None) -> None:
    """Log no more searches of a collection; logged ones stay until they expire.

    Example:

    \b
      pgvec-admin log off documents
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        search_log.turn_on(connection, collection, sample=0)
    say(f"searches of {collection} are not logged")


@app.command()
def show(database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Show what is logged of each collection, and whether read-only transactions are.

    Example:

    \b
      pgvec-admin log show
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        found = search_log.state(connection)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    print_table(
        ["collection", "sample", "keep", "texts", "embeddings", "logged", "overdue", "read-only transactions"],
        [
            [
                one.collection,
                "off" if one.sample is None else one.sample,
                f"{one.keep.total_seconds() / 86400:.3g} days",
                "yes" if one.texts else "no",
                "yes" if one.embeddings else "no",
                one.logged,
                one.overdue,
                one.read_only,
            ]
            for one in found
        ],
    )


@app.command()
def prune(database_url: DatabaseUrl = None) -> None:
    """Remove expired rows from the log. For a scheduler; in the database itself: select pgvec.prune_search_log().

    Example:

    \b
      pgvec-admin log prune
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        removed = search_log.prune(connection)
    say(f"{removed:,} searches removed from the log")


@app.command()
def collect(database_url: DatabaseUrl = None) -> None:
    """Log the searches of read-only transactions, as PostgREST makes them, until interrupted.

    Needs a direct connection, or a pooler's in session mode. When the connection is lost it ends with exit code 3; let
    systemd or the like start it again.

    Example:

    \b
      pgvec-admin log collect
    """
    collector = search_log.Collector(open_target(database_url))
    say("collecting the searches of read-only transactions")
    count = 0
    try:
        for _ in collector.collect():
            count += 1
    finally:
        collector.close()
        say(f"collected {count:,} searches")


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
    if found.replica:
        say("this is a replica: scans are its own, and searches on it are not logged; the log is on the primary")
        return
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
    if found.filters:
        print_table(
            ["filters asked often", "collection", "searches", "rows", "p50 ms", "p95 ms"],
            [
                [_json(one.filter), one.collection, one.searches, one.matches, f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}"]
                for one in found.filters
            ],
        )
        first = found.filters[0]
        command = f"pgvec-admin index create {first.collection} --where {shlex.quote(_json(first.filter))}"
        say(f"an index of its own can make a filter nearly as quick as none: {command}")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def bars(values: Sequence[float]) -> str:
    """A row of blocks by the heights of the values; nothing for 0, the full block for the greatest."""
    top = max(values)
    return "".join(" " if value <= 0 else BARS[round(value / top * (len(BARS) - 1))] for value in values)
