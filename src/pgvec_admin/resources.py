"""Where the SQL of this package lies: inside the installed wheel, or in the checkout beside `src/`."""

from __future__ import annotations

from pathlib import Path


def sql_directory() -> Path:
    """The directory that holds `migrations/` and `functions/`."""
    package = Path(__file__).resolve().parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parents[1] / "sql"
