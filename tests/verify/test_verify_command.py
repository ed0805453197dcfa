"""What the command says of the checks, its page with pictures, and the measures in them."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from damage import damage, fill, known
from playwright.sync_api import Browser

import installation
from command import COMMAND, in_process
from conftest import copied, filled
from pgvec_admin.database import Target
from pgvec_admin.quality import report, verification
from pgvec_admin.quality.verification import Check, Options

with_collections = filled("verified_by_the_command", fill)
verified = copied("with_collections")


@pytest.fixture
def where(verified: str) -> Target:
    """A database with three collections in which verify finds nothing."""
    return Target(verified, "the test")


def test_a_page_leaves_out_pictures_that_take_too_long(where: Target, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    checks = [Check("documents", "recall", "ok", "recall@10 1.000")]
    report.write(page, where, checks, Options(timeout=0.001))
    assert "<p>no pictures: canceling statement due to statement timeout</p>" in page.read_text()


def _command(where: Target, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "verify", "--database-url", where.conninfo, "--seconds", "0.1", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def _again(where: Target, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As `_command`, in this process."""
    return in_process("verify", "--database-url", where.conninfo, "--seconds", "0.1", *arguments)


def test_the_command_tells_fails_repairs_and_writes_junit(where: Target, tmp_path: Path) -> None:
    told = sum(known(check) for check in verification.run(where, Options(("pgvector",))))
    fine = _command(where, "--tenants")
    assert fine.returncode == 0, fine
    assert re.search(rf"\d+ checks in \d+ s: \d+ ok, {told} to look at", fine.stderr)
    assert re.search(r"two made-up tenants.+by 32 paths", fine.stdout, re.DOTALL)  # wrapped where there are hints
    damage(where, "grant select on documents to public", "alter table documents disable row level security")
    file = tmp_path / "verify.xml"
    broken = _command(where, "--json", "--junit", str(file))
    assert broken.returncode == 4
    assert "error: privileges, grants: public.documents is for PUBLIC: select, and 1 more" in broken.stderr
    assert "hint: revoke all on ... from public" in broken.stderr
    found = [one for one in json.loads(broken.stdout)["checks"] if one["result"] != "ok"][told:]
    assert [(one["area"], one["check_name"]) for one in found] == [("privileges", "grants"), ("documents", "rls")]
    suites = ET.parse(file).getroot()
    failures = {case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None}
    assert failures == {"grants", "rls"}
    assert {suite.get("name"): suite.get("failures") for suite in suites}["documents"] == "1"
    repaired = _again(where, "--fix")
    assert repaired.returncode == 0, repaired
    assert "revoke all on table public.documents from public;" in repaired.stderr
    assert "alter table public.documents enable row level security;" in repaired.stderr
    assert f"repaired 2 of {2 + told}; checking again" in repaired.stderr


def test_a_warning_is_told_and_does_not_fail(where: Target) -> None:
    damage(where, "update documents set embedding = null where id = '1'")
    ran = _command(where, "--only", "rows")
    assert ran.returncode == 0
    assert "300 rows, 1 without embedding, 0 stale" in ran.stdout
    assert "pgvec-admin embed --collection documents" in ran.stdout
    assert "2 ok, 1 to look at" in ran.stderr
    ran = _again(where, "--only", "rows", "--fix")
    assert ran.returncode == 0
    assert "nothing that can be repaired without a decision of yours" in ran.stderr


def test_a_database_without_the_engine_says_what_to_do(empty_database: str) -> None:
    ran = _command(Target(empty_database, "the test"))
    assert ran.returncode == 4
    assert "error: migrations, migrations: the engine is not installed" in ran.stderr
    assert "hint: pgvec-admin migrate" in ran.stderr


def test_the_page_shows_checks_and_pictures_on_a_phone_and_on_a_desktop(
    where: Target, tmp_path: Path, browser: Browser
) -> None:
    damage(
        where,
        "update documents set embedding = null where id = '1'",
        "create function pgvec.\"<b>bold</b>\"() returns int language sql as 'select 1'",
    )
    file = tmp_path / "verify.html"
    assert _command(where, "--html", str(file), "--seconds", "0.5").returncode == 4
    for width in (360, 1280):
        _shown(browser, file, width)


def _shown(browser: Browser, file: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert asked == [file.as_uri()]  # all of it is in the file
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    headings = page.locator("h2").all_inner_texts()
    assert headings[0] == "To look at"
    assert headings[-3:] == ["documents", "jobs", "notes"]
    to_look_at = page.locator("table").first
    assert to_look_at.locator("tr.warn").filter(has_text="300 rows, 1 without embedding").count() == 1
    assert to_look_at.locator("tr.fail").filter(has_text="<b>bold</b>").count() >= 1
    assert page.locator("b", has_text="bold").count() == 0
    pictures = page.locator(".pictures").first
    assert pictures.locator("svg").count() == 2
    assert [box["width"] > 200 for svg in pictures.locator("svg").all() if (box := svg.bounding_box())] == [True, True]
    assert "documents_embedding_idx" in pictures.inner_text()
    page.close()


def test_the_curve_of_an_index_grows_to_all_rows(where: Target) -> None:
    damage(where, "select pg_temp.add_rows(3000)")
    with installation.connect(where.conninfo) as connection:
        rows = connection.execute(
            "select setting, value, recall, p50_ms <= p95_ms from pgvec.recall_curve('documents')"
        )
        curve = rows.fetchall()
        assert connection.execute("select from pgvec.recall_curve('notes')").fetchall() == []
        assert connection.execute("select from pgvec.recall_curve('jobs')").fetchall() == []
        similarities = connection.execute(
            "select kind, count(*), avg(similarity) from pgvec.sample_similarities('documents', 50)"
            " group by kind order by kind"
        ).fetchall()
    assert [row[:2] for row in curve] == [("ef_search", value) for value in (10, 20, 40, 80, 160, 320, 640)]
    assert all(ordered for _, _, _, ordered in curve)
    assert curve[-1][2] >= max(0.99, curve[0][2])
    (apart, pairs, of_any), (nearest, neighbours, of_nearest) = similarities
    assert (apart, pairs, nearest, neighbours) == ("any", 49, "nearest", 500)
    assert of_nearest > of_any
