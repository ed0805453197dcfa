"""The HTTP service: each endpoint is one call of an SQL function, as the role or the tenant of its caller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi import Path as InPath
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from pgvec_admin import __version__
from pgvec_admin.api import models, pages
from pgvec_admin.api.access import chosen_tenant
from pgvec_admin.api.guard import Guard
from pgvec_admin.api.problems import ProblemError, tell_problems
from pgvec_admin.api.service import Service, vector_text
from pgvec_admin.api.settings import Caller, Settings
from pgvec_admin.api.store import Answer

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, description in {
        401: "No valid token or key",
        403: "Not for this caller",
        404: "No such document or collection",
        408: "The request did not arrive in time",
        413: "The request is too large",
        421: "The service is not called by this name",
        422: "The request is not valid",
        429: "Too many requests of this caller; see Retry-After",
        503: "Too many requests, or no database; see Retry-After",
        504: "It took too long",
    }.items()
}


class _StrictRequest(Request):
    """JSON by the standard: no NaN, and no half of a surrogate pair, which the database would refuse later."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = orjson.loads(await self.body())
        return self._json


class _StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Any]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


class _KeptRoute(APIRoute):
    """Answers a search from the cache, if its response is there, before the body is parsed."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handler = super().get_route_handler()

        async def kept_first(request: Request) -> Response:
            started = time.perf_counter()
            strict = _StrictRequest(request.scope, request.receive)
            service: Service = request.app.state.service
            caller = _caller(strict)
            kept = await service.kept(caller, await strict.body())
            if kept is None:
                return await handler(strict)
            return _found(strict, kept.mode, kept.answer, started, kept=True)

        return kept_first


async def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


def _caller(request: Request) -> Caller:
    found: Caller = request.scope["pgvec"]["caller"]  # set by the guard
    return found


The = Annotated[Service, Depends(_service)]
By = Annotated[Caller, Depends(_caller)]
Collection = Annotated[models.Name | None, Query()]


async def _chosen_by_query(
    caller: By, tenant: Annotated[UUID | None, Query(description="one of the caller's, where there are several")] = None
) -> UUID | None:
    return chosen_tenant(caller, tenant)


Tenant = Annotated[UUID | None, Depends(_chosen_by_query)]
Id = Annotated[models.Id, InPath()]

router = APIRouter(route_class=_StrictRoute, responses=_PROBLEMS)


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _found(request: Request, mode: str, answer: Answer, started: float, *, kept: bool) -> Response:
    service: Service = request.app.state.service
    request.scope["pgvec"] |= {"mode": mode, "route": "cache" if kept else answer.route}
    service.metrics.found(mode, answer.rows)
    taken = f"{(time.perf_counter() - started) * 1000:.1f}".encode()
    cached = b"true" if kept else b"false"
    return _json(b'{"results":' + answer.body + b',"took_ms":' + taken + b',"cached":' + cached + b"}")


_NO_VECTOR = "no word of the text has a fitted vector"
_FIT = "search by keyword, or run pgvec-admin fit"


async def search(question: models.Question, request: Request, service: The, caller: By) -> Response:
    """The rows nearest to a text or a vector, those with its words, or both together."""
    started = time.perf_counter()
    collection = question.collection or service.settings.collection
    if question.top_k > service.settings.limits.top_k:
        raise ProblemError(422, "top_k is too large", f"at most {service.settings.limits.top_k}")
    if question.query is not None:
        service.check_text(question.query)
    about = await service.about(caller, collection)
    embedding = None if question.query_embedding is None else vector_text(question.query_embedding)
    mode: str = question.mode
    if embedding is None and mode != "keyword":
        embedding = await service.vector_of(caller, about, question.query or "", collection)
        if embedding is None and mode == "vector":
            raise ProblemError(422, _NO_VECTOR, _FIT)
        mode = mode if embedding else "keyword"
    answer, kept = await service.search(
        caller,
        mode,
        {
            "query": question.query,
            "embedding": embedding,
            "words": question.query if question.highlight else None,
            "top_k": question.top_k,
            "min_score": question.min_score,
            "filter": orjson.dumps(question.filter).decode(),
            "fusion": question.fusion,
            "collection": collection,
            "tenant": chosen_tenant(caller, question.tenant),
        },
        about.indexes,
        # what was fitted may change without the rows
        None if service.settings.no_model else await request.body(),
    )
    return _found(request, mode, answer, started, kept=kept)


router.add_api_route(
    "/search", search, methods=["POST"], response_model=models.Results, tags=["search"],
    route_class_override=_KeptRoute,
)  # fmt: skip


@router.post("/search/pgvector", response_model=models.ChunkDistances, tags=["search"])
async def search_by_distance(
    question: models.DistanceQuestion,
    request: Request,
    service: The,
    caller: By,
    tenant: Tenant,
    collection: Collection = None,
) -> Response:
    """The chunks nearest to a text with their distances, the smallest first."""
    service.check_text(question.query)
    name = collection or service.settings.collection
    about = await service.about(caller, name)
    embedding = await service.vector_of(caller, about, question.query, name)
    if embedding is None:
        raise ProblemError(422, _NO_VECTOR, _FIT)
    parameters = {
        "embedding": embedding,
        "top_k": min(question.limit, service.settings.limits.top_k),
        "distance": question.distance,
        "collection": name,
        "tenant": tenant,
    }
    answer, kept = await service.search(caller, "distance", parameters, about.indexes)
    request.scope["pgvec"] |= {"mode": "vector", "route": "cache" if kept else answer.route}
    service.metrics.found("vector", answer.rows)
    return _json(b'{"results":' + answer.body + b"}")


@router.post("/documents", tags=["documents"])
async def store_documents(
    given: models.Document | list[models.Document],
    service: The,
    caller: By,
    tenant: Tenant,
    collection: Collection = None,
) -> models.Stored:
    """Store one row or many, all or none; those without an embedding are embedded first."""
    documents = given if isinstance(given, list) else [given]
    most = service.settings.limits.documents
    if len(documents) > most:
        raise ProblemError(413, "too many documents", f"at most {most} in a request")
    rows = [document.model_dump(exclude_unset=True) for document in documents]
    for row in rows:
        if row.get("id", "") is None:
            del row["id"]
    return await service.write(caller, rows, collection or service.settings.collection, tenant)


@router.delete("/documents", tags=["documents"])
async def delete_source(
    source: Annotated[str, Query(min_length=1)],
    service: The,
    caller: By,
    tenant: Tenant,
    collection: Collection = None,
) -> models.Deleted:
    """Delete the rows of a source."""
    name = collection or service.settings.collection
    return models.Deleted(deleted=await service.store.delete(caller, name, tenant, source=source))


@router.get("/documents/{id:path}", response_model=models.StoredDocument, tags=["documents"])
async def document(
    id: Id,  # noqa: A002 - the name in the address
    service: The,
    caller: By,
    tenant: Tenant,
    collection: Collection = None,
) -> Response:
    """One row."""
    found = await service.store.document(caller, id, collection or service.settings.collection, tenant)
    if found is None:
        raise ProblemError(404, "there is no such document")
    return _json(found)


@router.put("/documents/{id:path}", tags=["documents"])
async def store_document(
    id: Id,  # noqa: A002
    given: models.Replacement,
    service: The,
    caller: By,
    tenant: Tenant,
    collection: Collection = None,
) -> models.Stored:
    """Store one row under this id, whether it is there or not."""
    row = given.model_dump(exclude_unset=True) | {"id": id}
    return await service.write(caller, [row], collection or service.settings.collection, tenant)


@router.delete("/documents/{id:path}", tags=["documents"])
async def delete_document(
    id: Id,  # noqa: A002
    service: The,
    caller: By,
    tenant: Tenant,
    collection: Collection = None,
) -> models.Deleted:
    """Delete one row; 404 where it is not there."""
    deleted = await service.store.delete(caller, collection or service.settings.collection, tenant, id_=id)
    if not deleted:
        raise ProblemError(404, "there is no such document")
    return models.Deleted(deleted=deleted)


@router.post("/embed", tags=["documents"])
async def embed(
    chunk: models.Chunk, service: The, caller: By, tenant: Tenant, collection: Collection = None
) -> models.Embedded:
    """Embed a text and store it under its id, whether that is there or not."""
    name = collection or service.settings.collection
    await service.write(caller, [{"id": chunk.chunkId, "content": chunk.text}], name, tenant)
    about = await service.about(caller, name)
    return models.Embedded(chunkId=chunk.chunkId, dimensions=about.dimensions, model=service.embedder.spec(about))


open_router = APIRouter(tags=["service"])


@open_router.get("/health", responses={503: {"model": models.Health, "description": "Live, but not ready"}})
async def health(service: The, response: Response) -> models.Health:
    """Whether the service lives, and whether its database answers."""
    found = await service.health()
    if not found.ready:
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return found


@open_router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, 401: _PROBLEMS[401]}
)
async def metrics(service: The) -> Response:
    """What Prometheus scrapes, by the metrics key where callers sign in."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def create_app(settings: Settings) -> FastAPI:
    """The application; its pool of connections is open while it runs."""
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.store.opened():
            warming = asyncio.create_task(service.warm())
            yield
            warming.cancel()

    app = FastAPIOffline(
        docs_url=None,
        redoc_url=None,
        static_url=pages.DOCS_FILES,
        title="pgvec-admin",
        version=__version__,
        summary="Search that lives in Postgres, over HTTP.",
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(router)
    app.include_router(open_router)
    app.include_router(pages.router)
    tell_problems(app)
    app.add_middleware(Guard, limits=settings.limits, gate=service.gate, metrics=service.metrics)
    if settings.origins:  # outermost, so that pages may read refusals as well
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.origins), allow_methods=["*"], allow_headers=["*"]
        )
    app.openapi = lambda: pages.describe(app, settings)  # type: ignore[method-assign]
    return app
