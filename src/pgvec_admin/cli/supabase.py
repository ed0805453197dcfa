"""pgvec-admin supabase: export, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgvec_admin.cli.output import say
from pgvec_admin.install import supabase

app = typer.Typer(
    no_args_is_help=True, help="This release as a migration for projects that are deployed by the Supabase CLI."
)

Folder = Annotated[Path, typer.Option("--directory", help="The project's migrations.", show_default=True)]
MIGRATIONS = Path("supabase/migrations")


@app.command()
def export(
    directory: Folder = MIGRATIONS,
    replace_existing: Annotated[
        bool,
        typer.Option(
            "--replace-existing",
            help="Let the file replace functions that others made under our names; history keeps them.",
        ),
    ] = False,
    edge_function: Annotated[
        bool,
        typer.Option("--edge-function", help="Write the Edge Function that embeds rows too, into ../functions/embed."),
    ] = False,
) -> None:
    """Write a migration that installs this release: `supabase db push` then needs no Python.

    Example:

    \b
      pgvec-admin supabase export
      supabase db push
    """
    path, changed = supabase.export(directory, replace_existing=replace_existing)
    say(f"{path} {'written' if changed else 'is up to date'}")
    if edge_function:
        path, changed = supabase.export_edge_function(directory.parent / "functions")
        say(f"{path} {'written' if changed else 'is up to date'}")


@app.command()
def check(directory: Folder = MIGRATIONS) -> None:
    """Check that the exported migration is that of this release, for CI; exit with 4 where it is not.

    Example:

    \b
      pgvec-admin supabase check
    """
    say(f"{supabase.check(directory)} is up to date")
