"""The HTTP service as the command runs it, on a free port, in a thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from pgvec_admin.api import Settings, create_server


@contextmanager
def running(settings: Settings) -> Iterator[httpx.Client]:
    """A client of the service."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = create_server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the service has ended"
                time.sleep(0.01)
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
