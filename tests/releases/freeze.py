"""Freezes this version: everything that it installs as one SQL file, for psql alone. Never done twice for a version."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from pgvec_admin import __version__
from pgvec_admin.install import supabase


def main() -> None:
    """Write `<version>.sql.gz` beside this file."""
    path = Path(__file__).with_name(f"{__version__}.sql.gz")
    if path.exists():
        sys.exit(f"{path} is there: {__version__} was released, and a release does not change")
    path.write_bytes(gzip.compress(supabase.text().encode(), mtime=0))
    sys.stdout.write(f"{path} written\n")


if __name__ == "__main__":
    main()
