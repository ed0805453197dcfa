"""Collections for SQLAlchemy 2: mapped classes, the search functions as table-valued ones, and a repository.

Nothing is searched here: each method is a call of an SQL function. For `postgresql+psycopg`, sync and async; needs the
extra `sqlalchemy`.

    class Document(DocumentColumns, Base):
        __tablename__ = "documents"

    hit = match_documents(vector, match_count=5)
    select(Job.title, hit.c.similarity).join(hit, hit.c.id == cast(Job.id, Text)).order_by(hit.c.similarity.desc())

    repository = EmbeddingRepository(async_session, collection="documents")
    hits = await repository.search(vector, top_k=5, filters={"lang": "en"}, min_score=0.5)
"""

from pgvec_admin.orm.repository import EmbeddingRepository, Hit, NewDocument, SyncEmbeddingRepository
from pgvec_admin.orm.tables import DocumentColumns, hybrid_search, include_object, keyword_search, match_documents

__all__ = [
    "DocumentColumns",
    "EmbeddingRepository",
    "Hit",
    "NewDocument",
    "SyncEmbeddingRepository",
    "hybrid_search",
    "include_object",
    "keyword_search",
    "match_documents",
]
