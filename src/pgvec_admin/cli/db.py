"""pgvec-admin db: start, stop, status, url, psql of the embedded server."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Annotated, Any

import typer

from pgvec_admin.cli.output import Json, echo, print_json, print_table, say, size
from pgvec_admin.errors import ConnectionFailedError, UsageError
from pgvec_admin.server import embedded
from pgvec_admin.server.embedded_system import binaries, server_account, without_libpq

app = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL server: start, stop, status, connect.")

Postgres = Annotated[
    int | None,
    typer.Option(
        "--postgres",
        metavar="16|18",
        envvar="PGVEC_POSTGRES_VERSION",
        help="Version of the server; by default the newest that runs, else that exists, else 18.",
        show_default=False,
    ),
]


@app.command()
def start(
    postgres: Postgres = None,
    tcp_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Listen on 127.0.0.1 as well, with a password; 0 takes any free port.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start the embedded server, creating it the first time, and print its URL.

    Example:

    \b
      pgvec-admin db start
      pgvec-admin db start --postgres 16 --tcp-port 5433
    """
    instance = _instance(postgres)
    fresh = not instance.exists()
    server = instance.start(tcp_port=tcp_port)
    say(f"PostgreSQL {server.version} {'is made and ' if fresh else ''}runs in {server.directory}")
    echo(server.url(tcp=tcp_port is not None))


@app.command()
def stop(postgres: Postgres = None) -> None:
    """Stop the embedded server; its data stays.

    Example:

    \b
      pgvec-admin db stop
    """
    instance = _instance(postgres)
    stopped = instance.stop()
    say(f"PostgreSQL {instance.version} {'is stopped' if stopped else 'was not running'}")


@app.command()
def status(postgres: Postgres = None, as_json: Json = False) -> None:
    """Show the embedded servers: state, version, process, directory, socket, port, size.

    Example:

    \b
      pgvec-admin db status
      pgvec-admin db status --json
    """
    versions = embedded.VERSIONS if postgres is None else [postgres]
    shown = [_described(instance) for instance in map(embedded.Instance, versions) if instance.exists()]
    if as_json:
        print_json(shown)
        return
    if not shown:
        say("there is no embedded server yet; make one: pgvec-admin db start")
        return
    for item in shown:
        rows = [(name, size(value) if name == "size" else value) for name, value in item.items() if value is not None]
        print_table(["PostgreSQL", str(item["version"])], [(name, str(value)) for name, value in rows[1:]])


def _described(instance: embedded.Instance) -> dict[str, Any]:
    server = instance.status()
    ready = server if server and server.state == "ready" else None
    return {
        "version": instance.version,
        "state": "stopped" if server is None else "running" if server.state == "ready" else server.state,
        "pid": server and server.pid,
        "directory": str(instance.directory),
        "socket": ready and f"{ready.socket_directory}/.s.PGSQL.{ready.port}",
        "tcp_port": ready.port if ready and ready.tcp else None,
        "size": instance.size(),
    }


@app.command()
def url(
    postgres: Postgres = None,
    tcp: Annotated[bool, typer.Option("--tcp", help="By TCP, with the password, instead of by the socket.")] = False,
) -> None:
    """Print the URL of the running embedded server, and nothing else.

    Example:

    \b
      export PGVEC_DATABASE_URL=$(pgvec-admin db url)
    """
    instance = _instance(postgres)
    server = instance.status()
    if server is None:
        raise ConnectionFailedError(
            f"PostgreSQL {instance.version} is not running",
            f"start it: pgvec-admin db start --postgres {instance.version}",
        )
    if server.state != "ready":  # perhaps recovering, without a socket yet
        server = instance.start()
    echo(server.url(tcp=tcp))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, postgres: Postgres = None) -> None:
    """Open psql on the embedded server, starting it where it is stopped; psql's own arguments are passed on.

    Example:

    \b
      pgvec-admin db psql
      pgvec-admin db psql -c "select pgvec.version()"
    """
    instance = _instance(postgres)
    if not instance.exists():
        raise ConnectionFailedError(
            f"there is no PostgreSQL {instance.version} yet",
            f"make it: pgvec-admin db start --postgres {instance.version}",
        )
    server = instance.start()
    # by environment and not by URL, so that psql's own -d and -U change nothing else
    environment = without_libpq(os.environ) | {
        "PGHOST": str(server.socket_directory),
        "PGPORT": str(server.port),
        "PGUSER": embedded.SUPERUSER,
        "PGDATABASE": "postgres",
    }
    sys.stdout.flush()
    program = _psql(instance)
    os.execve(program, [program, *context.args], environment)  # noqa: S606 - replaces this process, on purpose


def _psql(instance: embedded.Instance) -> str:
    """The psql of the wheel, or that of the system where the wheel is gone and the server still runs."""
    try:
        account = server_account(instance.data)
        return str(binaries(instance.version, account, embedded.data_directory() / "binaries") / "psql")
    except UsageError:
        found = shutil.which("psql")
        if found is None:
            raise
        return found


def _instance(version: int | None) -> embedded.Instance:
    return embedded.default_instance() if version is None else embedded.Instance(version)
