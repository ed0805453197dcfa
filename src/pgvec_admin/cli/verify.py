"""pgvec-admin verify: does what is installed do what it should?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin import database, migrate
from pgvec_admin import tenants as tenancy
from pgvec_admin.cli.output import DatabaseUrl, Json, open_target, print_json, print_table, say
from pgvec_admin.errors import CheckFailedError


def verify(
    tenants: Annotated[
        bool, typer.Option("--tenants", help="Try, as each role and two made-up tenants, to see what it must not.")
    ] = False,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Check that what is installed is what it should be; exit with 4 where it is not.

    Example:

    \b
      pgvec-admin verify --tenants
    """
    where = open_target(database_url)
    problems = migrate.status(where).problems()
    if problems:
        raise CheckFailedError("; ".join(problems), "pgvec-admin migrate")
    if not tenants:
        say("migrations and functions are those of this release")
        return
    with database.connect(where, autocommit=True) as connection:
        attempts = tenancy.verify(connection)
    if as_json:
        print_json([asdict(one) for one in attempts])
    else:
        print_table(
            ["role", "attempt", "result"],
            [[one.role_name, one.attempt, "kept out" if one.passed else one.detail] for one in attempts],
        )
    failed = [one for one in attempts if not one.passed]
    if failed:
        raise CheckFailedError(
            f"{len(failed)} of {len(attempts)} attempts were not kept out",
            "look for grants, policies and functions that were changed: pgvec-admin status, \\dp in psql",
        )
    say(f"kept out of all {len(attempts)}")
