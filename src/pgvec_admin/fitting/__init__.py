"""Vectors of words, fitted to the rows of a collection: searches by text without a model (`pgvec.query_vector`)."""
