"""pgvec-admin index: create, list, drop."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin import database, index
from pgvec_admin.cli.output import (
    DatabaseUrl,
    Json,
    open_target,
    print_json,
    print_table,
    progress,
    say,
    size,
)

app = typer.Typer(no_args_is_help=True, help="Vector indexes of a collection.")

CollectionArgument = Annotated[str, typer.Argument(help="Name of the collection.")]


@app.command()
def create(
    collection: CollectionArgument,
    method: Annotated[str, typer.Option(help="hnsw or ivfflat.")] = "hnsw",
    m: Annotated[int, typer.Option(min=2, max=100, help="hnsw: links of a node.")] = 16,
    ef_construction: Annotated[int, typer.Option(min=4, max=1000, help="hnsw: breadth of the build.")] = 64,
    lists: Annotated[
        int | None,
        typer.Option(min=1, max=32768, help="ivfflat: lists; by default rows / 1000.", show_default=False),
    ] = None,
    maintenance_work_mem: Annotated[
        str | None, typer.Option(help="Memory for the build, for example 2GB.", show_default="the server's")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Build a vector index for the collection's distance, without blocking writers.

    Example:

    \b
      pgvec-admin index create documents
      pgvec-admin index create documents --method ivfflat --lists 100
    """
    where = open_target(database_url)
    with progress(f"index on {collection}", "blocks") as report:
        build = index.create(
            where,
            collection,
            method=method,
            m=m,
            ef_construction=ef_construction,
            lists=lists,
            maintenance_work_mem=maintenance_work_mem,
            report=report,
        )
    say(f"index {build.name} {'is there already' if build.existed else 'is built'}")


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
    print_table(
        ["index", "method", "distance", "valid", "size"],
        [[i.name, i.method, i.distance, "yes" if i.valid else "no", size(i.size_bytes)] for i in found],
    )


@app.command()
def drop(
    collection: CollectionArgument,
    name: Annotated[str, typer.Argument(help="Name of the index.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Drop a vector index of a collection, without blocking anybody.

    Example:

    \b
      pgvec-admin index drop documents documents_embedding_hnsw_cosine_idx
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        index.drop(connection, collection, name)
    say(f"index {name} dropped")
