"""pgvec-admin verify: does what is installed do what it should?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin import database, migrate, verification
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
      pgvec-admin verify
      pgvec-admin verify --tenants
    """
    where = open_target(database_url)
    problems = migrate.status(where).problems()
    if problems:
        raise CheckFailedError("; ".join(problems), "pgvec-admin migrate")
    with database.connect(where, autocommit=True) as connection:
        checks = verification.catalog(connection)
        attempts = verification.tenants(connection) if tenants else []
    if as_json:
        print_json({"checks": [asdict(one) for one in checks], "attempts": [asdict(one) for one in attempts]})
    else:
        print_table(
            ["check", "object", "result"], [[one.check_name, one.object or "", one.found or "ok"] for one in checks]
        )
        if attempts:
            print_table(
                ["role", "attempt", "result"],
                [[one.role_name, one.attempt, "kept out" if one.passed else one.detail] for one in attempts],
            )
    found = [one for one in checks if one.found]
    if found:
        raise CheckFailedError(
            f"{found[0].object} {found[0].found}" + (f", and {len(found) - 1} more" if len(found) > 1 else ""),
            found[0].hint,
        )
    failed = [one for one in attempts if not one.passed]
    if failed:
        raise CheckFailedError(
            f"{len(failed)} of {len(attempts)} attempts were not kept out",
            "look for grants, policies and functions that were changed: pgvec-admin status, \\dp in psql",
        )
    if attempts:
        say(f"kept out of all {len(attempts)}")
