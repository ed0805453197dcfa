"""pgvec-admin index: plan, create, tune, list, drop; and scale: plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.output import (
    DatabaseUrl,
    Json,
    duration,
    open_target,
    print_json,
    print_table,
    progress,
    say,
    size,
)
from pgvec_admin.cli.search import parse_filter
from pgvec_admin.engine import index
from pgvec_admin.errors import CheckFailedError, UsageError
from pgvec_admin.quality import bench

app = typer.Typer(
    no_args_is_help=True, help="Vector indexes of a collection: which would fit, build, tune, list, drop."
)

scale = typer.Typer(no_args_is_help=True, help="What a collection takes as it grows: memory, disk, time, servers.")

CollectionArgument = Annotated[str, typer.Argument(help="Name of the collection.")]


StorageOption = Annotated[
    str | None,
    typer.Option(help="What the index holds: vector, halfvec or binary.", show_default="the recommended one"),
]
Seconds = Annotated[
    float, typer.Option(min=0, max=86_400, help="At most so long for measuring recall; 0 for not at all.")
]
M = Annotated[int, typer.Option(min=2, max=100, help="hnsw: links of a node.")]
EfConstruction = Annotated[int, typer.Option(min=4, max=1000, help="hnsw: breadth of the build.")]


@app.command()
def plan(
    collection: CollectionArgument,
    m: M = 16,
    ef_construction: EfConstruction = 64,
    measure: Annotated[bool, typer.Option(help="Time builds and measure recall on the collection's own rows.")] = True,
    memory: Annotated[
        int | None,
        typer.Option(help="Memory for a build, in MB.", show_default="half of the server's", min=1, max=2**40),
    ] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Show which indexes a collection could have: what each needs, what fits, what it would do to recall.

    Example:

    \b
      pgvec-admin index plan documents
      pgvec-admin index plan documents --memory 2000 --no-measure
    """
    with database.connect(open_target(database_url)) as connection:
        options = index.plan(
            connection,
            collection,
            m=m,
            ef_construction=ef_construction,
            measure=measure,
            memory=memory * 2**20 if memory else None,
        )
    if as_json:
        print_json([asdict(option) for option in options])
        return
    print_table(
        ["method", "storage", "on disk", "to build", "fits", "about", "recall", "", "note"],
        [
            [
                option.method,
                option.storage,
                size(round(option.index_bytes)),
                size(round(option.build_bytes)),
                option.fits,
                "" if option.seconds is None else duration(option.seconds),
                "" if option.recall is None else f"{option.recall:.3f}",
                "recommended" if option.recommended else "",
                option.note,
            ]
            for option in options
        ],
    )
    best = index.choose(options, None, None)
    if best:
        say(
            f"pgvec-admin index create {collection} builds {best.method} over {best.storage} with"
            f" maintenance_work_mem {best.maintenance_work_mem} and {best.workers} parallel workers"
        )


@app.command()
def create(
    collection: CollectionArgument,
    method: Annotated[str | None, typer.Option(help="hnsw or ivfflat.", show_default="the recommended one")] = None,
    storage: StorageOption = None,
    m: Annotated[
        int | None, typer.Option(min=2, max=100, help="hnsw: links of a node.", show_default="by the rows there are")
    ] = None,
    ef_construction: Annotated[
        int | None,
        typer.Option(min=4, max=1000, help="hnsw: breadth of the build.", show_default="by the rows there are"),
    ] = None,
    lists: Annotated[
        int | None,
        typer.Option(min=1, max=32768, help="ivfflat: lists; by default rows / 1000.", show_default=False),
    ] = None,
    maintenance_work_mem: Annotated[
        str | None, typer.Option(help="Memory for the build, for example 2GB.", show_default="as planned")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, max=64, help="Parallel workers.", show_default="the server's")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Only the rows that match this filter, as JSON, which is asked often.", show_default=False),
    ] = None,
    seconds: Seconds = 60,
    database_url: DatabaseUrl = None,
) -> None:
    """Build a vector index for the collection's distance, without blocking writers: by default the recommended one.

    The rows are sampled before, to choose --m and --ef-construction, and afterwards, to find the ef_search (or probes)
    with which recall@10 is at least 0.98.

    Example:

    \b
      pgvec-admin index create documents
      pgvec-admin index create documents --storage halfvec
      pgvec-admin index create documents --method ivfflat --lists 100
      pgvec-admin index create documents --where '{"lang": "de"}'
    """
    if where is not None and (method not in (None, "hnsw") or lists is not None):
        raise UsageError("an index for a filter is hnsw", "leave out --method and --lists")
    wanted = parse_filter(where, "--where")
    with progress(f"index on {collection}", "blocks") as report:
        build = index.create(
            open_target(database_url),
            collection,
            method=method,
            storage=storage,
            m=m,
            ef_construction=ef_construction,
            lists=lists,
            rows_that=wanted,
            maintenance_work_mem=maintenance_work_mem,
            workers=workers,
            tune=seconds,
            warn=lambda text: say(f"note: {text}"),
            report=report,
        )
    say(f"index {build.name} {'is there already' if build.existed else 'is built'}")
    if build.kept:
        say(tuned(collection, build.kept))


@app.command()
def tune(
    collection: CollectionArgument,
    recall: Annotated[float, typer.Option(min=0, max=1, help="Wanted recall of the nearest rows.")] = 0.98,
    queries: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of the collection to search for.")] = 100,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="Nearest rows to compare.")] = 10,
    seconds: Annotated[float, typer.Option(min=0, max=86_400, help="At most about so long.")] = 60,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Find the smallest ef_search (hnsw) or probes (ivfflat) that reaches a recall, and make it the collection's.

    Example:

    \b
      pgvec-admin index tune documents --recall 0.99
    """
    with database.connect(open_target(database_url)) as connection:
        trials = bench.tune(
            connection, collection, wanted_recall=recall, queries=queries, match_count=limit, seconds=seconds
        )
    if as_json:
        print_json([asdict(trial) for trial in trials])
    else:
        print_table(
            ["setting", "value", f"recall@{limit}", "p50 ms", "p95 ms"],
            [
                [t.setting, t.value, f"{t.recall or 0:.3f}", f"{t.p50_ms or 0:.2f}", f"{t.p95_ms or 0:.2f}"]
                for t in trials
            ],
        )
    kept = trials[-1]
    if kept.recall is None or kept.recall >= recall:
        say(f"{kept.setting} of {collection} is now {kept.value}")
    else:
        raise CheckFailedError(
            f"recall {recall} is not reached; {kept.setting} of {collection} is now {kept.value}: more gains little",
            "drop the index and build it with a greater --m and --ef-construction, or over a more exact --storage",
        )


def tuned(collection: str, kept: index.Kept) -> str:
    """What searches of a collection reach, for people."""
    said = (
        f"{kept.setting} of {collection} is {kept.value}: recall@10 {kept.recall or 0:.3f} on its own rows,"
        f" p50 {kept.p50_ms or 0:.1f} ms, p95 {kept.p95_ms or 0:.1f} ms"
    )
    return said if kept.reached else f"{said}; 0.98 is not reached: {kept.hint}"


@app.command("list")
def list_(collection: CollectionArgument, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """List the vector indexes of a collection.

    Example:

    \b
      pgvec-admin index list documents
    """
    with database.connect(open_target(database_url)) as connection:
        found = index.vector_indexes(connection, collection)
    if as_json:
        print_json([asdict(item) for item in found])
        return
    partial = any(one.condition for one in found)
    print_table(
        ["index", "method", "storage", "distance", "valid", "size", *(["rows"] if partial else [])],
        [
            [i.name, i.method, i.storage, i.distance, "yes" if i.valid else "no", size(i.size_bytes)]
            + ([i.condition or "all"] if partial else [])
            for i in found
        ],
    )


@app.command()
def drop(
    collection: CollectionArgument,
    name: Annotated[str, typer.Argument(help="Name of the index.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Drop a vector index of a collection, without blocking reads or writes.

    Example:

    \b
      pgvec-admin index drop documents documents_embedding_hnsw_cosine_idx
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        index.drop(connection, collection, name)
    say(f"index {name} dropped")


def amount(text: str) -> int:
    """A number as people write it: 50M, 2.5k, 1_000_000."""
    factors = {"k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "b": 1_000_000_000}
    factor = factors.get(text[-1:].lower())
    try:
        found = float(text[:-1].replace(",", "") if factor else text.replace(",", "")) * (factor or 1)
        return round(found)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no number of rows", "for example 50M, 250k or 1000000") from None


@scale.command("plan")
def scale_plan(
    collection: CollectionArgument,
    rows: Annotated[str, typer.Option(help="Rows to plan for, for example 50M.")],
    tenants: Annotated[str | None, typer.Option(help="Tenants that they belong to.", show_default=False)] = None,
    memory: Annotated[
        int | None,
        typer.Option(help="Memory of each server, in MB.", show_default="this server's", min=1, max=2**40),
    ] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Show what a collection would take at so many rows: memory, disk, time to build, partitions, servers, and why.

    Example:

    \b
      pgvec-admin scale plan documents --rows 50M
      pgvec-admin scale plan notes --rows 50M --tenants 2000 --memory 64000
    """
    with database.connect(open_target(database_url)) as connection:
        items = index.scale_plan(
            connection,
            collection,
            rows=amount(rows),
            tenants=None if tenants is None else amount(tenants),
            memory=memory * 2**20 if memory else None,
        )
    if as_json:
        print_json([asdict(item) for item in items])
        return
    print_table(
        ["", "now", "planned", "why"],
        [[item.what, _shown(item.now, item.unit), _shown(item.planned, item.unit), item.why] for item in items],
    )


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "bytes":
        return size(round(value))
    return duration(value) if unit == "seconds" else f"{value:,.0f}"
