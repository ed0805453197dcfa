"""Matches a resume against an existing table of jobs: the table stays as it is, and becomes searchable.

pip install 'pgvec-admin[local]'
pgvec-admin migrate
python resumes.py
"""

from __future__ import annotations

import os

import psycopg

from pgvec_admin import providers
from pgvec_admin.embedding import embed
from pgvec_admin.engine import collections
from pgvec_admin.engine.search import vector_literal

JOBS = """
create table jobs (
  id bigint generated always as identity primary key,
  title text not null,
  description text not null,
  city text,
  salary int
);
insert into jobs (title, description, city, salary)
values ('Database engineer', 'You tune PostgreSQL, design schemas and indexes, and read query plans.', 'Berlin', 85000),
       ('Pastry chef', 'You bake bread, cakes and croissants for a small bakery.', 'Lyon', 38000),
       ('Backend developer', 'You build web services in Python, on a relational database.', 'Berlin', 70000),
       ('Nurse', 'You care for patients on a ward for internal medicine.', 'Berlin', 48000);
"""
RESUME = "Ten years with relational databases: replication, slow queries, migrations of large tables. Some Python."


def main() -> None:
    model = providers.provider("local:all-MiniLM-L6-v2")
    with psycopg.connect(os.environ["PGVEC_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(JOBS)
        collections.adopt(connection, "public.jobs", content=["title", "description"], model=model.spec, dimensions=384)
        embed.embed(connection, "jobs", model)
        matches = connection.execute(
            "select content, metadata ->> 'salary', similarity from match_documents(%s, 2, %s, collection => 'jobs')",
            (vector_literal(model.embed_query(RESUME)), '{"city": "Berlin", "salary": {"$gte": 60000}}'),
        )
        for content, salary, similarity in matches:
            print(f"{similarity:.2f}  {salary}  {content.splitlines()[0]}")  # noqa: T201


if __name__ == "__main__":
    main()
