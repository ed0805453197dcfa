"""Where SQL and Edge Function are: inside the installed wheel, or in the checkout beside `src/`; and the queries."""

from __future__ import annotations

from pathlib import Path


def sql_directory() -> Path:
    """The directory that holds `migrations/` and `functions/`."""
    package = Path(__file__).resolve().parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parents[1] / "sql"


def edge_function_directory() -> Path:
    """The directory that holds the files of the Edge Function `embed`."""
    package = Path(__file__).resolve().parent
    installed = package / "edge_functions"
    return (installed if installed.is_dir() else package.parents[1] / "supabase" / "functions") / "embed"


def query(name: str) -> str:
    """The text of a query in `queries/`, beside the modules."""
    return (Path(__file__).resolve().parent / "queries" / f"{name}.sql").read_text(encoding="utf-8")
