"""Errors as problem details (RFC 9457): what is wrong and what to do about it, without internals."""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.exceptions import HTTPException

from pgvec_admin.errors import ConnectionFailedError, PgvecError, shorten

log = logging.getLogger("pgvec_admin.api")

# errors that a caller can do something about; any other is internal: it is logged and not shown
_STATUS = {
    "PV001": 404,
    "PV002": 422,
    "PV003": 422,
    "PV004": 422,
    "PV005": 422,
    "PV006": 403,
    "42501": 403,
}
_CALLERS = ("22", "23", "54")  # a value, a constraint, a limit of the server
_TOOK_TOO_LONG = "57014"
_READ_ONLY = "25006"
_UNAVAILABLE = ("08", "53", "57P")  # no connection, no resources, or the server shut down


class ProblemError(Exception):
    """An answer other than success: `detail` says more or what to do, `code` is a SQLSTATE."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        code: str = "",
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.code = status, title, detail, code
        self.headers = (headers or {}) | ({"Retry-After": str(retry_after)} if retry_after else {})

    def answer(self) -> JSONResponse:
        """The problem as application/problem+json."""
        told: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.code:
            told |= {"type": f"urn:pgvec:error:{self.code}", "code": self.code}
        if self.detail:
            told["detail"] = self.detail
        return JSONResponse(told, self.status, self.headers, media_type="application/problem+json")


def of_database(error: psycopg.Error) -> ProblemError:
    """The problem for a database error: its message, where that is meant for callers."""
    state = error.sqlstate or ""
    if isinstance(error, PoolTimeout | TooManyRequests):
        return ProblemError(503, "no connection to the database is free", "try again soon", retry_after=1)
    if state == _TOOK_TOO_LONG:
        return ProblemError(504, "it took too long", "narrow it with a filter, or ask for fewer rows", code=state)
    if state == _READ_ONLY:
        return ProblemError(
            503,
            "the database takes no writes",
            "it is a replica, or read-only: the service needs the primary for writes, see --primary-url",
            code=state,
            retry_after=5,
        )
    if state.startswith("40"):  # a deadlock, or a replica whose search stood in the way of a change
        return ProblemError(503, "it was in conflict with a change", "try again soon", code=state, retry_after=1)
    if state.startswith(_UNAVAILABLE) or (not state and isinstance(error, psycopg.OperationalError)):
        return ProblemError(503, "the database is unavailable", "try again soon", retry_after=2)
    if not state and isinstance(error, psycopg.DataError):
        return ProblemError(422, "a text cannot be stored", str(error))
    status = _STATUS.get(state, 422 if state[:2] in _CALLERS else 500)
    if status == 500:
        return ProblemError(500, "internal error", "the log of the service says more")
    return ProblemError(
        status, shorten(error.diag.message_primary or "refused"), error.diag.message_hint or "", code=state
    )


def of_provider(error: PgvecError) -> ProblemError:
    """The problem for an error of an embedding provider, or for the lack of one."""
    if isinstance(error, ConnectionFailedError):
        return ProblemError(503, "the embedding model is not there", "try again soon", retry_after=5)
    return ProblemError(422, error.message, error.hint or "")


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return error.answer()


async def _on_database(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, psycopg.Error)
    problem = of_database(error)
    if problem.status >= 500:
        log.error("%s: %s", problem.title, error, exc_info=error if problem.status == 500 else None)
    return problem.answer()


async def _on_provider(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PgvecError)
    problem = of_provider(error)
    if problem.status >= 500:
        log.error("%s", error)
    return problem.answer()


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes):  # it was not recognised as JSON
        sent = request.headers.get("content-type", "none")
        return ProblemError(422, "the request is not JSON", f"send Content-Type: application/json, not {sent}").answer()
    return ProblemError(422, "the request is not valid", "; ".join(map(_fault, error.errors()[:10]))).answer()


def _fault(one: dict[str, Any]) -> str:
    why = f": {one['ctx']['error']}" if one["type"] == "json_invalid" else ""
    return f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}{why}"


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return ProblemError(error.status_code, str(error.detail), headers=dict(error.headers or {})).answer()


async def _on_anything(_: Request, error: Exception) -> JSONResponse:
    log.error("internal error", exc_info=error)
    return ProblemError(500, "internal error", "the log of the service says more").answer()


def tell_problems(app: FastAPI) -> None:
    """Have every error of an application answered as a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(psycopg.Error, _on_database)
    app.add_exception_handler(PgvecError, _on_provider)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_anything)
