"""Alembic's operations for collections, and its autogenerate, in an environment as `alembic init` makes it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Column, Engine, ForeignKey, Integer, MetaData, Table, Text, create_engine
from sqlalchemy.orm import DeclarativeBase

from conftest import Connection
from pgvec_admin import orm
from pgvec_admin.orm import DocumentColumns, operations

ENVIRONMENT = """
from alembic import context
from sqlalchemy import NullPool, create_engine
import pgvec_admin.orm.operations  # noqa: F401
from pgvec_admin.orm import include_object

config = context.config
metadata = config.attributes["metadata"]
options = {"target_metadata": metadata, "include_object": include_object}
if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(config.get_main_option("sqlalchemy.url"), poolclass=NullPool).connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
"""
TEMPLATE = '''
"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

def upgrade():
    ${upgrades if upgrades else "pass"}

def downgrade():
    ${downgrades if downgrades else "pass"}
'''


def _metadata() -> MetaData:
    class Base(DeclarativeBase):
        pass

    class Document(DocumentColumns, Base):
        __tablename__ = "documents"
        __table_args__ = {"info": operations.collection(3, distance="l2")}  # noqa: RUF012

    Table("reads", Base.metadata, Column("id", Integer, primary_key=True), Column("row", ForeignKey("documents.id")))
    Table(
        "jobs",
        Base.metadata,
        Column("id", Integer, primary_key=True),
        Column("title", Text, nullable=False),
        info=operations.adopted(content_columns=["title"], dimensions=4, add_columns=True),
    )
    Table("plain", Base.metadata, Column("id", Integer, primary_key=True))
    return Base.metadata


@pytest.fixture
def engine(connection: Connection) -> Iterator[Engine]:
    info = connection.info
    made = create_engine(f"postgresql+psycopg://{info.user}@/{info.dbname}?host={info.host}&port={info.port}")
    yield made
    made.dispose()


@pytest.fixture
def config(engine: Engine, tmp_path: Path) -> Config:
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENVIRONMENT)
    (tmp_path / "script.py.mako").write_text(TEMPLATE)
    made = Config(attributes={"metadata": _metadata()}, stdout=io.StringIO())
    made.set_main_option("script_location", str(tmp_path))
    made.set_main_option("path_separator", "os")
    made.set_main_option("sqlalchemy.url", engine.url.render_as_string(hide_password=False).replace("%", "%%"))
    return made


def _collections(connection: Connection) -> list[Any]:
    return connection.execute("select name, dimensions, distance, access from pgvec.collections order by 1").fetchall()


def _generated(config: Config, message: str) -> str:
    made: Any = command.revision(config, message, autogenerate=True)
    return str(Path(made.path).read_text())


def test_autogenerate_makes_collections_and_adopts_tables(config: Config, connection: Connection) -> None:
    text = _generated(config, "first")
    upgrade = text.partition("def upgrade")[2].partition("def downgrade")[0]
    places = [
        upgrade.index(part)
        for part in (
            "op.create_pgvec_collection('documents', 3, distance='l2')",
            "op.create_table('reads'",
            "op.adopt_pgvec_collection('jobs', 'public.jobs', content_columns=['title'], dimensions=4, add_columns",
        )
    ]
    assert places == sorted(places)
    assert "import pgvec_admin.orm.operations" in text
    assert "create_table('documents'" not in text
    command.upgrade(config, "head")
    assert _collections(connection) == [("documents", 3, "l2", "open"), ("jobs", 4, "cosine", "policy")]
    connection.execute("insert into jobs (id, title) values (1, 'angler')")
    found = connection.execute("select id from keyword_search('angler', collection => 'jobs')").fetchall()
    assert found == [("1",)]
    # nothing is left to do
    second = _generated(config, "second")
    assert "op." not in second.partition("def upgrade")[2]
    command.downgrade(config, "base")
    assert _collections(connection) == []
    assert connection.execute("select to_regclass('documents'), to_regclass('jobs')").fetchone() == (None, None)


def test_a_migration_by_hand_has_the_same_operations(config: Config, tmp_path: Path, connection: Connection) -> None:
    connection.execute("create table posts (id int primary key, body text)")
    (tmp_path / "versions" / "one.py").write_text(
        "from alembic import op\nimport pgvec_admin.orm.operations\nrevision, down_revision = 'one', None\n"
        "def upgrade():\n"
        "    op.create_pgvec_collection('notes', 8, access='tenant', model='openai:m', partition=2)\n"
        "    op.adopt_pgvec_collection('posts', 'posts', content_columns=['body'], dimensions=2)\n"
        "def downgrade():\n"
        "    op.release_pgvec_collection('posts')\n"
        "    op.drop_pgvec_collection('notes')\n"
    )
    command.upgrade(config, "head")
    assert _collections(connection) == [("notes", 8, "cosine", "tenant"), ("posts", 2, "cosine", "policy")]
    command.downgrade(config, "base")
    assert _collections(connection) == []
    assert connection.execute("select to_regclass('posts') is not null").fetchone() == (True,)
    # what offline mode writes can be run by psql
    connection.execute("drop table alembic_version")
    written = io.StringIO()
    config.output_buffer = written
    with redirect_stdout(written):
        command.upgrade(config, "head", sql=True)
    connection.execute(written.getvalue().encode())
    assert [name for name, *_ in _collections(connection)] == ["notes", "posts"]


def test_what_no_statement_can_change_is_told(
    engine: Engine, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    connection.execute("select pgvec.create_collection('documents', 5, distance => 'l2')")
    connection.execute("select pgvec.create_collection('unmapped', 5)")
    with engine.connect() as other:
        context = MigrationContext.configure(other, opts={"include_object": orm.include_object})
        changes = compare_metadata(context, _metadata())
    assert ("create_pgvec_collection", "documents") not in changes
    assert [change for change in changes if "unmapped" in str(change)] == []
    assert ("adopt_pgvec_collection", "jobs") in changes
    assert "collection 'documents' has dimensions 5, its mapping says 3" in caplog.text


def test_without_the_engine_nothing_is_generated(empty_database: str, caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine(empty_database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": orm.include_object})
        changes = compare_metadata(context, _metadata())
    engine.dispose()
    assert [change for change in changes if "pgvec" in str(change[0])] == []
    assert "run pgvec-admin migrate first" in caplog.text


def test_what_is_unknown_cannot_be_reversed() -> None:
    with pytest.raises(ValueError, match="does not know how 'x' was made"):
        operations.DropCollection("x").reverse()
    made = operations.CreateCollection("x", 3)
    assert made.reverse().reverse() is made
