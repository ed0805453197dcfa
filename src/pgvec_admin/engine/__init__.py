"""Calls of the engine's SQL functions: collections, tenants, indexes, searches, the log of searches."""
