"""A FastAPI application over a collection: a session for each request, a repository for each session.

pip install 'pgvec-admin[sqlalchemy]' fastapi uvicorn
pgvec-admin migrate && pgvec-admin collection create documents --dimensions 3
uvicorn fastapi_app:app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from pgvec_admin.orm import EmbeddingRepository, Hit, NewDocument

engine = create_async_engine(os.environ["PGVEC_DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1))
sessions = async_sessionmaker(engine)
app = FastAPI()


async def session() -> AsyncIterator[AsyncSession]:
    """A transaction for each request: what a request writes stays if the request succeeds."""
    async with sessions() as made, made.begin():
        yield made


async def repository(made: Annotated[AsyncSession, Depends(session)]) -> EmbeddingRepository:
    return EmbeddingRepository(made, collection="documents")


Repository = Annotated[EmbeddingRepository, Depends(repository)]


class Note(BaseModel):
    content: str
    embedding: list[float]
    metadata: dict[str, Any] = Field(default_factory=dict)


class Question(BaseModel):
    embedding: list[float]
    top_k: int = Field(default=5, ge=1, le=50)
    filters: dict[str, Any] = Field(default_factory=dict)


@app.post("/notes")
async def add(notes: list[Note], rows: Repository) -> list[str]:
    """Store notes, and return their ids."""
    return await rows.add_embeddings(NewDocument(**note.model_dump()) for note in notes)


@app.post("/nearest")
async def nearest(question: Question, rows: Repository) -> list[Hit]:
    """The notes nearest to a vector."""
    return await rows.search(question.embedding, question.top_k, question.filters)
