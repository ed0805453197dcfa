"""What the engine's SQL functions are called for: collections, tenants, indexes, searches, the log of searches."""
