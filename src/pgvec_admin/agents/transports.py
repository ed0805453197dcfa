"""How agents reach the server: standard input and output of a program on this machine, or HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.mcpserver import Context as Request
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pgvec_admin.agents.server import Agents
from pgvec_admin.api.guard import Guard
from pgvec_admin.api.settings import Caller, Settings

PATH = "/mcp"


def create_app(settings: Settings, **options: Any) -> ASGIApp:
    """The server over streamable HTTP at /mcp, with the callers and limits of the HTTP service.

    It has no sessions: each request says who sends it, and none reaches what another has begun.
    """

    async def who(request: Request[Any, Any]) -> Caller:
        sent: Any = request.request_context.request
        found: Caller = sent.scope["pgvec"]["caller"]  # set by the guard
        return found

    agents = Agents(settings, who, **options)
    inner = agents.server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=settings.limits.body_bytes,
        # the guard checks the names and origins by which it is called
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )

    async def health(_: HttpRequest) -> Response:
        found = await agents.service.health()
        return JSONResponse(found.model_dump(exclude_none=True), 200 if found.ready else 503)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with agents.service.store.opened(), inner.router.lifespan_context(inner):
            warming = asyncio.create_task(agents.service.warm())
            yield
            warming.cancel()

    # a GET would open a stream for messages that never come, and hold one of the caller's turns
    routes = [Route("/health", health), Route(PATH, inner, methods=["POST"])]
    outer = Starlette(routes=routes, lifespan=lifespan)
    guarded = Guard(outer, settings.limits, agents.service.gate, agents.service.metrics)
    if not settings.origins:
        return guarded
    # outermost, so that pages may read refusals as well
    return CORSMiddleware(guarded, allow_origins=list(settings.origins), allow_methods=["*"], allow_headers=["*"])


async def serve_stdio(settings: Settings, *, tenant: Any = None, token: str | None = None, **options: Any) -> None:
    """Serve one program over standard input and output until it ends.

    It acts as the bearer of a token, which is checked again for each call; else as the role of the connection, for a
    tenant where one is given.
    """
    agents: Agents

    async def who(_: Request[Any, Any]) -> Caller:
        if token is not None:
            return await agents.service.gate.bearer(token)
        return Caller("stdio", "stdio", tenant=tenant)

    agents = Agents(settings, who, **options)
    async with agents.service.store.opened():
        await agents.server.run_stdio_async()
