"""The checks that every request passes: its caller, its size, the number at once; and the measuring of time."""

from __future__ import annotations

import asyncio
import time

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgvec_admin.api.access import Gate
from pgvec_admin.api.metrics import Metrics
from pgvec_admin.api.problems import ProblemError
from pgvec_admin.api.settings import Caller, Limits
from pgvec_admin.api.shares import Budget, Turns

# open to strangers: for these no body is read, nothing embedded, and the database not queried
_OPEN = ("/", "/health", "/docs", "/openapi.json")
_OPEN_FILES = "/docs/static/"
_METRICS = "/metrics"
_LEFT = 499  # nginx's status for callers who left


class _LeftError(Exception):
    """The caller has disconnected."""


class Guard:
    """ASGI middleware. It identifies the caller, then reads the body; only a complete request takes a turn.

    So a caller that sends nothing, or slowly, does not keep others from working.
    """

    def __init__(self, app: ASGIApp, limits: Limits, gate: Gate, metrics: Metrics) -> None:
        self._app, self._limits, self._gate, self._metrics = app, limits, gate, metrics
        self._turns = Turns(limits.concurrent, limits.of_one(limits.concurrent), limits.wait_seconds)
        held = limits.concurrent * limits.body_bytes
        self._held = Budget(held, limits.of_one(held))
        self._arriving = Budget(limits.sockets, limits.of_one(limits.sockets))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        scope["pgvec"] = {}
        try:
            await self._pass(scope, receive, noting)
        except ProblemError as problem:
            await problem.answer()(scope, receive, noting)
        except _LeftError:
            status = _LEFT
        finally:
            route = scope.get("route")
            self._metrics.request(
                scope["method"],
                getattr(route, "path", "other"),
                status,
                scope["pgvec"].get("mode", ""),
                scope["pgvec"].get("route", ""),
                time.perf_counter() - started,
            )

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        self._gate.check_site(request)
        path = scope["path"]
        if path == _METRICS:
            self._gate.check_scraper(request)
        elif path not in _OPEN and not path.startswith(_OPEN_FILES):
            caller = scope["pgvec"]["caller"] = await self._gate.caller(request)
            await self._serve(caller, scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _serve(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        try:
            with self._arriving.hold(caller.name, 1):
                await self._read(caller, scope, receive, body)
            async with self._turns.turn(caller.name):
                await self._app(scope, _again(bytes(body), receive), send)
        finally:
            self._held.give(caller.name, len(body))

    async def _read(self, caller: Caller, scope: Scope, receive: Receive, body: bytearray) -> None:
        """Read the body; ProblemError 413 for one that is too large, 408 for one that does not arrive."""
        most = self._limits.body_bytes
        told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if told.isdigit() and int(told) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(self._limits.read_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _LeftError
                    part = message.get("body", b"")
                    if len(body) + len(part) > most:
                        raise _too_large(most)
                    self._held.take(caller.name, len(part))
                    body += part
                    more = message.get("more_body", False)
        except TimeoutError as error:
            raise ProblemError(
                408,
                "the request did not arrive in time",
                f"within {self._limits.read_seconds:g} seconds",
                headers={"Connection": "close"},
            ) from error


def _again(body: bytes, receive: Receive) -> Receive:
    """A receive function that returns a body which was read already."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _too_large(most: int) -> ProblemError:
    return ProblemError(413, "the request is too large", f"at most {most:,} bytes", headers={"Connection": "close"})
