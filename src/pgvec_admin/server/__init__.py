"""The embedded PostgreSQL server: where it lies, how it is set up, started and stopped."""
