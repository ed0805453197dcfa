"""The HTTP service as the command runs it, on a free port, in a thread; three documents, and how it is asked."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from pgvec_admin.api import Settings, create_server

DOCUMENTS = [
    {"id": "nets", "content": "How neural networks learn", "metadata": {"lang": "en", "year": 2021}, "source": "a.md"},
    {"id": "pasta/1", "content": "Cooking pasta at home", "metadata": {"lang": "en", "year": 2019}, "source": "b.md"},
    {"id": "nudeln", "content": "Nudeln kochen", "metadata": {"lang": "de"}, "source": "b.md"},
]


@contextmanager
def running(settings: Settings, app: Any = None) -> Iterator[httpx.Client]:
    """A client of the service, or of another application on its server."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = create_server(settings, app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the service has ended"
                time.sleep(0.01)
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=30, verify=False) as client:  # without reading certificates
                yield client
        finally:
            server.should_exit = True
            thread.join()


def search(client: httpx.Client, **question: Any) -> dict[str, Any]:
    answer = client.post("/search", json=question)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(client: httpx.Client, **question: Any) -> list[str]:
    return [row["id"] for row in search(client, **question)["results"]]


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert not re.search(r"select |Traceback|psycopg", answer.text)
    return answer.status_code, told.get("code", "")
