"""A vector store for LangChain over the search functions of pgvec-admin: vectors, keywords, both; filters; tenants."""

from langchain_pgvec.vectorstores import PgvecVectorStore

__all__ = ["PgvecVectorStore"]
