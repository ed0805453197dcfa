"""For `supabase db push`: everything that `migrate` applies as one SQL file, which needs no Python."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pgvec_admin import __version__
from pgvec_admin.database import SEARCH_PATH
from pgvec_admin.errors import CheckFailedError, UsageError
from pgvec_admin.install import functions, migrations
from pgvec_admin.install.functions import normalised
from pgvec_admin.resources import edge_function_directory, query, sql_directory

_QUOTE = "$pgvec_file$"
_REPLACES = (
    "create or replace function pg_temp.replaces_existing() returns boolean language sql"
    " set search_path = pg_catalog, pg_temp as $$ select {} $$;"
)
_SUFFIX = f"_pgvec_admin_{__version__.replace('.', '_')}.sql"


def text(*, replace_existing: bool = False) -> str:
    """SQL that installs this release, or brings an older one up to it; run again, it changes nothing.

    `replace_existing`: functions of others under our names, such as a guide's match_documents, are replaced and kept in
    the history, instead of refused.
    """
    live = query("live_functions").replace("%(names)s", "array[function_name]")
    parts = [
        f"-- pgvec-admin {__version__}, made by `pgvec-admin supabase export`. Do not edit it: export it again.",
        # a powerful role runs it: no name may resolve to an object that others made in schema public
        f"set search_path = {SEARCH_PATH};",
        normalised(sql_directory() / "ledger.sql")[0],
        _REPLACES.format(str(replace_existing).lower()),
        query("installer").replace("{live_functions}", live).replace("{own_grants}", query("own_grants")),
        query("installer_migrations"),
    ]
    for path in migrations.paths():
        body, digest = normalised(path)
        parts.append(_call("apply_migration", path.stem, digest, body))
    # pgvector's settings can be named in a function only once its library is loaded
    parts.append("do $$ begin perform '[1]'::extensions.vector; end $$;")
    parts += [
        _call("make_hook" if file.is_hook else "apply_function", file.name, file.sha256, __version__, file.text)
        for file in functions.files()
    ]
    names = ", ".join(f"'{file.name}'" for file in functions.files())
    parts.append(f"select pg_temp.retire_functions(array[{names}]);")
    parts.append("reset check_function_bodies;\nselect pgvec.upgrade_collections();\nnotify pgrst, 'reload schema';")
    parts.append("reset search_path;")
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def export(folder: Path, now: datetime | None = None, *, replace_existing: bool = False) -> tuple[Path, bool]:
    """Write this release's file into a folder of migrations; returns it, and whether it was new or different.

    An existing file of this release is rewritten in its place. A new one is named by `now`, so that it comes after the
    existing migrations.
    """
    if not folder.parent.is_dir():
        raise UsageError(f"there is no directory {folder.parent}", "supabase init makes one")
    folder.mkdir(exist_ok=True)
    version = (now or datetime.now(UTC)).strftime("%Y%m%d%H%M%S")
    path = _exported(folder) or folder / f"{version}{_SUFFIX}"
    wanted = text(replace_existing=replace_existing)
    if path.exists() and path.read_text(encoding="utf-8") == wanted:
        return path, False
    path.write_text(wanted, encoding="utf-8")
    return path, True


def export_edge_function(folder: Path) -> tuple[Path, bool]:
    """Write the Edge Function `embed` into a folder of functions; returns its own, and whether that changed.

    UsageError where somebody else's function has that name: its first line differs from ours.
    """
    if not folder.parent.is_dir():
        raise UsageError(f"there is no directory {folder.parent}", "supabase init makes one")
    target, ours = folder / "embed", edge_function_directory() / "index.ts"
    there = target / "index.ts"
    if (
        there.exists()
        and there.read_text(encoding="utf-8").partition("\n")[0] != ours.read_text(encoding="utf-8").partition("\n")[0]
    ):
        raise UsageError(f"{there} is a function of yours, which this one would replace", "give yours another name")
    target.mkdir(parents=True, exist_ok=True)
    changed = False
    for source in sorted(edge_function_directory().iterdir()):
        path, wanted = target / source.name, source.read_text(encoding="utf-8")
        if not path.exists() or path.read_text(encoding="utf-8") != wanted:
            path.write_text(wanted, encoding="utf-8")
            changed = True
    return target, changed


def check(folder: Path) -> Path:
    """The file of this release in a folder; CheckFailedError where there is none, or its text differs."""
    path = _exported(folder)
    if path is None:
        raise CheckFailedError(f"{folder} has no file of pgvec-admin {__version__}", "pgvec-admin supabase export")
    if path.read_text(encoding="utf-8") not in (text(), text(replace_existing=True)):
        raise CheckFailedError(f"{path} is not what this release would export", "pgvec-admin supabase export")
    return path


def _exported(folder: Path) -> Path | None:
    return max(folder.glob(f"*{_SUFFIX}"), default=None)


def _call(function: str, *values: str) -> str:
    *short, body = values
    assert _QUOTE not in body
    quoted = ", ".join(f"'{value}'" for value in short)
    return f"select pg_temp.{function}({quoted}, {_QUOTE}\n{body}{_QUOTE});"
