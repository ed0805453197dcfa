"""What the service takes and gives, as JSON; the OpenAPI document is made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pgvec_admin.engine.choices import Fusion

LEVELS = 200

Vector = Annotated[list[float], Field(min_length=1, max_length=16_000, description="as many numbers as the model has")]
Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(min_length=1, max_length=2000)]
Name = Annotated[str, Field(min_length=1, max_length=63, description="of a collection; else the service's own")]


def _shallow(value: dict[str, Any]) -> dict[str, Any]:
    """ValueError for what is nested deeper than the ways to write JSON down again go, which is 254 levels."""
    level: list[Any] = [value]
    for _ in range(LEVELS):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return value
    raise ValueError(f"nested more than {LEVELS} levels deep")


Metadata = Annotated[dict[str, Any], AfterValidator(_shallow)]


class _Body(BaseModel):
    """What is sent: a key that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Document(_Body):
    """A row to store. What is left out of one that is there stays; without an embedding the service makes it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "pools#1", "content": "How pools work", "metadata": {"lang": "en"}}]}
    )
    id: Id | None = Field(default=None, description="a row with it is replaced; without one the row is new")
    content: Text
    metadata: Metadata = Field(default_factory=dict)
    embedding: Vector | None = None
    source: str | None = None
    chunk_index: int | None = Field(default=None, ge=0, le=2_147_483_647)
    language: str | None = Field(default=None, max_length=63, description="a text search configuration")


class Replacement(Document):
    """A row to store under the id of the address."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": "How pools work, revised"}]})
    id: None = None


class StoredDocument(BaseModel):
    """A row as it is stored."""

    id: str
    content: str
    metadata: Metadata
    source: str | None
    chunk_index: int | None


class Stored(BaseModel):
    """The ids of rows, in the order in which they came, and how many of them the service embedded."""

    ids: list[str]
    embedded: int


class Deleted(BaseModel):
    """How many rows are gone."""

    deleted: int


class Chunk(_Body):
    """A text to embed and store."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"chunkId": "pools#1", "text": "How pools work"}]})
    chunkId: Id  # noqa: N815 - the name that callers send
    text: Text


class Embedded(BaseModel):
    """A text that is embedded and stored."""

    chunkId: str  # noqa: N815
    dimensions: int
    model: str


class Question(_Body):
    """A search: by a text, which the service embeds where that is needed, or by a vector."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": "explain neural networks", "top_k": 5, "min_score": 0.3, "filter": {"lang": "en"}}]
        }
    )
    query: Text | None = None
    query_embedding: Vector | None = None
    mode: Literal["vector", "keyword", "hybrid"] = "vector"
    top_k: int = Field(default=10, ge=1, le=1000)
    min_score: float | None = Field(default=None, description="results with a smaller score are left out")
    filter: Metadata = Field(default_factory=dict, description="what metadata has to contain, and operators")
    fusion: Fusion | None = Field(default=None, description="of mode hybrid")
    collection: Name | None = None
    tenant: UUID | None = Field(default=None, description="one of the caller's, where there are several")
    highlight: bool = Field(
        default=False, description="adds a headline: HTML, its text escaped, with the words of the query in <mark>"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.query is None and (self.query_embedding is None or self.mode != "vector"):
            raise ValueError("query_embedding or query is needed" if self.mode == "vector" else "query is needed")
        if self.highlight and self.query is None:
            raise ValueError("highlight needs a query")
        if self.fusion and self.mode != "hybrid":
            raise ValueError("fusion is for mode hybrid")
        return self


class Result(BaseModel):
    """A row that was found: `score` is its similarity, or what the mode ranks by; the best come first."""

    id: str
    content: str
    metadata: Metadata
    score: float
    headline: str | None = None


class Results(BaseModel):
    """What was found, in how many milliseconds, and whether it was kept from an earlier request."""

    results: list[Result]
    took_ms: float
    cached: bool


class DistanceQuestion(_Body):
    """The chunks nearest to a text."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": "explain neural networks", "limit": 5}]})
    query: Text
    limit: int = Field(default=5, ge=1, le=1000)
    distance: Literal["cosine", "l2", "inner_product"] = "cosine"


class ChunkDistance(BaseModel):
    """A chunk and its distance; the smallest come first. inner_product: the product with a minus sign."""

    chunkId: str  # noqa: N815
    score: float


class ChunkDistances(BaseModel):
    """What was found."""

    results: list[ChunkDistance]


class Health(BaseModel):
    """Whether the service is there, and whether it can answer searches."""

    live: bool
    ready: bool
    writable: bool = Field(default=False, description="whether it can store: not without a primary")
    version: str | None = Field(default=None, description="of the functions in the database")


class Problem(BaseModel):
    """What is wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = None
    code: str | None = Field(default=None, description="the SQLSTATE: PV001 to PV007 are the engine's own")
