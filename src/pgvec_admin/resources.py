"""Where the SQL of this package is: inside the installed wheel, or in the checkout beside `src/`; and its queries."""

from __future__ import annotations

from pathlib import Path


def sql_directory() -> Path:
    """The directory that holds `migrations/` and `functions/`."""
    package = Path(__file__).resolve().parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parents[1] / "sql"


def query(name: str) -> str:
    """The text of a query in `queries/`, beside the modules."""
    return (Path(__file__).resolve().parent / "queries" / f"{name}.sql").read_text(encoding="utf-8")
