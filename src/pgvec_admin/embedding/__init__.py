"""Texts to vectors: runs over the rows to embed, and workers that wait for them."""
