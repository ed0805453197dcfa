"""Earlier releases, as the frozen files in tests/releases install them: their migrations stay as they were."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from pgvec_admin import migrations
from pgvec_admin.functions import normalised

RELEASES = sorted((Path(__file__).parent / "releases").glob("*.sql.gz"))


def bundle(path: Path) -> str:
    """The SQL of a release."""
    return gzip.decompress(path.read_bytes()).decode()


@pytest.mark.parametrize("path", RELEASES, ids=lambda path: path.name.removesuffix(".sql.gz"))
def test_a_released_migration_never_changes(path: Path) -> None:
    released = dict(re.findall(r"^select pg_temp\.apply_migration\('(.+?)', '([0-9a-f]{64})'", bundle(path), flags=re.M))
    assert "0001.engine" in released
    now = {found.stem: normalised(found)[1] for found in migrations.paths()}
    changed = [name for name, digest in released.items() if now.get(name) != digest]
    assert changed == [], "these are released: undo the change, and write a new migration that does what it was for"
