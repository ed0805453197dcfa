"""The command `pgvec-admin`: arguments, progress and printing; what it does lies in the modules beside `cli`."""

from __future__ import annotations

import os
import sys
import traceback

import psycopg
import typer

from pgvec_admin import __version__
from pgvec_admin.cli import (
    bench,
    collection,
    db,
    demo,
    embed,
    evaluate,
    functions,
    index,
    load,
    log,
    migrate,
    search,
    serve,
    stats,
    supabase,
    tenant,
    verify,
)
from pgvec_admin.cli.output import echo, say
from pgvec_admin.errors import PgvecError, UsageError, from_postgres, shorten
from pgvec_admin.redact import forget, redacted

app = typer.Typer(
    name="pgvec-admin",
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


app.command("demo")(demo.command)
app.command()(migrate.migrate)
app.command()(migrate.status)
app.command()(migrate.rollback)
app.command()(migrate.uninstall)
app.command()(load.load)
app.command()(embed.embed)
app.command()(search.search)
app.command()(bench.bench)
app.command()(evaluate.evaluate)
app.command()(stats.stats)
app.command()(verify.verify)
app.command()(serve.serve)
app.add_typer(functions.app, name="functions")
app.add_typer(collection.app, name="collection")
app.add_typer(index.app, name="index")
app.add_typer(log.app, name="log")
app.add_typer(tenant.app, name="tenant")
app.add_typer(supabase.app, name="supabase")
app.add_typer(db.app, name="db")


def _told(error: Exception) -> PgvecError:
    """What a user is told of an error, whoever raised it."""
    if isinstance(error, PgvecError):
        return error
    if isinstance(error, psycopg.Error):
        return from_postgres(error)
    # Typer's own errors of usage; their base class moved between its releases, what they can do did not
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


def main() -> None:
    """Run the command: errors become one line and a hint, with the exit codes of `pgvec_admin.errors`."""
    forget()
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
        # before they are shortened: of a secret that is cut, the rest would not be known for one
        say(f"error: {shorten(redacted(shown.message))}")
        if shown.hint:
            say(f"hint: {shorten(redacted(shown.hint))}")
        sys.exit(shown.exit_code)
    if code == 130:
        say("interrupted; what was finished stays, nothing is half done")
    sys.exit(code if isinstance(code, int) else 0)
