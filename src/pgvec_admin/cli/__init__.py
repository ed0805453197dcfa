"""The command `pgvec-admin`: arguments, progress and printing; the work is done by the modules beside `cli`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import traceback
from functools import cache
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from pgvec_admin import __version__
from pgvec_admin.cli.output import echo, say
from pgvec_admin.errors import PgvecError, UsageError, from_postgres, shorten
from pgvec_admin.redact import forget, redacted

# module and member of each command, and its summary in --help, which imports none of them
COMMANDS = {
    "demo": (
        "demo",
        "command",
        "From nothing to search results: a server, a real corpus, real embeddings, an index, three questions.",
    ),
    "migrate": ("migrate", "migrate", "Install the engine, or bring it to this release: migrations, then functions."),
    "status": ("migrate", "status", "Show what is installed, and what migrate would do."),
    "rollback": (
        "migrate",
        "rollback",
        "Roll back migrations, by default the last one. Collections are never dropped: with some left, --all refuses.",
    ),
    "uninstall": (
        "migrate",
        "uninstall",
        "Remove the engine, and nothing that is yours: with collections left, it takes --keep-tables.",
    ),
    "load": (
        "load",
        "load",
        "Load files into a collection: tables, texts and documents, or directories of them.",
    ),
    "embed": ("embed", "embed", "Embed the rows whose embedding is missing or older than their text."),
    "fit": ("fit", "fit", "Fit vectors of words to the rows of a collection: texts are then searched without a model."),
    "search": (
        "search",
        "search",
        "Search a collection by meaning, by words or by both, as every client does; print a table, or JSON.",
    ),
    "bench": (
        "bench",
        "bench",
        "Measure recall against latency on the collection's own rows: exact, HNSW, IVFFlat, halfvec, binary.",
    ),
    "evaluate": (
        "evaluate",
        "evaluate",
        "Measure how well each way to search answers judged queries: by vector, each ranking and each fusion.",
    ),
    "stats": ("log", "stats", "Show how searches go: how many, how fast, by which route, and what they find."),
    "verify": (
        "verify",
        "verify",
        "Check that what is installed is what it should be, and finds what it should; exit with 4 where it does not.",
    ),
    "serve": (
        "serve",
        "serve",
        "Serve searches and writes over HTTP: a page at /, the interface at /docs, health and metrics.",
    ),
    "mcp": (
        "serve",
        "mcp",
        "Serve agents (MCP): search, context, collections, explain, under the caller's role and tenant; read-only.",
    ),
    "functions": ("functions", "app", "The installed functions: states, differences, history, rollback."),
    "collection": (
        "collection",
        "app",
        "Collections: the tables that the search functions know; create, adopt, list, drop.",
    ),
    "model": ("model", "app", "The model of a collection: change it while searches go on, finish or abort that."),
    "index": ("index", "app", "Vector indexes of a collection: which would fit, build, tune, list, drop."),
    "scale": ("index", "scale", "What a collection takes as it grows: memory, disk, time, servers."),
    "log": ("log", "app", "The log of searches: a sample, where it is turned on."),
    "tenant": (
        "tenant",
        "app",
        "Tenants of collections with access tenant: list, show, export, isolate or delete their rows.",
    ),
    "supabase": ("supabase", "app", "This release as a migration for projects that are deployed by the Supabase CLI."),
    "db": ("db", "app", "The embedded PostgreSQL server: start, stop, connect, replica, upgrade."),
}


@cache
def load_command(name: str) -> Any:
    """A command, with its options, or a group of commands."""
    module, found, _ = COMMANDS[name]
    member = getattr(import_module(f"{__name__}.{module}"), found)
    if isinstance(member, typer.Typer):
        group = typer.main.get_group(member)
        group.name = name
        return group
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name)(member)
    return typer.main.get_command(single)


class _Commands(TyperGroup):
    """The commands, each imported when it is called: --help and status need little of what the others import."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The name and the summary, all that --help shows."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][2]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name in COMMANDS else command, rest


app = typer.Typer(
    name="pgvec-admin",
    cls=_Commands,
    help="Search that lives in Postgres: install it, load and embed data, build indexes, search, verify.",
    epilog="Exit codes: 0 done, 1 database error, 2 wrong call, 3 no connection, 4 check failed, 5 data rejected.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        echo(f"pgvec-admin {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    debug: bool = typer.Option(False, "--debug", envvar="PGVEC_DEBUG", help="Show tracebacks."),
) -> None:
    del version
    if debug:
        os.environ["PGVEC_DEBUG"] = "1"


def _told(error: Exception) -> PgvecError:
    """The error as the user sees it, whatever raised it."""
    if isinstance(error, PgvecError):
        return error
    psycopg = sys.modules.get("psycopg")  # only an imported psycopg can have raised an error
    if psycopg and isinstance(error, psycopg.Error):
        return from_postgres(error)
    # Typer's own usage errors; their base class moved between its releases, their methods did not
    if hasattr(error, "format_message"):
        context = getattr(error, "ctx", None)
        return UsageError(error.format_message(), f"{context.command_path} --help" if context else None)
    if isinstance(error, UnicodeEncodeError):
        return UsageError("an argument holds bytes that are not UTF-8", "Postgres stores text as UTF-8")
    if isinstance(error, OSError):
        where = "" if error.filename is None else f"{error.filename}: "
        return UsageError(
            f"{where}{error.strerror or error}", "check the path, who may read and write it, and its disk"
        )
    return PgvecError(
        f"unexpected: {type(error).__name__}: {error}",
        "run it again with pgvec-admin --debug, and report what it shows",
    )


def _collect_seldom() -> None:
    """Look for garbage less often, and not at the end: a tenth to a quarter of the time of a short command.

    What it imports stays until it ends, and Python would go through all of it again and again.
    """
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)


def main() -> None:
    """Run the command: errors become one line and a hint, with the exit codes of `pgvec_admin.errors`."""
    forget()
    _collect_seldom()
    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # `pgvec-admin collection` and the like
            error.show()  # type: ignore[attr-defined]
            sys.exit(2)
        if os.environ.get("PGVEC_DEBUG"):
            say(redacted(traceback.format_exc()), lines=True)
        shown = _told(error)
        # before they are shortened: the rest of a truncated secret would not be recognised
        say(f"error: {shorten(redacted(shown.message))}")
        if shown.hint:
            say(f"hint: {shorten(redacted(shown.hint))}")
        sys.exit(shown.exit_code)
    if code == 130:
        say("interrupted; what was finished stays, nothing is half done")
    sys.exit(code if isinstance(code, int) else 0)
