"""What every request passes: how large it may be, how many at once; and the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgvec_admin.api.metrics import Metrics
from pgvec_admin.api.problems import ProblemError
from pgvec_admin.api.settings import Limits

# what a service is watched by is answered also when it is busy
_ALWAYS = ("/health", "/metrics")


class Guard:
    """ASGI middleware. More requests at once than the limit are sent away, since a queue would only grow."""

    def __init__(self, app: ASGIApp, limits: Limits, metrics: Metrics) -> None:
        self._app, self._limits, self._metrics = app, limits, metrics
        self._running = 0

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
            with self._turn(scope):
                await self._app(scope, self._measured(scope, receive), noting)
        except ProblemError as problem:
            await problem.answer()(scope, receive, noting)
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

    @contextmanager
    def _turn(self, scope: Scope) -> Iterator[None]:
        if scope["path"] in _ALWAYS:
            yield
            return
        if self._running >= self._limits.concurrent:
            raise ProblemError(503, "too many requests at once", "try again soon", retry_after=1)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def _measured(self, scope: Scope, receive: Receive) -> Receive:
        most = self._limits.body_bytes
        told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if told.isdigit() and int(told) > most:
            raise _too_large(most)
        read = 0

        async def measured() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                # of a body that is read within the framework only its own errors come through
                raise HTTPException(413, _too_large(most).title)
            return message

        return measured


def _too_large(most: int) -> ProblemError:
    return ProblemError(413, "the request is too large", f"at most {most:,} bytes", headers={"Connection": "close"})
