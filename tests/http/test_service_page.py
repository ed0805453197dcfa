"""The search page of the service, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_postgresql.executors import NoopExecutor

import installation
from http_service import running
from openai_server import OpenAIServer
from pgvec_admin.api import Access, Settings
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.server import embedded

HOSTILE = "<img src=x onerror=\"document.title='taken'\"> pasta <b>raw</b> &lt;i&gt; &amp; <mark>no</mark>"


@pytest.fixture(scope="module")
def settings(server: embedded.Server, with_engine: NoopExecutor) -> Iterator[Settings]:
    """Three documents, which all tests here only read."""
    with (
        installation.created(server, "shown_by_the_service", with_engine.template_dbname) as made,
        OpenAIServer() as openai,
    ):
        database = installation.as_installer(made)
        with installation.connect(database) as connection:
            connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:stand-in')")
        told = Settings(database, provider=ProviderOptions(base_url=openai.url, api_key="k"))
        with running(told) as client:
            documents = [
                {"id": "nets", "content": "How neural networks learn", "metadata": {"lang": "en", "year": 2021}},
                {"id": "pasta", "content": "Cooking pasta at home", "metadata": {"lang": "it", "tags": ["food"]}},
                {"id": "hostile", "content": HOSTILE, "metadata": {"lang": "<i>en</i>"}},
            ]
            assert client.post("/documents", json=documents).status_code == 200
        yield told


@pytest.fixture
def service(settings: Settings) -> Iterator[httpx.Client]:
    with running(settings) as client:
        yield client


@pytest.fixture
def page(browser: Browser, service: httpx.Client) -> Iterator[Page]:
    """The page as it opens, on a phone; any message in its console is a fault."""
    opened = browser.new_page(viewport={"width": 390, "height": 800})
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(str(service.base_url))
    yield opened
    opened.close()
    assert [line for line in said if "422" not in line and "401" not in line] == []


def _ids(page: Page) -> list[str]:
    return page.locator("#results .id").all_text_contents()


def test_a_question_is_answered_by_the_keyboard_alone(page: Page) -> None:
    page.keyboard.type("pasta")  # the box has the focus
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("3 results in")
    assert set(_ids(page)) == {"nets", "pasta", "hostile"}
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#results li").nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.type("neural")
    page.keyboard.press("Tab")  # to the button
    page.keyboard.press("Tab")  # to the mode
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#status")).to_contain_text("1 result in")
    assert _ids(page) == ["nets"]


def test_words_are_marked_and_scores_are_bars(page: Page) -> None:
    page.fill("#query", "cooking pasta")
    page.check("[value=keyword]")
    expect(page.locator("#status")).to_contain_text("2 results in")
    rows = page.locator("#results li")
    expect(rows.first.locator("mark")).to_have_text(["Cooking", "pasta"])
    expect(rows.first.locator(".facts span")).to_have_text(["lang: it", 'tags: ["food"]'])
    bars = [float(bar.evaluate("bar => bar.value")) for bar in page.locator("#results meter").all()]
    assert bars[0] == 1.0
    assert 0 < bars[1] < 1
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#status")).to_contain_text("kept from before")


def test_what_is_stored_is_shown_as_text(page: Page) -> None:
    page.fill("#query", "pasta")
    page.check("[value=keyword]")
    row = page.locator("#results li", has=page.locator(".id", has_text="hostile"))
    expect(row.locator(".text")).to_have_text(HOSTILE)
    expect(row.locator("mark")).to_have_text(["pasta"])
    assert row.locator("img, b, i").count() == 0
    assert page.title() == "Search"


def test_a_filter_narrows_and_a_broken_one_is_explained(page: Page) -> None:
    page.fill("#query", "pasta")
    page.click("summary")
    page.fill("#filter", json.dumps({"year": {"$gte": 2020}}))
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#status")).to_contain_text("1 result in")
    assert _ids(page) == ["nets"]
    page.fill("#filter", "{lang}")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#status")).to_contain_text("The filter is not JSON")
    expect(page.locator("#filter")).to_be_focused()
    page.fill("#filter", '{"year": {"$near": 2020}}')
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#status")).to_contain_text("unknown filter operator $near: operators: $eq")
    assert _ids(page) == []


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_is_cut_off(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.fill("#query", "pasta")
    page.click("summary")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#status")).to_contain_text("3 results in")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_key_is_asked_for_and_kept_in_the_tab(browser: Browser, settings: Settings) -> None:
    with running(Settings(settings.conninfo, access=Access(keys=frozenset({"a key of sixteen or more"})))) as client:
        page = browser.new_page()
        page.goto(str(client.base_url))
        page.fill("#query", "pasta")
        page.check("[value=keyword]")
        expect(page.locator("#status")).to_have_text("not signed in: send X-API-Key: <key>")
        page.click("summary")
        page.fill("#key", "a key of sixteen or more")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("#status")).to_contain_text("2 results in")
        page.reload()
        page.fill("#query", "pasta")
        page.check("[value=keyword]")
        expect(page.locator("#status")).to_contain_text("2 results in")
        page.close()


def test_the_interface_is_shown_from_here_alone(browser: Browser, service: httpx.Client) -> None:
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{service.base_url}/docs")
    expect(page.locator(".opblock-summary-path", has_text="/search").first).to_be_visible()
    page.locator("#operations-service-health_health_get").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_have_text("200")
    page.close()
    assert said == []
    assert [url for url in asked if not url.startswith((str(service.base_url), "data:", "blob:"))] == []
    policy = service.get("/docs").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    assert "https://" not in service.get("/docs").text
