"""pgvec-admin tenant: list, show, export, isolate, purge."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import orjson
import typer

from pgvec_admin import database
from pgvec_admin.cli.output import DatabaseUrl, Json, confirm, echo_json, open_target, print_json, print_table, say
from pgvec_admin.engine import tenants
from pgvec_admin.errors import UsageError

app = typer.Typer(
    no_args_is_help=True,
    help="Tenants of collections with access tenant: list, show, export, isolate or delete their rows.",
)

Which = Annotated[UUID, typer.Argument(metavar="TENANT", help="Id of the tenant.", show_default=False)]


@app.command("list")
def list_(database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Show all tenants, and what they have in each collection.

    Example:

    \b
      pgvec-admin tenant list
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        _show(tenants.holdings(connection), as_json)


@app.command()
def show(tenant: Which, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Show what one tenant has in each collection.

    Example:

    \b
      pgvec-admin tenant show 5f0c1d9e-3f7b-4a58-9a51-0c8a4d1e2b77
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        _show(_of(connection, tenant), as_json)


@app.command()
def export(tenant: Which, database_url: DatabaseUrl = None) -> None:
    """Write all rows of a tenant to stdout, a JSON object a line, with its collection.

    Example:

    \b
      pgvec-admin tenant export 5f0c1d9e-3f7b-4a58-9a51-0c8a4d1e2b77 > tenant.jsonl
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        _of(connection, tenant)
        for collection, document in tenants.export(connection, tenant):
            echo_json(orjson.dumps({"collection": collection, **document}).decode())


@app.command()
def isolate(
    collection: Annotated[str, typer.Argument(help="A collection made with --partition 0.", show_default=False)],
    tenant: Which,
    database_url: DatabaseUrl = None,
) -> None:
    """Give a large tenant a table of its own, with indexes of its own; purge then drops it.

    Searches and writes go on; at the end they wait for some seconds.

    Example:

    \b
      pgvec-admin tenant isolate notes 5f0c1d9e-3f7b-4a58-9a51-0c8a4d1e2b77
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        table = tenants.isolate(connection, collection, tenant)
        held = [one for one in tenants.holdings(connection, tenant) if one.collection == collection]
    say(f"collection {collection}: {sum(one.documents for one in held):,} rows of tenant {tenant} are in {table}")


@app.command()
def purge(
    tenant: Which,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Delete all rows of a tenant, with their statistics and memberships.

    Example:

    \b
      pgvec-admin tenant purge 5f0c1d9e-3f7b-4a58-9a51-0c8a4d1e2b77
    """
    where = open_target(database_url)
    with database.connect(where, autocommit=True) as connection:
        held = _of(connection, tenant)
        count = sum(one.documents for one in held)
        confirm(f"delete {count:,} rows of tenant {tenant} on {where.describe()}?", yes=yes)
        purged = tenants.purge(connection, tenant)
    if as_json:
        print_json([asdict(one) for one in purged])
    for one in purged:
        say(f"collection {one.collection}: {one.deleted:,} rows deleted")


def _of(connection: database.Connection, tenant: UUID) -> list[tenants.Holding]:
    held = tenants.holdings(connection, tenant)
    if not held:
        raise UsageError(f"tenant {tenant} has no rows", "pgvec-admin tenant list shows those that have")
    return held


def _show(held: list[tenants.Holding], as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in held])
        return
    print_table(
        ["tenant", "collection", "rows", "embedded", "members", "changed"],
        [
            [
                str(one.tenant_id),
                one.collection,
                one.documents,
                one.embedded,
                one.members,
                f"{one.updated_at:%Y-%m-%d}",
            ]
            for one in held
        ],
    )
