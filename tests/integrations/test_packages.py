"""The packages in integrations: their pages, their versions, and what they have in common."""

# ruff: noqa: E501 - tables of others read better with a statement a line
from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from assemble import staged

import console
from installation import Connection
from pages import ROOT, steps_of
from pgvec_admin import __version__

PACKAGES = sorted(path.parent for path in (ROOT / "integrations").glob("*/pyproject.toml"))
SOURCES = {package.name: package / "src" / package.name.replace("-", "_") for package in PACKAGES}


def test_there_are_two() -> None:
    assert list(SOURCES) == ["langchain-pgvec", "llama-index-pgvec"]


def test_they_call_the_functions_by_the_same_file() -> None:
    texts = {(source / "_database.py").read_text() for source in SOURCES.values()}
    assert len(texts) == 1


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_commands_of_its_page_print_what_it_says(package: Path, empty_database: str, tmp_path: Path) -> None:
    text = (package / "README.md").read_text()
    assert len(steps_of(text)) >= 3
    source = str(package / "src")
    console.run(text, tmp_path, console.environment(PGVEC_DATABASE_URL=empty_database) | _with_path(source))


def _with_path(source: str) -> dict[str, str]:
    return {"PYTHONPATH": f"{source}:{os.environ.get('PYTHONPATH', '')}", "PYTHONWARNINGS": "ignore"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_links_of_its_page_lead_somewhere(package: Path) -> None:
    for link in re.findall(r"\]\((\.[^)#]+)", (package / "README.md").read_text()):
        assert (package / link).exists(), link


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_its_wheel_has_its_modules_and_the_version_of_the_release(package: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, staged(package, tmp_path)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob(f"*-{__version__}-*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = SOURCES[package.name]
    assert names == {f"{source.name}/{path.name}" for path in source.iterdir() if path.suffix in (".py", ".typed")}


# tables as the stores that people come from make them, with two rows in each
OLD_TABLES = """
create table your_table (langchain_id uuid primary key, content text not null, embedding extensions.vector(8) not null, langchain_metadata json);
insert into your_table select gen_random_uuid(), 'chunk ' || i, array_fill(i, array[8])::extensions.vector, json_build_object('lang', 'en') from generate_series(1, 2) as i;
create table langchain_pg_collection (uuid uuid primary key, name varchar not null unique, cmetadata json);
create table langchain_pg_embedding (id varchar primary key, collection_id uuid references langchain_pg_collection, embedding extensions.vector, document varchar, cmetadata jsonb);
insert into langchain_pg_collection values (gen_random_uuid(), 'your_collection'), (gen_random_uuid(), 'another');
insert into langchain_pg_embedding
select c.name || i, c.uuid, array_fill(i, array[8])::extensions.vector, 'chunk ' || i, case i when 1 then jsonb '{"lang": "en"}' end
  from langchain_pg_collection as c, generate_series(1, 2) as i;
create table data_your_table (id bigserial primary key, text varchar not null, metadata_ json, node_id varchar, embedding extensions.vector(8));
insert into data_your_table (text, metadata_, node_id, embedding)
select 'chunk ' || i, json_build_object('lang', 'en', 'ref_doc_id', 'a.md'), 'node' || i, array_fill(i, array[8])::extensions.vector from generate_series(1, 2) as i;
create schema vecs;
create table vecs.your_collection (id varchar primary key, vec extensions.vector(8) not null, metadata jsonb not null default '{}');
insert into vecs.your_collection
select 'vecs' || i, array_fill(i, array[8])::extensions.vector, jsonb_build_object('text', 'chunk ' || i, 'lang', 'en', 'ref_doc_id', 'a.md') from generate_series(1, 2) as i;
"""


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_rows_of_other_stores_move_by_the_sql_of_its_page(package: Path, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 8)")
    connection.execute(OLD_TABLES)
    (block,) = re.findall(r"```sql\n(.*?)```", (package / "README.md").read_text(), flags=re.S)
    statements = [one for one in block.split(";") if one.strip()]
    assert len(statements) == 2
    for statement in statements:
        connection.execute("delete from documents")
        assert connection.execute(statement.encode()).rowcount == 2
        rows = connection.execute(
            "select content, metadata ->> 'lang', embedding is not null from documents order by content"
        ).fetchall()
        assert [(row[0], row[2]) for row in rows] == [("chunk 1", True), ("chunk 2", True)]
        assert rows[0][1] == "en"
        assert connection.execute("select count(*) from keyword_search('chunk', 5)").fetchone() == (2,)
        nearest = "select count(*) from match_documents('[1,1,1,1,1,1,1,1]', 5)"
        assert connection.execute(nearest.encode()).fetchone() == (2,)
