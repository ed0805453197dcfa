"""What the tools take and give; the schemas that agents read are made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from pgvec_admin.api.models import Id, Metadata

Mode = Literal["hybrid", "vector", "keyword"]

Query = Annotated[
    str,
    Field(
        min_length=1,
        description='what to search for: a question or words; in keyword and hybrid mode "a phrase" and -word work too',
        examples=["how do I reset my password", '"connection reset" -windows'],
    ),
]
Filter = Annotated[
    Metadata,
    Field(
        description="what the metadata of a row has to contain; keys that begin with $ are operators: $eq, $ne, $gt,"
        " $gte, $lt, $lte, $in, $nin, $between, $exists, $like, $ilike, $contains, $containsAny, $containsAll, $and,"
        " $or, $not",
        examples=[{"lang": "en"}, {"year": {"$gte": 2020}, "$or": [{"lang": "en"}, {"lang": {"$in": ["de", "fr"]}}]}],
    ),
]
Collection = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=63,
        description="one of list_collections; without it the server's own",
        examples=["documents"],
    ),
]


def _uuid(given: str | None) -> str | None:
    return None if given is None else str(UUID(given))


Tenant = Annotated[
    str | None,
    AfterValidator(_uuid),
    Field(
        description="for callers with several tenants: one of them, by its UUID",
        examples=["00000000-0000-4000-8000-00000000000a"],
    ),
]
Limit = Annotated[int, Field(ge=1, le=50, description="rows, at most", examples=[5])]
Around = Annotated[int, Field(ge=0, le=1000, examples=[1, 1000])]
Tokens = Annotated[
    int | None,
    Field(
        ge=200, le=50_000, description="tokens of the answer, at most; what does not fit is named in more_ids",
        examples=[2000],
    ),
]  # fmt: skip
RowId = Annotated[Id, Field(description="id of a row, as search returns it", examples=["docs/pools.md#3"])]


class Text(BaseModel):
    """A row with its text. `cut`: only the beginning is here; get_context with more max_tokens returns all of it."""

    id: str
    content: str
    metadata: dict[str, Any]
    cut: bool = False


class Found(Text):
    """A row that was found: `score` is its similarity, or what the mode ranks by."""

    score: float


class Chunk(Text):
    """A row in its place within its source; `is_hit` marks the row that was asked for."""

    source: str | None
    chunk_index: int | None
    is_hit: bool


class Answer(BaseModel):
    """`more_ids`: rows that did not fit, for get_context; `omitted`: those that are not even named there."""

    more_ids: list[str] = Field(default_factory=list)
    omitted: int = 0


class Results(Answer):
    """Rows, the best first."""

    mode: Mode
    results: list[Found]


class Context(Answer):
    """A row and its neighbours, in the order of their source."""

    chunks: list[Chunk]


class Known(BaseModel):
    """A collection. Without a model it is searched by keyword."""

    name: str
    model: str | None
    dimensions: int
    distance: str
    language: str
    access: str


class Collections(BaseModel):
    """Those that the caller may read."""

    default: str
    collections: list[Known]


class Explanation(BaseModel):
    """How a search by vector is answered: `estimate` of the matches, milliseconds, and the plan of its last query."""

    route: str
    estimate: int | None
    index: str | None
    ef_search: int | None
    rows: int
    ms: float
    plan: str
