"""pgvec-admin functions: the installed functions, their differences and their history."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.output import DatabaseUrl, Json, confirm, echo, open_target, print_json, print_table, say
from pgvec_admin.install import functions, preflight

app = typer.Typer(help="The installed functions: states, differences, history, rollback.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Name of a function, with or without its schema.")]


@app.command("list")
def list_(database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """List the functions, each with its state.

    ok, new, changed, drifted, missing, held (rolled back), replaced (a hook), retired or unmanaged.

    Example:

    \b
      pgvec-admin functions list
    """
    with database.connect(open_target(database_url)) as connection:
        found = functions.states(connection)
    if as_json:
        print_json([asdict(state) for state in found])
        return
    print_table(
        ["function", "state", "version", "release"],
        [[state.name, state.state, state.version, state.release] for state in found],
    )


@app.command()
def diff(
    name: Annotated[str | None, typer.Argument(help="Name of a function.", show_default="all of them")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Show what migrate would change in the functions, as a unified diff. Changes nothing.

    Example:

    \b
      pgvec-admin functions diff
      pgvec-admin functions diff match_documents
    """
    with database.connect(open_target(database_url)) as connection:
        lines = functions.diff(connection, preflight.look(connection).schema, name)
        connection.rollback()
    for line in lines:
        echo(line)
    if not lines:
        say("no difference")


@app.command()
def history(
    name: NameArgument,
    show: Annotated[int | None, typer.Option(help="Print the definition of this version.")] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """List the definitions that a function has had, oldest first.

    Example:

    \b
      pgvec-admin functions history match_documents
      pgvec-admin functions history match_documents --show 1
    """
    with database.connect(open_target(database_url)) as connection:
        full, entries = functions.history(connection, name)
    if show is not None:
        entries = [functions.version(full, entries, show)]
        if not as_json:
            echo(entries[0].definition, lines=True)
            return
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    print_table(
        ["version", "origin", "release", "by"],
        [[entry.version, entry.origin, entry.package_version, entry.applied_by] for entry in entries],
        title=full,
    )


@app.command()
def rollback(
    name: NameArgument,
    to: Annotated[int | None, typer.Option(help="Version to bring back.", show_default="the one before")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Bring an earlier definition of a function back. Migrate leaves it until a release changes the function.

    Example:

    \b
      pgvec-admin functions rollback match_documents --to 1
    """
    where = open_target(database_url)
    confirm(f"replace {name} in {where.describe()}?", yes=yes)
    with database.connect(where) as connection:
        full, entry = functions.rollback(connection, name, preflight.look(connection).schema, to)
        connection.execute("notify pgrst, 'reload schema'")
    say(f"{full} is version {entry.version} again ({entry.origin}, release {entry.package_version})")
