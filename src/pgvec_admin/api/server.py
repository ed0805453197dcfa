"""The service on a socket: what the command runs, and the tests."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

from pgvec_admin.api.app import create_app
from pgvec_admin.api.protocol import BoundedProtocol, Bounds
from pgvec_admin.api.settings import Settings


def create_server(settings: Settings, app: ASGIApp | None = None) -> uvicorn.Server:
    """A server to run on sockets that listen: of the service, or of another application.

    Its log has errors only, to which bad requests of strangers do not belong. Without `proxies`, X-Forwarded-For is
    never trusted.
    """
    protocol = type("Protocol", (BoundedProtocol,), {"bounds": Bounds(settings)})
    return uvicorn.Server(
        uvicorn.Config(
            app or create_app(settings),
            http=protocol,
            ws="none",
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            timeout_graceful_shutdown=10,
        )
    )
