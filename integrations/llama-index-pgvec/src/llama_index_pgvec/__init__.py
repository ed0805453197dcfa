"""A vector store for LlamaIndex over the search functions of pgvec-admin: vectors, keywords, both; filters; tenants."""

from llama_index_pgvec.vector_store import PgvecVectorStore

__all__ = ["PgvecVectorStore"]
