"""The errors a user can see: one line, a hint that says what to do, and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # its import takes a tenth of a second, which not every command needs
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
    """A check failed: drift, a missing extension, a refused migration."""

    exit_code = 4


class TransactionPoolerError(CheckFailedError):
    """A pooler in transaction mode stands between, where a session is needed."""


class DataRejectedError(PgvecError):
    """Rows, vectors or texts that cannot be stored as they are."""

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

_MIGRATE = "is the engine installed and up to date? run: pgvec-admin migrate"

_REPLICA = (
    "is this a replica, or a session that may only read? connect to the primary: of several hosts"
    " target_session_attrs=read-write chooses it"
)

# Postgres's own, by SQLSTATE or its class: what each becomes, and what to do where the server gives no hint.
_SERVER_ERRORS: dict[str, tuple[type[PgvecError], str | None]] = {
    "42501": (UsageError, "connect as the owner of the database, or as a role that has this privilege"),
    "42883": (CheckFailedError, _MIGRATE),
    "42P01": (CheckFailedError, _MIGRATE),
    "3F000": (CheckFailedError, _MIGRATE),
    "22023": (UsageError, "a setting that the server does not take; see the message"),
    "42": (UsageError, "a name or a value that the database does not take; see the message"),
    "22": (DataRejectedError, "a value that the database does not take; see the message"),
    "23": (DataRejectedError, "rows that contradict those there are, or a constraint; see the message"),
    "54": (DataRejectedError, "it is beyond a limit of the server; cut it into smaller parts"),
    "0A": (UsageError, None),
    "25": (UsageError, _REPLICA),
}


LONGEST_MESSAGE = 500


def shorten(text: str, most: int = LONGEST_MESSAGE) -> str:
    """One line of at most `most` characters: what was given may come back in a message, and be a megabyte."""
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text[: 2 * most].split()))
    return line if len(line) <= most else f"{line[:most]}..."


def from_postgres(error: psycopg.Error) -> PgvecError:
    """The user's view of a database error: its primary message, its own hint or ours."""
    import psycopg

    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return ConnectionFailedError(
            " ".join(str(error).split()),
            "check --database-url (or PGVEC_DATABASE_URL), and that the server is running; what was committed stays",
        )
    state = error.sqlstate or ""
    if not state and isinstance(error, psycopg.ProgrammingError):
        return UsageError(" ".join(str(error).split()), "check the options of the connection string")
    if not state and isinstance(error, psycopg.DataError):
        return DataRejectedError(" ".join(str(error).split()), "Postgres stores no NUL characters and only UTF-8")
    if state.startswith(("08", "57P")):
        return ConnectionFailedError(
            f"the connection was lost: {error.diag.message_primary}",
            "run the same command again when the server is back; what was committed stays",
        )
    message = error.diag.message_primary or " ".join(str(error).split())
    if error.diag.message_detail:
        message = f"{message} ({error.diag.message_detail})"
    if state == "0A000" and "during recovery" in message:  # PostgreSQL's own words, of the log of searches
        return UsageError(message, _REPLICA)
    kind, hint = _SERVER_ERRORS.get(state) or _SERVER_ERRORS.get(state[:2]) or (PgvecError, None)
    return _ENGINE_ERRORS.get(state, kind)(message, error.diag.message_hint or hint)
