"""Search that lives in Postgres: the command and library that install, load, embed and verify it."""

__version__ = "0.2.1"
