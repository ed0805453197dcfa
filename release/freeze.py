"""Freezes this version: everything that it installs as one SQL file, for psql alone. Never done twice for a version."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from pgvec_admin import __version__
from pgvec_admin.install import supabase

FROZEN = Path(__file__).resolve().parents[1] / "tests" / "releases" / f"{__version__}.sql.gz"


def main() -> None:
    """Write `<version>.sql.gz` among the releases that upgrades are tested from."""
    if FROZEN.exists():
        sys.exit(f"{FROZEN} is there: {__version__} was released, and a release does not change")
    FROZEN.write_bytes(gzip.compress(supabase.text().encode(), mtime=0))
    sys.stdout.write(f"{FROZEN} written\n")


if __name__ == "__main__":
    main()
