"""The errors a user can see: one line, a hint that says what to do, and an exit code."""

from __future__ import annotations

import psycopg


class PgvecError(Exception):
    """What went wrong (`message`), what to do about it (`hint`), and the exit code of the command."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(PgvecError):
    """The call itself is wrong: an unknown collection, a malformed filter, an option out of range."""

    exit_code = 2


class ConnectionFailedError(PgvecError):
    """The database, or an embedding provider, cannot be reached."""

    exit_code = 3


class CheckFailedError(PgvecError):
    """Something that was verified does not hold: drift, a missing extension, a refused migration."""

    exit_code = 4


class DataRejectedError(PgvecError):
    """Rows, vectors or texts that cannot be taken as they are."""

    exit_code = 5


# The engine's own SQLSTATEs (class PV) and the error each becomes.
_ENGINE_ERRORS: dict[str, type[PgvecError]] = {
    "PV001": UsageError,
    "PV002": DataRejectedError,
    "PV003": UsageError,
    "PV004": UsageError,
    "PV005": DataRejectedError,
    "PV006": UsageError,
    "PV007": CheckFailedError,
}

_HINTS = {
    "42501": "connect as the owner of the database, or as a role that has this privilege",
    "42883": "is the engine installed and up to date? run: pgvec-admin migrate",
    "42P01": "is the engine installed and up to date? run: pgvec-admin migrate",
    "3F000": "is the engine installed and up to date? run: pgvec-admin migrate",
}


def from_postgres(error: psycopg.Error) -> PgvecError:
    """The user's view of a database error: its primary message, its own hint or ours."""
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return ConnectionFailedError(
            " ".join(str(error).split()),
            "check --database-url (or PGVEC_DATABASE_URL), and that the server is running; what was committed stays",
        )
    state = error.sqlstate or ""
    if state.startswith(("08", "57P")):
        return ConnectionFailedError(
            f"the connection was lost: {error.diag.message_primary}",
            "run the same command again when the server is back; what was committed stays",
        )
    message = error.diag.message_primary or " ".join(str(error).split())
    if error.diag.message_detail:
        message = f"{message} ({error.diag.message_detail})"
    return _ENGINE_ERRORS.get(state, PgvecError)(message, error.diag.message_hint or _HINTS.get(state))
