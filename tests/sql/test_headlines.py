"""Headlines are HTML in which nothing but the marks is markup, whatever the text and whoever wrote it."""

from __future__ import annotations

from html.parser import HTMLParser

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_postgresql.factories import postgresql

from conftest import Connection, filled
from properties import examples

HOSTILE = [
    "<img src=x onerror=alert(1)> fish",
    "fish <script>alert(1)</script>",
    "fish</mark><script>alert(1)</script><mark>",
    "<mark>fish</mark> <mark onclick=alert(1)>",
    '<a href="javascript:alert(1)">fish</a>',
    "fish <svg/onload=alert(1)>",
    "<scr<script>ipt>fish</script> fish",
    "&lt;b&gt;fish&lt;/b&gt; &amp; &#60;i&#62; &quot;",
    "\"fish\" onmouseover=\"alert(1)\" 'fish' onfocus='alert(1)'",
    "<!-- fish --> <![CDATA[ fish ]]> <?php fish ?> <!DOCTYPE fish>",
    "fish < 3 && 4 > fish, \N{FULLWIDTH LESS-THAN SIGN}b\N{FULLWIDTH GREATER-THAN SIGN}",
    "fish \x01<b>\x02 \x01\x02 \x02\x01<i>",
    "<b>fish</b>" * 200,
    "<p onclick='x'>" + "many other words " * 60 + "fish <u>and</u> chips <iframe src=//x> " + "more of them " * 60,
    "<" * 300 + "fish" + ">" * 300 + " fish",
    "<img src=x onerror=alert(1) " * 40 + "fish",
    "fish https://x.example/?a=<b>&c=\"'> fish@example.com/<i>x</i> /usr/<u>",
    "<textarea><style>fish</style><title><noscript><plaintext>fish",
]


class Parsed(HTMLParser):
    """The elements of a piece of HTML with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.marked: list[str] = []
        self.text = ""
        self._open = 0
        self.feed(html)
        self.close()
        assert self._open == 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(" ".join([tag, *(name for name, _ in attrs)]))
        self.marked.append("")
        self._open += 1

    def handle_endtag(self, tag: str) -> None:
        self._open -= 1

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open:
            self.marked[-1] += data

    def handle_comment(self, data: str) -> None:
        self.elements.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.elements.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.elements.append("instruction")

    def unknown_decl(self, data: str) -> None:
        self.elements.append("declaration")


FILL = """
select pgvec.create_collection('documents', 2);
create table jobs (id int primary key, title text, embedding extensions.vector(2));
create table crates (id int primary key, title text, embedding extensions.vector(2));
select pgvec.adopt_collection('jobs', 'public.jobs', content_columns => '{title}');
select pgvec.adopt_collection('crates', 'public.crates', content_columns => '{title}', add_columns => true);
"""


def _fill(connection: Connection) -> None:
    connection.execute(FILL)
    for number, text in enumerate(HOSTILE):
        connection.execute("insert into documents (id, content) values (%s, %s)", (str(number), text))
        for table in ("jobs", "crates"):
            connection.execute(f"insert into {table} (id, title) values (%s, %s)".encode(), (number, text))


with_texts = filled("headlines", _fill)
database = postgresql("with_texts")


@pytest.mark.parametrize("collection", ["documents", "jobs", "crates"])
def test_nothing_in_a_text_becomes_markup(database: Connection, collection: str) -> None:
    rows = database.execute(
        "select k.id, k.content, k.headline from keyword_search('fish', 100, collection => %s, highlight => true) as k",
        (collection,),
    ).fetchall()
    assert {row[0] for row in rows} == {str(number) for number in range(len(HOSTILE))}
    for _, content, headline in rows:
        shown = Parsed(headline)
        assert set(shown.elements) == {"mark"}, content
        assert set(shown.marked) == {"fish"}
        if len(content) <= 200:
            assert shown.text == _without_control(content)


def _without_control(text: str) -> str:
    return text.replace("\x01", "").replace("\x02", "")


def test_what_a_browser_parses_is_the_text(database: Connection) -> None:
    headline = database.execute(
        "select headline from keyword_search('fish', 100, highlight => true) where id = '0'"
    ).fetchone()
    assert headline == ("&lt;img src=x onerror=alert(1)&gt; <mark>fish</mark>",)


def test_marks_are_the_callers(database: Connection) -> None:
    search = "select headline from keyword_search('fish', 100, highlight => true, mark_start => %s, mark_stop => %s)"
    for start, stop in (("**", "**"), ('<b class="hit">', "</b>"), ("", ""), ("\\1", "\\2"), ("&", "\x01")):
        rows = database.execute(f"{search} where id = '1'".encode(), (start, stop)).fetchall()
        assert rows == [(f"{start}fish{stop} &lt;script&gt;alert(1)&lt;/script&gt;",)], start
    assert database.execute(f"{search} where id = '1'".encode(), (None, None)).fetchone() == (
        "<mark>fish</mark> &lt;script&gt;alert(1)&lt;/script&gt;",
    )
    for marks in (("x" * 101, ""), ("", "x" * 101)):
        with pytest.raises(psycopg.Error, match="is longer than 100 characters") as caught, database.transaction():
            database.execute(search.encode(), marks)
        assert caught.value.sqlstate == "PV004"


@examples(200, for_a_change=50)
@given(
    parts=st.lists(
        st.sampled_from(
            ["fish", "<", ">", "&", '"', "'", "</mark>", "<mark>", "<b ", "amp;", " ", "x" * 30, "\x01", "\x02"]
        )
        | st.text(max_size=5),
        max_size=30,
    )
)
def test_any_text_is_shown_as_it_is(database: Connection, parts: list[str]) -> None:
    text = "".join(parts).replace("\x00", "")
    text = text.encode("utf-8", "ignore").decode()
    row = database.execute(
        "select pgvec.headline('english', %(text)s, 'fish'), length(%(text)s) ",
        {"text": text},
    ).fetchone()
    assert row is not None
    shown = Parsed(row[0])
    assert set(shown.elements) <= {"mark"}
    if row[1] <= 200:
        assert shown.text == _without_control(text)
