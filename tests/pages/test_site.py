"""Every command and output of README.md and of docs/, as a reader has them: in a shell, and on the site.

In a shell they run top to bottom, in an empty directory. On the site each block of SQL runs in Chromium, offline, in
the database as the commands before it left it in the shell: of one page for a change, of all in make test-full.
"""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from pages import PAGES, README, ROOT, Step, matches, steps_of
from properties import FULL
from runnable_pages import blocks_of, build
from sql_blocks import sql_of
from states import Recorder

pytestmark = pytest.mark.timeout(1800)  # whoever asks for the site alone runs most commands of all pages
WITH_COMMANDS = [page for page in PAGES if steps_of(page.read_text())]


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Quiet."""


class Pages(Recorder):
    """Runs a page once, for all tests."""

    def __init__(self) -> None:
        self._left: dict[str, dict[int, str]] = {}

    def states(self, text: str, steps: list[Step], sql: set[int], *, whole: bool = False) -> dict[int, str]:
        commands = "\n".join(step.command for step in steps)
        if whole or commands not in self._left:
            self._left[commands] = super().states(text, steps, sql, whole=whole)
        return self._left[commands]


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with Pages() as running:
        yield running


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_every_command_prints_what_the_page_says(page: Path, pages: Pages) -> None:
    text = page.read_text()
    steps = steps_of(text)
    assert len(steps) >= 5
    pages.states(text, steps, set(blocks_of(steps)), whole=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, pages: Pages) -> Path:
    """The site, as `make site` builds it."""
    return build(tmp_path_factory.mktemp("website"), pages)


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(site))) as served:
        threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """A page without a network but the site; anything that it asks for elsewhere, or complains of, is a fault."""
    opened = browser.new_page()
    said: list[str] = []

    def only_ours(route: Route) -> None:
        if route.request.url.startswith(url):
            route.continue_()
        else:
            said.append(route.request.url)
            route.abort()

    opened.route("**/*", only_ours)
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    opened.close()
    assert said == []


def _address(url: str, source: Path) -> str:
    return f"{url}/index.html" if source == README else f"{url}/{source.stem}.html"


# the others differ in their SQL, which psql has run
TRIED = [page for page in PAGES if FULL or page.name == "search.md"]


@pytest.mark.parametrize("source", TRIED, ids=lambda source: source.name)
def test_the_sql_of_a_page_prints_in_the_page_what_the_page_shows(page: Page, url: str, source: Path) -> None:
    text = source.read_text()
    page.goto(_address(url, source))
    commands = steps_of(text)
    heading = re.search(r"^# (.*)", text, flags=re.M)
    assert heading
    expect(page.locator("h1")).to_contain_text(heading[1].replace("`", ""))
    differing, ran = [], set()
    for place in page.locator(".run-sql").all():
        for number, printed in _run(place).items():
            ran.add(number)
            if not matches(commands[number].expected, printed):
                shown, told = "\n".join(commands[number].expected), "\n".join(printed)
                differing.append(f"$ {commands[number].command}\n--- page\n{shown}\n--- printed\n{told}")
    assert differing == [], "\n\n".join(differing)
    assert ran == {number for number, step in enumerate(commands) if re.search(r"\bpsql\b", step.command)}


def _run(place: Locator) -> dict[int, list[str]]:
    """Run a block; what it printed by the number of the command."""
    place.get_by_role("button", name="Run").click()
    expect(place.get_by_role("button", name="Run")).to_be_enabled(timeout=120_000)
    expect(place.locator("p")).to_have_text("")
    outputs = place.locator("output").all()
    return {int(one.get_attribute("data-number") or ""): (one.text_content() or "").splitlines() for one in outputs}


def test_a_block_prints_the_same_first_last_and_again(page: Page, url: str) -> None:
    page.goto(f"{url}/collections.html")
    first, second, *_, last = page.locator(".run-sql").all()
    alone = [_run(last), _run(second), _run(first)]
    assert [len(printed) for printed in alone] == [1, 2, 2]
    assert [_run(first), _run(second), _run(second), _run(last)] == [alone[2], alone[1], alone[1], alone[0]]


@pytest.mark.parametrize(
    "arguments", ["-f file.sql", "-x -c 'select 1'", "<<'END'\n\\d notes\nEND", "-o file -c 'select 1'"]
)
def test_a_command_of_psql_that_the_site_cannot_run_stops_the_build(arguments: str) -> None:
    with pytest.raises(ValueError, match="the site"):
        sql_of(f'psql "$PGVEC_DATABASE_URL" {arguments}')


# SQL that a page shows and cannot run, by its page, and why
SHOWN = {"supabase.md": ("cron.schedule", "pg_cron, pg_net and the vault are the platform's")}


def test_sql_is_shown_where_it_can_be_run() -> None:
    for source in (*PAGES, ROOT / "js" / "README.md", ROOT / "CHANGELOG.md"):
        for shown in re.findall(r"^```(?:sql|psql|plpgsql)\n(.*?)^```", source.read_text(), flags=re.S | re.M):
            assert source.name in SHOWN, f"{source.name}:\n{shown}"
            assert SHOWN[source.name][0] in shown


def test_every_page_is_in_the_navigation_and_every_link_leads_somewhere(site: Path) -> None:
    listed = (ROOT / "website" / "mkdocs.yml").read_text()
    assert [page.name for page in PAGES if not re.search(rf"[\[ ]{re.escape(page.name)}\b", listed)] == []
    broken = set()
    for built in site.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#?]+)', built.read_text()):
            if "://" not in link and not link.startswith(("data:", "mailto:")) and not (built.parent / link).exists():
                broken.add(f"{built.name}: {link}")
    assert {link for link in broken if not link.startswith("404.html")} == set()
