"""The database that a command works on by default."""

from __future__ import annotations

from pgvec_admin import database
from pgvec_admin.database import ENVIRONMENT, Target
from pgvec_admin.errors import ConnectionFailedError


def target(url: str | None = None) -> Target:
    """The database of `--database-url`, else of the environment, else the embedded server, started if need be.

    Raises UsageError for a malformed connection string, ConnectionFailedError where there is no database at all.
    """
    return database.target(url) or _embedded()


def _embedded() -> Target:
    from pgvec_admin.server import embedded  # which takes long to import

    instance = embedded.default_instance()
    if not instance.exists():
        raise ConnectionFailedError(
            "no database given",
            f"pass --database-url or set {ENVIRONMENT[0]}; or start the embedded server: pgvec-admin db start",
        )
    return Target(instance.start().url(), "the embedded server")
