"""Limits on connections before their caller is known: the size of a head, its time, and the number of connections."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections import Counter
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pgvec_admin.api.settings import Limits, Settings

_PIPELINE = 16  # requests sent before the answer to the first


class Bounds:
    """The limits that all connections of a server share.

    Where there are too many, the one that has kept the service waiting longest is closed: for a head, for a body, or
    for another request. A connection that the service is working for is never closed.
    """

    def __init__(self, settings: Settings) -> None:
        self.limits: Limits = settings.limits
        self._proxies = [ipaddress.ip_network(proxy, strict=False) for proxy in settings.proxies]
        self._open: Counter[str] = Counter()
        self._waiting: dict[BoundedProtocol, None] = {}  # the longest first

    def opened(self, connection: BoundedProtocol, all_open: int) -> bool:
        """Count a connection, and return whether there is room for it. A proxy's connections belong to many callers."""
        address = connection.address
        self._open[address] += 1
        self.waits(connection)
        crowded = self._open[address] > self.limits.of_one(self.limits.sockets) and not self._is_proxy(address)
        if not crowded and all_open <= self.limits.sockets:
            return True
        waiting = [one for one in self._waiting if not crowded or one.address == address]
        oldest = next((one for one in waiting if not one.signed_in), waiting[0])
        if oldest is connection:
            return False
        oldest.transport.abort()
        self.works(oldest)
        return True

    def waits(self, connection: BoundedProtocol) -> None:
        """The connection is waiting for the client."""
        self._waiting[connection] = None

    def works(self, connection: BoundedProtocol) -> None:
        """The connection is waiting for the service, or is over."""
        self._waiting.pop(connection, None)

    def closed(self, connection: BoundedProtocol) -> None:
        """Stop counting a connection."""
        self.works(connection)
        self._open[connection.address] -= 1
        if not self._open[connection.address]:
            del self._open[connection.address]

    def _is_proxy(self, address: str) -> bool:
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self._proxies)


class _RefusedError(Exception):
    """Stops the parser."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that it lacks.

    The parser buffers a field of the head, or of the trailers of a body, until it is complete: so no more than
    `head_bytes` may arrive without a callback of the parser. Complete fields are limited by size and number.
    """

    bounds: Bounds

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = self.bounds.limits
        self.address = ""
        self.signed_in = False  # in an earlier request
        self._clock: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._heard = 0  # callbacks of the parser
        self._unheard = 0  # bytes since the last one
        self._head_bytes = self._head_fields = 0
        self._refusal: tuple[HTTPStatus, str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if self.bounds.opened(self, len(self.connections)):
            self._start_clock()
        else:
            self._refusal = HTTPStatus.SERVICE_UNAVAILABLE, "too many connections"
            self.send_400_response("")

    def connection_lost(self, exc: Exception | None) -> None:
        self.bounds.closed(self)
        self._stop_clock()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._clock is None and (self.cycle is None or self.cycle.response_complete):
            self._start_clock()
        heard = self._heard
        super().data_received(data)
        self._unheard = self._unheard + len(data) if heard == self._heard else 0
        if self._unheard > self._limits.head_bytes and not self.transport.is_closing():
            self._too_large()
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """Send any refusal before there is a request to answer."""
        status, title = self._refusal or (HTTPStatus.BAD_REQUEST, msg)
        problem = json.dumps({"type": "about:blank", "title": title, "status": status}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(problem)}\r\nconnection: close\r\n"
            f"{'retry-after: 1' if status == HTTPStatus.SERVICE_UNAVAILABLE else 'cache-control: no-store'}\r\n\r\n"
        )
        self.transport.write(head.encode() + problem)
        self.transport.close()

    # callbacks of the parser

    def on_message_begin(self) -> None:
        self._head_bytes = self._head_fields = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_fields += 1
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._heard += 1
        self._stop_clock()
        if len(self.pipeline) >= _PIPELINE:
            self._refusal = HTTPStatus.TOO_MANY_REQUESTS, "too many requests before the first answer"
            raise _RefusedError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._heard += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._heard += 1
        super().on_message_complete()
        if not self.cycle.response_complete:
            self.bounds.works(self)

    def on_response_complete(self) -> None:
        known: Any = self.cycle.scope.get("pgvec", {})
        self.signed_in = self.signed_in or "caller" in known
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:
            self.bounds.waits(self)

    def _count(self, size: int) -> None:
        self._heard += 1
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes or self._head_fields > self._limits.head_fields:
            self._too_large()
            raise _RefusedError

    def _too_large(self) -> None:
        self._refusal = (
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"the head of a request has at most {self._limits.head_bytes:,} bytes in {self._limits.head_fields} fields",
        )

    # time limits

    def _start_clock(self) -> None:
        self._clock = self.loop.call_later(self._limits.read_seconds, self._expire)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _expire(self) -> None:
        self._clock = None
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def _watch_reader(self, before: int) -> None:
        """Drop a client that reads nothing of an answer for a while."""
        self._stalled = self.loop.call_later(self._limits.read_seconds, self._check_reader, before)

    def _check_reader(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left < before:
            self._watch_reader(left)
        else:
            self.transport.abort()
