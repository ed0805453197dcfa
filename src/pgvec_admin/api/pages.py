"""Pages for browsers: the search page, and the interface; all their files come from this service."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi

from pgvec_admin.api import models
from pgvec_admin.api.settings import Settings

DOCS_FILES = "/docs/static"

router = APIRouter(include_in_schema=False)


def _headers(page: bytes, *more: str) -> dict[str, str]:
    """A content security policy by which a page runs its own script and no injected one."""
    script = b64encode(hashlib.sha256(page.partition(b"<script>")[2].partition(b"</script>")[0]).digest()).decode()
    policy = [
        "default-src 'none'",
        " ".join(["script-src", f"'sha256-{script}'", *more]),
        " ".join(["style-src", "'unsafe-inline'", *more]),
        " ".join(["img-src", "data:", *more]),
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


_PAGE = (Path(__file__).parent / "page.html").read_bytes()
_PAGE_HEADERS = _headers(_PAGE)
_DOCS = bytes(
    get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="pgvec-admin",
        swagger_js_url=f"{DOCS_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{DOCS_FILES}/swagger-ui.css",
        swagger_favicon_url="data:,",
        oauth2_redirect_url=None,
    ).body
)
_DOCS_HEADERS = _headers(_DOCS, "'self'")


@router.get("/")
async def page() -> Response:
    """The search page."""
    return Response(_PAGE, media_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)


@router.get("/docs")
async def docs() -> Response:
    """The interface, to read and to try."""
    return Response(_DOCS, media_type="text/html; charset=utf-8", headers=_DOCS_HEADERS)


def describe(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """The OpenAPI document, with this service's limits and ways to sign in."""
    if app.openapi_schema:
        return app.openapi_schema
    found = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = found["components"]["schemas"]
    schemas["Problem"] = models.Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Question"]["properties"]["top_k"]["maximum"] = settings.limits.top_k
    ways = {}
    if settings.access.tokens:
        ways["token"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    if settings.access.keys:
        ways["key"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    if ways:
        found["components"]["securitySchemes"] = ways
        found["security"] = [{name: []} for name in ways]
    app.openapi_schema = found
    return found
