"""The embedded PostgreSQL server: where it is, how it is set up, started and stopped."""
