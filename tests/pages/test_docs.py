"""README.md and docs/ as a whole: nothing missing, no broken links. test_readme.py tests what they print."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from command import COMMANDS
from pages import PAGES, README, ROOT
from pgvec_admin.install import functions

SQL = "\n".join(file.read_text() for file in (ROOT / "sql").rglob("*.sql"))


def _prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.S | re.M)


def _links(page: Path) -> list[str]:
    """What a page links to or shows, except other sites."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", _prose(page)) if "://" not in link]


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ +(.*?) *$", _prose(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_and_picture_is_reached_from_the_readme() -> None:
    reached, ahead = {README}, [README]
    while ahead:
        page = ahead.pop()
        for link in _links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target not in reached and target.is_file():
                reached.add(target)
                if target.suffix == ".md":
                    ahead.append(target)
    assert {file.name for file in (ROOT / "docs").iterdir() if file not in reached} == set()


def test_every_command_is_named() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    assert [name for name in COMMANDS if not re.search(rf"pgvec-admin {name}\b", text)] == []


def test_every_command_that_is_named_is_one() -> None:
    groups = {" ".join(name.split()[:depth]) for name in COMMANDS for depth in range(1, len(name.split()))}
    unknown = set()
    for page in PAGES:
        for first, second in re.findall(r"`pgvec-admin ([a-z]+)(?: ([a-z-]*[a-z]))?", page.read_text()):
            if (f"{first} {second}" if first in groups and second else first) not in {*COMMANDS, *groups}:
                unknown.add(f"{page.name}: {first} {second}")
    assert unknown == set()


def test_the_reference_has_every_public_function_and_every_error() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text()
    public = {file.name.removeprefix("public.") for file in functions.files() if file.name.startswith("public.")}
    assert {name for name in public if f"`{name}" not in reference} == set()
    assert set(re.findall(r"'(PV\d{3})'", SQL)) <= set(re.findall(r"^\| (PV\d{3}) \|", reference, flags=re.M))


def test_what_pages_name_of_the_engine_is_there() -> None:
    known = {file.name for file in functions.files()}
    tables = set(
        re.findall(r"create (?:or replace )?(?:unlogged )?(?:table|view|type) (?:if not exists )?(pgvec\.\w+)", SQL)
    )
    for_jobs = {"pgvec.side_jobs", "pgvec.adopted_jobs"}  # made with a collection
    named = {name for page in PAGES for name in re.findall(r"\b(pgvec\.[a-z_]+)", _prose(page))}
    assert named - known - tables - for_jobs == set()


def test_the_readme_stays_short() -> None:
    assert len(README.read_text().splitlines()) < 200


def test_the_picture_is_well_formed_and_tells_what_it_shows() -> None:
    picture = ElementTree.parse(ROOT / "docs" / "architecture.svg").getroot()
    title = picture.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert f"![{title.text}](architecture.svg)" in (ROOT / "docs" / "architecture.md").read_text()
