"""The functions step: one function a file, applied again whenever its text changes, with its history.

The ledger (`pgvec.function_history`) records which text was applied and how the catalog described it afterwards. A
function that the catalog now describes otherwise was edited in place: it has drifted, and is not overwritten silently.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pgvec_admin import __version__
from pgvec_admin.database import Connection
from pgvec_admin.errors import CheckFailedError, UsageError
from pgvec_admin.install import definitions, ledger
from pgvec_admin.install.ledger import HistoryEntry, Live, Recorded
from pgvec_admin.resources import query, sql_directory

# the other files call these two
FIRST = ("pgvec.roles", "pgvec.grant_execute")

_OWN_GRANTS = query("own_grants")
_CALLS_HOOKS = "pgvec.allowed_tenants"

State = Literal["ok", "new", "changed", "drifted", "missing", "held", "replaced", "retired", "unmanaged"]
SETTLED: tuple[State, ...] = ("ok", "held", "replaced")


@dataclass(frozen=True)
class FunctionFile:
    """A file of sql/functions, `path` below that folder; `sha256` is of its text with line ends as LF."""

    name: str
    path: Path
    text: str
    sha256: str

    @property
    def label(self) -> str:
        """The file as messages name it."""
        return f"sql/functions/{self.path}"

    @property
    def is_hook(self) -> bool:
        """Whether installations may replace the function: it is made where it is missing, and never overwritten."""
        return self.path.parent.name == "hooks"

    def returns_as(self, definition: str) -> bool:
        """Whether a definition, as the server shows it, has the result of this file."""
        result = re.search(r"^  returns (.*)$", self.text, flags=re.MULTILINE)
        return result is not None and f"\n RETURNS {result[1]}\n" in definition


@dataclass(frozen=True)
class FunctionState:
    """Where a function stands.

    ok: as its file says. new: not installed yet. changed: its file has another text. drifted: edited in the database.
    missing: dropped there. held: rolled back, until its file changes. replaced: a hook with a text of its own.
    retired: removed in this release. unmanaged: not made by this package.
    """

    name: str
    state: State
    version: int | None = None
    release: str | None = None
    applied_at: datetime | None = None


def normalised(path: Path) -> tuple[str, str]:
    """The text of an SQL file with line ends as LF, and its SHA-256."""
    text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    return text, hashlib.sha256(text.encode()).hexdigest()


def files(directory: Path | None = None) -> list[FunctionFile]:
    """The function files in the order in which they are applied. A function's schema is the first part of its path."""
    folder = (directory or sql_directory()) / "functions"
    stamps = [(path, (stat := path.stat()).st_mtime_ns, stat.st_size) for path in folder.rglob("*.sql")]
    return list(_read(folder, tuple(stamps)))


@lru_cache(maxsize=1)
def _read(folder: Path, stamps: tuple[tuple[Path, int, int], ...]) -> list[FunctionFile]:
    """The files, read again when one has changed: an installation asks for them eight times."""
    paths = [path.relative_to(folder) for path, _, _ in stamps]
    found = [FunctionFile(f"{path.parts[0]}.{path.stem}", path, *normalised(folder / path)) for path in paths]
    order = {name: place for place, name in enumerate(FIRST)}
    return sorted(found, key=lambda f: (order.get(f.name, len(FIRST)), not f.name.startswith("pgvec."), f.name))


def states(connection: Connection, directory: Path | None = None) -> list[FunctionState]:
    """Every function that has a file, and those in schema pgvec that have none."""
    wanted = {file.name: file for file in files(directory)}
    recorded = ledger.recorded(connection)
    live = ledger.live(connection, wanted.keys() | recorded.keys())
    engine = live.get(_CALLS_HOOKS)
    found = []
    for name in sorted(wanted.keys() | live.keys()):
        last = recorded.get(name)
        file, there = wanted.get(name), live.get(name)
        state = _hook_state(file, there, last, engine) if file and file.is_hook else _state(file, there, last)
        found.append(
            FunctionState(name, state, last.version, last.package_version, last.applied_at)
            if last
            else FunctionState(name, state)
        )
    return found


def _state(file: FunctionFile | None, live: Live | None, last: Recorded | None) -> State:
    if file is None and live and last and live.fingerprint == last.fingerprint:
        return "retired"
    if file is None or (live and not last):
        return "unmanaged"
    if live is None or last is None:
        return "missing" if last else "new"
    if live.fingerprint != last.fingerprint:
        return "drifted"
    if last.file_sha256 == file.sha256:
        return "ok"
    return "held" if last.held_sha256 == file.sha256 else "changed"


def _hook_state(file: FunctionFile, live: Live | None, last: Recorded | None, engine: Live | None) -> State:
    """A hook runs as the owner of the engine: only one that this owner has put in place of ours is taken for one."""
    if live is None:
        return "missing" if last else "new"
    if last is None or (engine and live.owners != engine.owners) or not file.returns_as(live.definition):
        return "unmanaged"
    return "ok" if live.fingerprint == last.fingerprint and last.origin == "file" else "replaced"


def check(found: Sequence[FunctionState], *, overwrite_drift: bool, replace_existing: bool) -> None:
    """CheckFailedError where applying would overwrite what others made, without permission."""
    drifted = [state.name for state in found if state.state == "drifted"]
    if drifted and not overwrite_drift:
        raise CheckFailedError(
            f"edited in the database since they were installed: {', '.join(drifted)}",
            f"look: pgvec-admin functions diff {drifted[0]}; then migrate --overwrite-drift, which keeps the edited"
            " text in the history",
        )
    ours = {file.name for file in files()}
    foreign = [state.name for state in found if state.state == "unmanaged" and state.name in ours]
    if foreign and not replace_existing:
        raise CheckFailedError(
            f"there are functions of these names already, made by somebody else: {', '.join(foreign)}",
            "rename them; or migrate --replace-existing, which keeps them in the history"
            f" (pgvec-admin functions history {foreign[0]})",
        )


def apply(
    connection: Connection,
    vector_schema: str,
    *,
    overwrite_drift: bool = False,
    replace_existing: bool = False,
) -> list[FunctionState]:
    """Apply every file that is new, changed or missing, in the caller's transaction; returns what was applied.

    `vector_schema` is pgvector's schema, quoted. Afterwards there is exactly one function of each name, none retired.
    """
    before = {state.name: state for state in states(connection)}
    check(list(before.values()), overwrite_drift=overwrite_drift, replace_existing=replace_existing)
    applied: dict[str, FunctionFile] = {}
    granted = connection.execute(_OWN_GRANTS).fetchall()
    definitions.prepare(connection, vector_schema)
    for file in files():
        found = before[file.name]
        if found.state in SETTLED:
            continue
        if found.state in ("drifted", "unmanaged"):
            live = ledger.live(connection, [file.name])[file.name]
            ledger.record(connection, live, "drift" if found.state == "drifted" else "replaced", live.definition)
            keep = found.state == "drifted"  # grants on a foreign function are not ours to keep
            if not keep:
                definitions.take_over(connection, live.oids)
            definitions.replace(connection, file.name, file.text, vector_schema, file.label, keep_grants=keep)
        elif found.state == "changed":
            definitions.make(connection, file.name, file.text, vector_schema, file.label)
        else:
            definitions.execute(connection, file.text, vector_schema, file.label)
        applied[file.name] = file
    _record(connection, applied)
    for name, role in granted:
        if name in applied:
            definitions.grant(connection, name, role)
    retired = [state for state in before.values() if state.state == "retired"]
    gone = ledger.live(connection, [state.name for state in retired])
    definitions.drop(connection, [oid for state in retired if state.name in gone for oid in gone[state.name].oids])
    return [before[name] for name in applied] + retired


def _record(connection: Connection, applied: Mapping[str, FunctionFile]) -> None:
    """Record what was applied, all at once: asking the catalog for one function takes as long as for all of them.

    PostgREST picks a function by its argument names: with two of one name it may refuse to choose (PGRST203).
    """
    live = ledger.live(connection, applied)
    for name in applied:
        overloads = live[name].overloads if name in live else 0
        if overloads != 1:
            raise CheckFailedError(
                f"there are {overloads} functions named {name}, and should be one",
                "drop the others: \\df in psql lists them",
            )
    ledger.record_files(connection, [(live[name], file.text, file.sha256) for name, file in applied.items()])


def history(connection: Connection, name: str) -> tuple[str, list[HistoryEntry]]:
    """The full name of a function and the definitions it has had, oldest first."""
    full = resolve(connection, name)
    return full, ledger.entries(connection, full)


def rollback(connection: Connection, name: str, vector_schema: str, to: int | None = None) -> tuple[str, HistoryEntry]:
    """Restore an earlier definition, by default the one before the installed one; in the caller's transaction.

    It is held: later runs of `migrate` leave it until a release brings another text for it.
    """
    full, entries = history(connection, name)
    live = ledger.live(connection, [full]).get(full)
    current = live.fingerprint if live else None
    chosen = version(full, entries, to) if to else _previous(full, entries, current)
    definitions.prepare(connection, vector_schema)
    if live and current != entries[-1].fingerprint:
        ledger.record(connection, live, "drift", live.definition)
    made = definitions.replace(connection, full, chosen.definition, vector_schema, f"{full} version {chosen.version}")
    held = next((file.sha256 for file in files() if file.name == full), None)
    ledger.record(connection, made, "rollback", chosen.definition, file_sha256=chosen.file_sha256, held_sha256=held)
    return full, chosen


def version(name: str, entries: Sequence[HistoryEntry], wanted: int) -> HistoryEntry:
    """That version of a history; UsageError where there is none."""
    for entry in entries:
        if entry.version == wanted:
            return entry
    raise UsageError(
        f"{name} has no version {wanted}",
        f"its versions: {', '.join(str(entry.version) for entry in entries) or 'none'}",
    )


def _previous(name: str, entries: Sequence[HistoryEntry], current: str | None) -> HistoryEntry:
    for entry in reversed(entries):
        if entry.fingerprint != current:
            return entry
    raise UsageError(f"{name} has no earlier version", "pgvec-admin functions history shows what there is")


def diff(connection: Connection, vector_schema: str, name: str | None = None) -> list[str]:
    """What applying the files would change, as a unified diff in the server's own rendering. Changes nothing."""
    chosen = resolve(connection, name) if name is not None else None
    wanted = [file for file in files() if chosen in (None, file.name)]
    before = ledger.live(connection, [file.name for file in wanted])
    standing = {state.name: state.state for state in states(connection)}
    lines: list[str] = []
    with connection.transaction(force_rollback=True):
        definitions.prepare(connection, vector_schema)
        for file in wanted:
            if standing[file.name] == "ok" or (standing[file.name] == "replaced" and chosen is None):
                continue
            live = before.get(file.name)
            after = definitions.replace(connection, file.name, file.text, vector_schema, file.label)
            lines += difflib.unified_diff(
                live.definition.splitlines() if live else [],
                after.definition.splitlines(),
                f"{file.name} (database, {standing[file.name]})",
                f"{file.name} (pgvec-admin {__version__})",
                lineterm="",
            )
    return lines


def resolve(connection: Connection, name: str) -> str:
    """The full name of a function given with or without its schema."""
    known = sorted({file.name for file in files()} | ledger.recorded(connection).keys())
    found = [full for full in known if full == name] or [full for full in known if full.split(".", 1)[1] == name]
    if len(found) != 1:
        spelt = known if "." in name else [full.split(".", 1)[1] for full in known]
        close = difflib.get_close_matches(name, spelt, 1)
        raise UsageError(
            f"there is no function {name!r} of this package",
            f"did you mean {close[0]}?" if close else "pgvec-admin functions list shows them",
        )
    return found[0]


def drop_all(connection: Connection) -> list[str]:
    """Drop every function that the ledger knows, in the caller's transaction; returns their names."""
    recorded = ledger.recorded(connection)
    live = [one for one in ledger.live(connection, recorded).values() if one.name in recorded]
    # triggers of the engine's own tables hold their functions
    for (statement,) in connection.execute(
        "select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass)"
        " from pg_catalog.pg_trigger as t join pg_catalog.pg_class as r on r.oid = t.tgrelid"
        " where r.relnamespace = 'pgvec'::regnamespace and not t.tgisinternal"
    ).fetchall():
        connection.execute(str(statement).encode())
    definitions.drop(connection, [oid for one in live for oid in one.oids])
    return [one.name for one in live]
