"""pgvec-admin collection: create, adopt, release, list, show, refresh, drop."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.output import DatabaseUrl, Json, confirm, notices, open_target, print_json, print_table, say, size
from pgvec_admin.engine import collections
from pgvec_admin.errors import UsageError

app = typer.Typer(
    no_args_is_help=True, help="Collections: the tables that the search functions know; create, adopt, list, drop."
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the collection and of its table in schema public.")],
    dimensions: Annotated[
        int | None,
        typer.Option(
            "--dimensions", "-d", min=1, max=16_000, help="Dimensions of its embeddings; else those of --model."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Embedding model, for example local:all-MiniLM-L6-v2.")] = None,
    distance: Annotated[str, typer.Option(help="cosine, l2, inner_product or l1.")] = "cosine",
    access: Annotated[
        str,
        typer.Option(
            help="open (to every reader, on Supabase anon), tenant (rows belong to tenants) or policy (your own)."
        ),
    ] = "open",
    storage: Annotated[str, typer.Option(help="vector (4 bytes a dimension) or halfvec (2).")] = "vector",
    language: Annotated[str, typer.Option(help="Text search configuration.")] = "english",
    partition: Annotated[
        int | None,
        typer.Option(
            help="Tables to spread the rows of tenants over (access tenant); 0: one, and others by tenant isolate.",
            show_default="one table",
        ),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Table of the accounts with which rows are deleted, for example auth.users."),
    ] = None,
    owner_column: Annotated[
        str | None,
        typer.Option(help="tenant_id, where each tenant is an account (access tenant).", show_default="owner_id"),
    ] = None,
    if_not_exists: Annotated[
        bool, typer.Option("--if-not-exists", help="Do nothing where there is one of that name.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a collection: a table with text, metadata and an embedding, known to the search functions by its name.

    Example:

    \b
      pgvec-admin collection create documents --model local:all-MiniLM-L6-v2
      pgvec-admin collection create jobs --dimensions 1536 --storage halfvec
      pgvec-admin collection create notes --dimensions 1536 --access tenant --partition 16
      pgvec-admin collection create journals --dimensions 1536 --access policy --owner auth.users
    """
    if dimensions is None:
        if model is None:
            raise UsageError("how many dimensions?", "pass --dimensions, or a --model that says so")
        from pgvec_admin import providers

        dimensions = providers.provider(model).dimensions
    with database.connect(open_target(database_url)) as connection:
        if if_not_exists and any(found.name == name for found in collections.status(connection)):
            say(f"collection {name} is there already")
            return
        table = collections.create(
            connection,
            name,
            dimensions,
            distance=distance,
            access=access,
            storage=storage,
            language=language,
            model=model,
            partition=partition,
            owner=owner,
            owner_column=owner_column,
        )
    say(f"collection {name}: table {table.removeprefix('public.')}, {dimensions} dimensions, {distance}")


@app.command()
def adopt(
    table: Annotated[str, typer.Argument(help="The table, with its schema: public.jobs.")],
    embedding: Annotated[str, typer.Option(help="Its column of vectors; made where it is missing.")] = "embedding",
    content: Annotated[str, typer.Option(help="Its text columns, in order: title,description.")] = "content",
    id_column: Annotated[
        str | None, typer.Option("--id", help="The column that identifies a row.", show_default="the primary key")
    ] = None,
    metadata: Annotated[
        str | None,
        typer.Option(
            help="A jsonb or json column for metadata; '' for the rest of the row.",
            show_default="the only one, if it is called metadata; else the rest of the row",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the collection.", show_default="the table's")] = None,
    dimensions: Annotated[
        int | None,
        typer.Option("--dimensions", "-d", min=1, max=16_000, help="Of a new column; else those of --model."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Embedding model, for example local:all-MiniLM-L6-v2.")] = None,
    distance: Annotated[str, typer.Option(help="cosine, l2, inner_product or l1.")] = "cosine",
    language: Annotated[str, typer.Option(help="Text search configuration.")] = "english",
    add_columns: Annotated[
        bool, typer.Option("--add-columns", help="Keep lexemes and hashes in the table, not beside it.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Make an existing table searchable as a collection, without changing its columns.

    Example:

    \b
      pgvec-admin collection adopt public.jobs --embedding embedding --content title,description
    """
    if dimensions is None and model is not None:
        from pgvec_admin import providers

        dimensions = providers.provider(model).dimensions
    with database.connect(open_target(database_url)) as connection:
        connection.add_notice_handler(notices())
        made = collections.adopt(
            connection,
            table,
            name=name,
            embedding=embedding,
            content=[column.strip() for column in content.split(",")],
            id_column=id_column,
            metadata=metadata,
            dimensions=dimensions,
            distance=distance,
            language=language,
            model=model,
            add_columns=add_columns,
        )
    say(f"collection {made.name}: table {table}, {made.dimensions} dimensions, {made.distance}")


@app.command()
def release(
    name: Annotated[str, typer.Argument(help="Name of the collection.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Undo an adoption: what was added for the collection goes, the table stays.

    Example:

    \b
      pgvec-admin collection release jobs --yes
    """
    with database.connect(open_target(database_url)) as connection:
        confirm(f"release {name}: drop its lexemes, hashes, added columns and vector indexes?", yes=yes)
        table = collections.release(connection, name)
    say(f"collection {name} released" + (f"; table {table} is as it was" if table else "; its table is gone"))


@app.command("list")
def list_(database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """List the collections: rows, rows without a fresh embedding, dimensions, model, indexes, size.

    Example:

    \b
      pgvec-admin collection list
    """
    with database.connect(open_target(database_url)) as connection:
        found = collections.status(connection)
    if as_json:
        print_json([asdict(item) for item in found])
        return
    print_table(
        ["collection", "rows", "to embed", "dimensions", "distance", "storage", "model", "indexed", "size"],
        [
            [
                item.name,
                item.rows if item.rows is not None else "table dropped",
                item.stale,
                item.dimensions,
                item.distance,
                item.storage,
                item.model,
                "yes" if item.indexes else "no",
                size(item.size_bytes),
            ]
            for item in found
        ],
    )


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the collection.")],
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Show one collection: its choices, what it holds, its indexes, and whether its keyword statistics are behind.

    Example:

    \b
      pgvec-admin collection show documents
    """
    with database.connect(open_target(database_url)) as connection:
        collections.get(connection, name)
        item = next(found for found in collections.status(connection) if found.name == name)
        keywords = collections.keyword_statistics(connection, name)
    if as_json:
        print_json(asdict(item) | {"keywords": asdict(keywords)})
        return
    shown = asdict(item) | {
        "indexes": ", ".join(item.indexes) or "none",
        "size_bytes": size(item.size_bytes),
        "keywords": f"{keywords.documents:,} rows counted, {keywords.uncounted:,} changed since",
    }
    print_table(["", name], [[key.replace("_bytes", ""), value] for key, value in shown.items() if key != "name"])
    if keywords.due:
        say(f"the keyword statistics are behind: pgvec-admin collection refresh {name}")


@app.command()
def refresh(
    name: Annotated[str, typer.Argument(help="Name of the collection.")],
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Count the words of a collection again, for BM25. Collections of up to 10,000 rows are always up to date.

    Lexemes of an earlier release, or of before the setting fold_accents was changed, are made anew before.

    Example:

    \b
      pgvec-admin collection refresh documents
    """
    with database.connect(open_target(database_url)) as connection:
        connection.add_notice_handler(notices())
        lexemes = collections.refresh_lexemes(connection, name)
        refreshed = collections.refresh_statistics(connection, name)
    if as_json:
        print_json(asdict(refreshed) | {"lexemes_renewed": lexemes})
    if lexemes:
        say(f"{name}: lexemes of {lexemes:,} rows made anew")
    say(
        f"{name}: {refreshed.lexemes:,} different words in {refreshed.documents:,} rows"
        f" of {refreshed.average_length or 0:.1f} on average; weights of {refreshed.renewed:,} rows made anew"
    )


@app.command()
def drop(
    name: Annotated[str, typer.Argument(help="Name of the collection.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Drop a collection, its table and all its rows.

    Example:

    \b
      pgvec-admin collection drop jobs --yes
    """
    with database.connect(open_target(database_url)) as connection:
        known = next((found for found in collections.status(connection) if found.name == name), None)
        rows = known.rows if known and known.rows is not None else 0
        confirm(f"drop collection {name} with {rows:,} rows?", yes=yes)
        collections.drop(connection, name)
    say(f"collection {name} dropped")
