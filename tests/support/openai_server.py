"""An HTTP server that answers POST /v1/embeddings as OpenAI does, and fails as told.

Vectors are unit vectors made from the text, so the same text has the same vector in every run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


def vector_of(text: str, dimensions: int = 8) -> NDArray[np.float32]:
    """The unit vector that the server answers for a text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    drawn = np.random.default_rng(seed).normal(size=dimensions)
    vector: NDArray[np.float32] = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    return vector


@dataclass(frozen=True)
class Fault:
    """The answer to one request instead of a good one."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None  # answered as it is, with the status
    raw: bytes | None = None  # likewise, but not made into JSON
    hang: bool = False  # no answer until the server closes
    cut: bool = False  # the connection ends in the middle of the answer
    drop: bool = False  # the connection ends without an answer


@dataclass(frozen=True)
class Request:
    """A request as it came. Times are of the server's monotonic clock."""

    inputs: list[str]
    body: dict[str, Any]
    authorization: str | None
    arrived: float
    answered: float
    path: str
    headers: dict[str, str]
    well: bool  # whether it was answered as it should be


class RateLimit:
    """Requests and tokens a server answers, and the headers by which it tells what is left.

    A bucket is refilled all the time, a window as a whole when it ends. `told`: spells the headers of a limit. `left`:
    what part of it there is at first.
    """

    def __init__(
        self,
        *,
        tokens: float,
        requests: float,
        period: float = 60.0,
        left: float = 1.0,
        window: bool = False,
        told: Callable[[str, float, float, float], dict[str, str]] | None = None,
    ) -> None:
        self._limits = {"requests": requests, "tokens": tokens}
        self._period, self._window, self._told = period, window, told or openai_headers
        self._lock = threading.Lock()
        self._at = 0.0  # from the first request on
        self._levels = {kind: left * limit for kind, limit in self._limits.items()}
        self.served: list[tuple[float, float]] = []  # when, and how many tokens
        self.refused: list[float] = []

    def take(self, tokens: float) -> tuple[bool, dict[str, str]]:
        """Whether a request of so many tokens is answered, and the headers."""
        with self._lock:
            now = time.monotonic()
            self._at = self._at or now
            self._refill(now)
            wanted = {"requests": 1.0, "tokens": tokens}
            fits = all(self._levels[kind] >= wanted[kind] for kind in wanted)
            if fits:
                self._levels = {kind: level - wanted[kind] for kind, level in self._levels.items()}
                self.served.append((now, tokens))
            else:
                self.refused.append(now)
            headers: dict[str, str] = {}
            for kind, limit in self._limits.items():
                used = limit - self._levels[kind]
                reset = self._at + self._period - now if self._window else used / limit * self._period
                headers |= self._told(kind, limit, self._levels[kind], reset)
            return fits, headers

    def _refill(self, now: float) -> None:
        if not self._window:
            part = (now - self._at) / self._period
            self._levels = {k: min(limit, self._levels[k] + limit * part) for k, limit in self._limits.items()}
            self._at = now
        elif now >= self._at + self._period:
            self._at += (now - self._at) // self._period * self._period
            self._levels = dict(self._limits)


def openai_headers(kind: str, limit: float, remaining: float, reset: float) -> dict[str, str]:
    """As OpenAI spells them: `20ms`, `1.25s`, `6m0s`."""
    minutes, seconds = divmod(reset, 60)
    spelt = (
        f"{int(minutes)}m{int(seconds)}s" if minutes else f"{seconds:.3f}s" if reset >= 1 else f"{reset * 1000:.0f}ms"
    )
    return {
        f"x-ratelimit-limit-{kind}": f"{limit:.0f}",
        f"x-ratelimit-remaining-{kind}": f"{int(remaining)}",
        f"x-ratelimit-reset-{kind}": spelt,
    }


class OpenAIServer:
    """Use as a context manager; `url` is the base URL. The attributes say how it behaves from the next request on."""

    def __init__(self, dimensions: int = 8) -> None:
        self.dimensions = dimensions
        self.key: str | None = None  # the only accepted key; None accepts any
        self.models: set[str] | None = None  # None knows every model
        self.poison: set[str] = set()  # a batch with one of these texts is refused
        self.most_inputs = 2048
        self.longest = 32_000  # characters of a text
        self.floats_only = False  # ignores encoding_format, as some servers do
        self.refuses_base64: Fault | None = None  # the answer to who asks for it
        self.shuffled = False  # answers in another order than asked
        self.vectors: dict[str, list[float]] = {}  # answers to use instead of the usual ones
        self.faults: deque[Fault] = deque()  # one per request, first come
        self.behave: Callable[[list[str], dict[str, Any]], Fault | None] | None = None  # asked for requests without one
        self.path = "/v1/embeddings"
        self.rate: RateLimit | None = None
        self.count: Callable[[str], int] = lambda text: len(text.split())  # tokens of a text
        self.before_answer: Any = None  # called with the inputs of each request
        self.requests: list[Request] = []
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def batches(self) -> list[int]:
        """The sizes of the requests so far."""
        return [len(request.inputs) for request in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, body: dict[str, Any], authorization: str | None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a request without a fault."""
        inputs = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if self.key is not None and authorization != f"Bearer {self.key}":
            return 401, _error("Incorrect API key provided", "invalid_api_key")
        if self.models is not None and body["model"] not in self.models:
            return 404, _error(f"The model `{body['model']}` does not exist", "model_not_found")
        if len(inputs) > self.most_inputs:
            return 422, _error(f"batch size {len(inputs)} > maximum allowed batch size {self.most_inputs}")
        for text in inputs:
            if text in self.poison:
                return 400, _error("Invalid 'input': this text cannot be embedded")
            if not text or len(text) > self.longest:
                return 400, _error("This model's maximum context length is 8192 tokens")
        data = [
            {"object": "embedding", "index": index, "embedding": self._embedding(text, body)}
            for index, text in enumerate(inputs)
        ]
        if self.shuffled:
            data.reverse()
        tokens = sum(map(self.count, inputs))
        return 200, {
            "object": "list",
            "model": body["model"],
            "data": data,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }

    def _embedding(self, text: str, body: dict[str, Any]) -> str | list[float]:
        chosen = self.vectors.get(text)
        vector = (
            vector_of(text, body.get("dimensions", self.dimensions))
            if chosen is None
            else np.array(chosen, dtype=np.float32)
        )
        if body.get("encoding_format") == "base64" and not self.floats_only:
            return base64.b64encode(vector.tobytes()).decode()
        return [float(value) for value in vector]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # the body follows its headers at once, and not 40 ms later

            def do_POST(self) -> None:
                server._respond(self)

            def do_GET(self) -> None:
                page = b"<!doctype html><title>Sign in</title>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Quiet: what matters is recorded."""

        return Handler

    def _respond(self, handler: BaseHTTPRequestHandler) -> None:
        arrived = time.monotonic()
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        authorization = handler.headers["Authorization"]
        inputs = [body["input"]] if isinstance(body["input"], str) else list(body["input"])
        fault = self.faults.popleft() if self.faults else Fault()
        if self.behave is not None and fault == Fault():
            fault = self.behave(inputs, self.answer(body, authorization)[1]) or fault
        if self.refuses_base64 and body.get("encoding_format") == "base64":
            fault = self.refuses_base64
        if self.rate is not None and fault == Fault():
            fits, headers = self.rate.take(sum(map(self.count, inputs)))
            fault = Fault(headers=headers) if fits else Fault(429, headers, _error("Rate limit reached"))
        if handler.path.partition("?")[0] != self.path:
            status, said = 404, _error(f"no such path: {handler.path}")
        elif fault.status != 200:
            status, said = fault.status, fault.body or _error(f"fault {fault.status}")
        elif fault.body is not None:
            status, said = 200, fault.body
        else:
            status, said = self.answer(body, authorization)
        well = status == 200 and replace(fault, headers={}) == Fault()
        self.requests.append(
            Request(
                inputs,
                body,
                authorization,
                arrived,
                time.monotonic(),
                handler.path,
                dict(handler.headers.items()),
                well,
            )
        )
        if self.before_answer is not None:
            self.before_answer(inputs)
        if fault.hang:
            self._closing.wait()
            handler.close_connection = True
            return
        if fault.drop:
            handler.close_connection = True
            return
        payload = json.dumps(said).encode() if fault.raw is None else fault.raw
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(payload)))
        for name, value in fault.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(payload[: len(payload) // 2] if fault.cut else payload)
        handler.close_connection = fault.cut


def _error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
