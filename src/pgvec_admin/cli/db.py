"""pgvec-admin db: start, stop, status, url, psql of the embedded server; its replica; its upgrade."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Annotated, Any

import typer

from pgvec_admin.cli.output import Json, confirm, duration, echo, print_json, print_table, say, size
from pgvec_admin.errors import ConnectionFailedError, UsageError
from pgvec_admin.server import embedded
from pgvec_admin.server.embedded_system import binaries, server_account, without_libpq
from pgvec_admin.server.replica import Replica
from pgvec_admin.server.upgrade import Upgrade

app = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL server: start, stop, connect, replica, upgrade.")
replica = typer.Typer(no_args_is_help=True, help="A streaming replica of the embedded server, for reads.")
app.add_typer(replica, name="replica")

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
        _print_described(item)


def _print_described(item: dict[str, Any]) -> None:
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


@replica.command("start")
def start_replica(
    postgres: Postgres = None,
    tcp_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Listen on 127.0.0.1 as well, with the primary's password; 0 takes any free port.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start a replica of the embedded server, copying it the first time, and print a URL for reads.

    Reads by that URL go to the replica, and to the primary where the replica is stopped.

    Example:

    \b
      pgvec-admin db replica start
      pgvec-admin search "neural nets" --mode keyword --database-url "$(pgvec-admin db replica start)"
    """
    instance = Replica(_instance(postgres))
    if not instance.primary.exists():
        raise UsageError(f"there is no PostgreSQL {instance.version} to copy", "make it: pgvec-admin db start")
    fresh = not instance.exists()
    server = instance.start(tcp_port=tcp_port)
    say(f"the replica of PostgreSQL {server.version} {'is made and ' if fresh else ''}runs in {server.directory}")
    echo(server.url(tcp=True) if tcp_port is not None else instance.reading_url())


@replica.command("stop")
def stop_replica(
    postgres: Postgres = None,
    remove: Annotated[bool, typer.Option("--remove", help="Delete its data as well.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the replica; it goes on from where it was, or is copied again where the primary no longer has the rest.

    Example:

    \b
      pgvec-admin db replica stop
      pgvec-admin db replica stop --remove
    """
    instance = Replica(_instance(postgres))
    if remove:
        if instance.promoted:
            confirm(f"delete {instance.directory}, which was promoted and may have rows of its own?", yes=yes)
        instance.remove()
        say(f"the replica of PostgreSQL {instance.version} is removed")
        return
    stopped = instance.stop()
    say(f"the replica of PostgreSQL {instance.version} {'is stopped' if stopped else 'was not running'}")


@replica.command("status")
def replica_status(postgres: Postgres = None, as_json: Json = False) -> None:
    """Show the replica: state, whether it follows the primary, and how far it is behind.

    Example:

    \b
      pgvec-admin db replica status
      pgvec-admin db replica status --json
    """
    instance = Replica(_instance(postgres))
    if not instance.exists():
        if as_json:
            print_json(None)
        else:
            say(f"there is no replica of PostgreSQL {instance.version}; make one: pgvec-admin db replica start")
        return
    lag = None if instance.promoted else instance.lag()
    item = _described(instance) | {
        "role": "primary: it was promoted" if instance.promoted else "replica",
        "streaming": lag and lag.streaming,
        "lag_bytes": lag and lag.lag_bytes,
        "lag_seconds": lag and lag.lag_seconds,
    }
    if as_json:
        print_json(item)
        return
    if lag:
        item["streaming"] = "yes" if lag.streaming else "no: pgvec-admin db replica start"
        item["lag_bytes"] = size(lag.lag_bytes)
        item["lag_seconds"] = None if lag.lag_seconds is None else duration(lag.lag_seconds)
    _print_described({{"lag_bytes": "lag", "lag_seconds": "lag in time"}.get(k, k): value for k, value in item.items()})


@app.command()
def upgrade(
    origin: Annotated[
        int | None,
        typer.Option("--from", metavar="16", help="The version to upgrade; by default the newest that is older."),
    ] = None,
    confirmed: Annotated[bool, typer.Option("--confirm", help="Delete the data from before the upgrade.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Return to the data from before; what was written since is deleted.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Upgrade the embedded server to PostgreSQL 18, by pg_upgrade on a copy of its data.

    The data from before stays, until --confirm deletes it or --undo returns to it.

    Example:

    \b
      pgvec-admin db upgrade
      pgvec-admin db upgrade --confirm
    """
    if confirmed and undo:
        raise UsageError("--confirm and --undo exclude each other", "one deletes the old data, the other returns to it")
    older = [version for version in embedded.VERSIONS if version < embedded.DEFAULT_VERSION]
    old = embedded.Instance(origin or next((v for v in older if embedded.Instance(v).exists()), older[0]))
    work = Upgrade(old)
    if confirmed:
        confirm(f"delete {old.directory}, the data from before the upgrade?", yes=yes)
        work.confirm()
        say(f"PostgreSQL {old.version} is deleted")
    elif undo:
        confirm(f"delete {work.directory}, with all that was written since the upgrade?", yes=yes)
        server = work.undo()
        say(f"PostgreSQL {server.version} runs in {server.directory}")
    else:
        server = work.run(say)
        say(f"PostgreSQL {server.version} runs in {server.directory}; try it: pgvec-admin verify")
        say(f"{old.directory} is kept: pgvec-admin db upgrade --confirm deletes it, --undo returns to it")
        echo(server.url())


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
