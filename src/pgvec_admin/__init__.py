"""Search that lives in Postgres: the command and library that install, load, embed and verify it."""

import re

from pgvec_admin.resources import sql_directory


def _version() -> str:
    """The release of the functions that the command installs, which say it themselves."""
    text = (sql_directory() / "functions" / "pgvec" / "base" / "version.sql").read_text(encoding="utf-8")
    found = re.search(r"select '([^']+)'", text)
    assert found
    return found[1]


__version__ = _version()
