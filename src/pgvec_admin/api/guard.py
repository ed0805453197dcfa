"""What every request passes: whose it is, how large it may be, how many at once; and the clock."""

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

# what strangers may see: nothing of it is read, embedded or asked of the database for them
_OPEN = ("/", "/health", "/docs", "/openapi.json")
_OPEN_FILES = "/docs/static/"
_METRICS = "/metrics"
_LEFT = 499  # as nginx counts callers who do not wait


class _LeftError(Exception):
    """The caller is gone."""


class Guard:
    """ASGI middleware. First it knows the caller, then it reads the body, and only what is whole takes a turn.

    So who sends nothing, or slowly, keeps nobody from working.
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
        """The body; ProblemError 413 for one that is too large, 408 for one that does not come."""
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
    """A body that was read, to be read."""
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
