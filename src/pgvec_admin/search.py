"""For programs that search with their own SQL: `vector_literal` writes a vector as the functions take it."""

from pgvec_admin.engine.search import vector_literal

__all__ = ["vector_literal"]
