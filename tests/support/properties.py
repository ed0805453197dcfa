"""The number of examples of a property: few for a change; the full number with PGVEC_TEST_FULL=1."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FULL = os.environ.get("PGVEC_TEST_FULL") == "1"


def examples(count: int, for_a_change: int = 100) -> settings:
    """Settings of a property over a database, which one fixture holds for all examples."""
    return settings(
        max_examples=count if FULL else min(count, for_a_change),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
