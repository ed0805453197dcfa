"""Collections for Alembic: operations, and autogenerate that knows them. Needs alembic 1.18.

Importing the module registers both; `env.py` does so, and each migration that autogenerate writes.

    op.create_pgvec_collection("documents", 384, model="openai:text-embedding-3-small")
    op.adopt_pgvec_collection("jobs", "public.jobs", content_columns=["title"], dimensions=384)

A mapped table says that it is a collection by its `info`; collections that are not mapped are left alone:

    class Document(DocumentColumns, Base):
        __tablename__ = "documents"
        __table_args__ = {"info": collection(384, model="openai:text-embedding-3-small")}
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority
from sqlalchemy import Boolean, Integer, Select, Table, Text, bindparam, cast, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY, REGCLASS

log = logging.getLogger("alembic.autogenerate.pgvec")

INFO = "pgvec"
_COMPARED = ("dimensions", "distance", "access", "storage", "model")


def collection(dimensions: int, **options: Any) -> dict[str, Any]:
    """`info` of a mapped table that is a collection; `options` as for `pgvec.create_collection`."""
    return {INFO: {"adopted": False, "dimensions": dimensions, **options}}


def adopted(**options: Any) -> dict[str, Any]:
    """`info` of a mapped table of yours that is searched; `options` as for `pgvec.adopt_collection`, and its `name`."""
    return {INFO: {"adopted": True, **options}}


class _Operation(MigrateOperation):
    """A call of a function of schema pgvec with a name and arguments."""

    function: str
    renders: str

    def __init__(self, *positional: Any, **arguments: Any) -> None:
        self.positional, self.arguments = positional, arguments

    def statement(self) -> Select[Any]:
        """The call, which offline mode can write down too."""
        names = {name: value for name, value in self.arguments.items() if value is not None}
        return select(
            getattr(func.pgvec, self.function)(
                *(_value(value) for value in self.positional),
                *(literal_column(name).op("=>")(_value(value)) for name, value in names.items()),
            )
        )

    def written(self) -> str:
        """The operation as Python."""
        told = [repr(value) for value in self.positional]
        told += [f"{name}={value!r}" for name, value in self.arguments.items() if value is not None]
        return f"op.{self.renders}({', '.join(told)})"

    @classmethod
    def invoked(cls, operations: Operations, *positional: Any, **arguments: Any) -> Any:
        """Run it, within a migration."""
        return operations.invoke(cls(*positional, **arguments))

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What `compare_metadata` tells."""
        return (self.renders, self.positional[0])


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return bindparam(None, value, type_=Boolean(), unique=True)
    if isinstance(value, int):
        return bindparam(None, value, type_=Integer(), unique=True)
    if isinstance(value, list | tuple):
        return cast(bindparam(None, list(value), type_=ARRAY(Text()), unique=True), ARRAY(Text()))
    return value if not isinstance(value, str) else bindparam(None, value, type_=Text(), unique=True)


@Operations.register_operation("create_pgvec_collection", "invoked")
class CreateCollection(_Operation):
    """`op.create_pgvec_collection(name, dimensions, distance=..., access=..., ...)`: `pgvec.create_collection`."""

    function, renders = "create_collection", "create_pgvec_collection"

    def reverse(self) -> MigrateOperation:
        """Drop it again, with its rows."""
        return DropCollection(self.positional[0], undone=self)


@Operations.register_operation("adopt_pgvec_collection", "invoked")
class AdoptCollection(_Operation):
    """`op.adopt_pgvec_collection(name, table, content_columns=[...], ...)`: `pgvec.adopt_collection`."""

    function, renders = "adopt_collection", "adopt_pgvec_collection"

    def statement(self) -> Select[Any]:
        """The call; the table is found as others of the migration are."""
        name, table = self.positional
        return _Operation.statement(type(self)(name, cast(_value(table), REGCLASS), **self.arguments))

    def reverse(self) -> MigrateOperation:
        """Leave the table, and forget that it is searched."""
        return ReleaseCollection(self.positional[0], undone=self)


class _Undoing(_Operation):
    """An operation that has the name alone; reversed, it is the one that it undoes, where that is known."""

    def __init__(self, name: str, *, undone: MigrateOperation | None = None) -> None:
        super().__init__(name)
        self._undone = undone

    def reverse(self) -> MigrateOperation:
        """What it undoes; ValueError where only the name is known."""
        if self._undone is None:
            raise ValueError(f"{self.renders} does not know how {self.positional[0]!r} was made")
        return self._undone


@Operations.register_operation("drop_pgvec_collection", "invoked")
class DropCollection(_Undoing):
    """`op.drop_pgvec_collection(name)`: `pgvec.drop_collection`, with all rows."""

    function, renders = "drop_collection", "drop_pgvec_collection"


@Operations.register_operation("release_pgvec_collection", "invoked")
class ReleaseCollection(_Undoing):
    """`op.release_pgvec_collection(name)`: `pgvec.release_collection`; the table stays."""

    function, renders = "release_collection", "release_pgvec_collection"


for _kind in (CreateCollection, AdoptCollection, DropCollection, ReleaseCollection):

    @Operations.implementation_for(_kind)
    def _run(operations: Operations, operation: _Operation) -> None:
        operations.execute(operation.statement())

    @renderers.dispatch_for(_kind)
    def _render(context: AutogenContext, operation: _Operation) -> str:
        context.imports.add("import pgvec_admin.orm.operations  # noqa: F401 (collections)")
        return operation.written()


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def _compare(context: AutogenContext, upgrade: UpgradeOps, _: Iterable[str | None]) -> None:
    """What is mapped and missing: collections come before tables that refer to them, adopted tables at the end."""
    mapped = [table for table in _tables(context) if INFO in table.info]
    if not mapped or context.connection is None:
        return
    if context.connection.scalar(text("select pg_catalog.to_regclass('pgvec.collections')")) is None:
        log.warning("the engine is missing: run pgvec-admin migrate first")
        return
    found = context.connection.execute(
        text("select name, dimensions, distance, access, storage, model from pgvec.collections")
    )
    known: dict[str, dict[str, Any]] = {row.name: dict(row._mapping) for row in found}
    for table in mapped:
        wanted = dict(table.info[INFO])
        name = wanted.pop("name", table.name)
        if name in known:
            _tell_differences(name, wanted, known[name])
        elif wanted.pop("adopted"):
            upgrade.ops.append(AdoptCollection(name, f"{table.schema or 'public'}.{table.name}", **wanted))
        else:
            upgrade.ops.insert(0, CreateCollection(name, wanted.pop("dimensions"), **wanted))


def _tables(context: AutogenContext) -> Iterable[Table]:
    given: Any = context.metadata
    several = given if isinstance(given, list | tuple) else [given]
    return [table for one in several if one is not None for table in one.tables.values()]


def _tell_differences(name: str, wanted: Mapping[str, Any], there: Mapping[str, Any]) -> None:
    """No statement changes these; a change of the model is work of its own, which searches outlast."""
    for what in _COMPARED:
        if what in wanted and wanted[what] != there[what]:
            log.warning(
                "collection %r has %s %r, its mapping says %r; autogenerate does not change it (of a model:"
                " pgvec-admin model change)",
                name, what, there[what], wanted[what],
            )  # fmt: skip
