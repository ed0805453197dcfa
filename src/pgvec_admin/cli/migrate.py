"""pgvec-admin migrate, status, rollback, uninstall: install, look, take back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin.cli.output import DatabaseUrl, Json, confirm, open_target, print_json, print_table, say
from pgvec_admin.errors import CheckFailedError
from pgvec_admin.install import migrate as migrations


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    overwrite_drift: Annotated[
        bool,
        typer.Option(
            "--overwrite-drift", help="Replace functions that were edited in the database; history keeps them."
        ),
    ] = False,
    replace_existing: Annotated[
        bool,
        typer.Option("--replace-existing", help="Replace others' functions of the same names; history keeps them."),
    ] = False,
    lock_timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for a table that others use.")] = 30.0,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Install the engine, or bring it to this release: migrations, then functions.

    Example:

    \b
      pgvec-admin migrate --dry-run
      pgvec-admin migrate
    """
    report = migrations.migrate(
        open_target(database_url),
        dry_run=dry_run,
        overwrite_drift=overwrite_drift,
        replace_existing=replace_existing,
        lock_timeout=lock_timeout,
        report=say,
    )
    if as_json:
        print_json({"summary": report.summary(), **asdict(report)})
        return
    if dry_run:
        for name in report.migrations:
            say(f"migration {name} would be applied")
        for state in report.functions:
            say(f"function {state.name} would be applied, is {state.state}")
    say(report.summary())


def status(
    check: Annotated[bool, typer.Option("--check", help="Exit with 4 unless everything is current, for CI.")] = False,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Show what is installed, and what migrate would do.

    Example:

    \b
      pgvec-admin status --check
    """
    found = migrations.status(open_target(database_url))
    problems = found.problems()
    if as_json:
        print_json({"problems": problems, **asdict(found)})
    else:
        pgvector = f"{found.pgvector} in {found.pgvector_schema}" if found.pgvector else "not installed"
        states = [state.state for state in found.functions]
        functions = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        print_table(
            ["what", "state"],
            [
                ["PostgreSQL", str(found.postgres)],
                ["pgvector", pgvector],
                ["engine", f"{found.installed_version or 'not installed'} (this is {found.package_version})"],
                *([f"migration {state.id}", state.state] for state in found.migrations),
                ["functions", functions],
            ],
        )
        for problem in problems if found.installed_version else []:
            say(problem)
    if check and problems:
        raise CheckFailedError("the database is not current", "pgvec-admin migrate --dry-run shows what would be done")


def rollback(
    to: Annotated[
        str | None,
        typer.Option(help="Migration to stay at, by name or number.", show_default="the one before the last"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Remove the engine: functions, registry and ledger.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Roll back migrations, by default the last one. Collections are never dropped: with some left, --all refuses.

    Example:

    \b
      pgvec-admin rollback --to 0001 --yes
      pgvec-admin rollback --all --yes
    """
    where = open_target(database_url)
    what = "the whole engine" if everything else f"all migrations behind {to}" if to else "the last migration"
    confirm(f"roll back {what} of {where.describe()}?", yes=yes)
    done = migrations.rollback(where, to=to, everything=everything, report=say)
    if not done:
        say("nothing to roll back")


def uninstall(
    keep_tables: Annotated[
        bool, typer.Option("--keep-tables", help="Leave the collections' tables, adopted ones without what was added.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove the engine, and nothing that is yours: with collections left, it takes --keep-tables.

    Example:

    \b
      pgvec-admin uninstall --keep-tables
    """
    where = open_target(database_url)
    confirm(f"remove the engine from {where.describe()}?", yes=yes)
    kept = migrations.uninstall(where, keep_tables=keep_tables, report=say)
    for table in kept:
        say(f"table {table} stays, with its rows and columns")
    say("pgvec-admin is gone from this database; extension vector stays")
