"""The documentation as a site: each block of SQL runs in Chromium and prints what its page shows, offline."""

from __future__ import annotations

import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pages import PAGES, README, ROOT, matches, steps_of

BLOCK = re.compile(r"^```console\n.*?^```\n", flags=re.S | re.M)
# How many commands of psql run in each page; the others need files or a command of pgvec-admin that is more than SQL.
RUN = {"README.md": 2, "search.md": 12, "security.md": 3, "verify.md": 3, "versions.md": 2, "collections.md": 4}


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make site` builds it."""
    folder = tmp_path_factory.mktemp("website")
    subprocess.run([sys.executable, ROOT / "website" / "build.py", folder], check=True, stdout=subprocess.PIPE)
    return folder / "site"


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


@pytest.mark.parametrize("source", PAGES, ids=lambda source: source.name)
def test_the_sql_of_a_page_prints_in_the_page_what_the_page_shows(page: Page, url: str, source: Path) -> None:
    text = source.read_text()
    page.goto(_address(url, source))
    blocks = [steps_of(block) for block in BLOCK.findall(text)]
    heading = re.search(r"^# (.*)", text, flags=re.M)
    assert heading
    expect(page.locator("h1")).to_contain_text(heading[1].replace("`", ""))
    differing, ran = [], 0
    for place in page.locator(".run-sql:not([hidden])").all():
        place.get_by_role("button", name="Run").click()
        expect(place.get_by_role("button", name="Run")).to_be_enabled(timeout=120_000)
        expect(place.locator("p")).to_have_text("")
        block = blocks[int(place.get_attribute("data-block") or "")]
        for output in place.locator("output").all():
            step = block[int(output.get_attribute("data-place") or "")]
            printed = (output.text_content() or "").splitlines()
            ran += 1
            if not matches(step.expected, printed):
                differing.append(
                    f"$ {step.command}\n--- page\n" + "\n".join(step.expected) + "\n--- printed\n" + "\n".join(printed)
                )
    assert differing == [], "\n\n".join(differing)
    assert ran >= RUN.get(source.name, 0)


def test_every_page_is_in_the_navigation_and_every_link_leads_somewhere(site: Path) -> None:
    listed = (ROOT / "website" / "mkdocs.yml").read_text()
    assert [page.name for page in PAGES if not re.search(rf"[\[ ]{re.escape(page.name)}\b", listed)] == []
    broken = set()
    for built in site.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#?]+)', built.read_text()):
            if "://" not in link and not link.startswith(("data:", "mailto:")) and not (built.parent / link).exists():
                broken.add(f"{built.name}: {link}")
    assert {link for link in broken if not link.startswith("404.html")} == set()
