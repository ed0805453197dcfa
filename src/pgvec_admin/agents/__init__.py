"""A server for agents (MCP) over the functions in the database: `pgvec-admin mcp`.

Needs the extra `mcp`. Callers, limits and calls are those of the HTTP service; psql can do all that it does.
"""

from pgvec_admin.agents.server import Agents
from pgvec_admin.agents.transports import create_app, serve_stdio

__all__ = ["Agents", "create_app", "serve_stdio"]
