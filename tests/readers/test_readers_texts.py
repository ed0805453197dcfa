"""Reading texts, Markdown and documents of other kinds."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from pathlib import Path

import pytest

from pgvec_admin.loading.records import BadRow
from reading import Read, only, reader, reason


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


def test_a_text_is_one_document_with_its_path_and_title(read: Read) -> None:
    found = only(read("leave.md", "intro\n\n# All about *leave* ##\n\ntext\n"))
    assert found.content.startswith("intro")
    assert (found.id, found.source, found.metadata["title"]) == (None, found.metadata["path"], "All about *leave*")
    assert only(read("plain.txt", "# no title in plain text")).metadata.keys() == {"path"}


def test_front_matter_is_metadata_and_no_title_is_taken_from_a_code_block(read: Read) -> None:
    text = "---\ntitle: On leave\ndate: 2020-01-02\nat: 12:30\ntags: [a, {b: no}]\npath: elsewhere\n---\n\n# Leave\n"
    for data in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        found = only(read("leave.md", data))
        assert found.content.strip() == "# Leave"
        assert found.metadata == {
            "title": "On leave",
            "date": "2020-01-02",
            "at": "12:30",
            "tags": ["a", {"b": "no"}],
            "path": found.source,
        }
    assert only(read("a.md", "+++\ntitle = 'T'\nn = 1\n+++\ntext")).metadata.items() >= {"title": "T", "n": 1}.items()
    assert only(read("a.md", "---\ntitle: Notes: one\n---\ntext")).metadata["title"] == "Notes: one"
    assert only(read("a.md", "---\ntags: [x]\n---\nSet\nunderlined\n===\n")).metadata["title"] == "Set underlined"
    for text in ("```sh\n# comment\n```\n\n# Title\n", "    # code\n\n# Title", "<!--\n# hidden\n-->\n\n# Title ##\n"):
        assert only(read("a.md", text)).metadata["title"] == "Title"
    assert only(read("a.md", "---\nno front matter\n---\n")).content == "---\nno front matter\n---\n"
    assert only(read("a.md", "---\ntitle: Alone\n---\n")).content == "---\ntitle: Alone\n---\n"
    # one that repeats itself a billion times is left as it is written
    names = "abcdefghi"
    bomb = "a: &a [x, x]\n"
    for before, name in itertools.pairwise(names):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    assert len(str(only(read("a.md", f"---\n{bomb}---\ntext")).metadata)) < 1000
    assert reason(read("a.md", '---\ntitle: "\\0"\n---\ntext')) == (
        1,
        "front matter: title holds a NUL character, which Postgres cannot store",
    )


def test_a_text_that_cannot_be_stored_is_told_with_its_line(read: Read) -> None:
    assert reason(read("a.txt", b"one\ntwo \xff\n")) == (2, "not UTF-8: byte 0xff at offset 8")
    assert reason(read("a.txt", b"one\ntwo\nth\x00ree")) == (3, "a NUL character, which Postgres cannot store")
    assert reason(read("a.txt", b" \n")) == (1, "empty")


def minimal_pdf(text: str) -> bytes:
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(out),
    )


def minimal_docx(*paragraphs: tuple[str, str]) -> bytes:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
        for style, text in paragraphs
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName='
            '"/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.'
            'document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r"'
            ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
            ' Target="word/document.xml"/></Relationships>',
        )
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>')
    return made.getvalue()


OTHERS = {
    "page.html": (
        b"<html><head><title>On leave</title><style>p {}</style></head><body><nav>menu</nav><h1>Leave</h1>"
        b"<p>Thirty <b>days</b>.</p><script>1</script></body></html>",
        "# Leave\n\nThirty **days**.",
        "On leave",
    ),
    "notes.ipynb": (
        json.dumps(
            {
                "cells": [
                    {"cell_type": "markdown", "source": ["# Leave\n", "Thirty days."]},
                    {"cell_type": "code", "source": "# no heading\n1 + 1", "outputs": [{"text": "2"}]},
                ]
            }
        ).encode(),
        "# Leave\nThirty days.\n\n```python\n# no heading\n1 + 1\n```",
        "Leave",
    ),
    "letter.docx": (minimal_docx(("Heading1", "Leave"), ("", "Thirty days.")), "Thirty days.", None),
    "paper.pdf": (minimal_pdf("Thirty days of leave."), "Thirty days of leave.", None),
    "page.mdx": (b"import X from 'x'\n\n# Leave\n\n<X/>", "import X from 'x'\n\n# Leave\n\n<X/>", "Leave"),
    "page.rst": (b"Leave\n=====\n\nThirty days.", "Leave\n=====\n\nThirty days.", None),
}


@pytest.mark.parametrize("name", OTHERS)
def test_documents_of_other_kinds_become_texts(read: Read, name: str) -> None:
    data, text, title = OTHERS[name]
    found = only(read(name, data))
    assert text in found.content
    assert found.metadata.get("title") == title or name == "letter.docx"
    if name == "page.html":
        assert found.content == text


@pytest.mark.parametrize("name", ["page.ipynb", "letter.docx", "paper.pdf"])
def test_a_damaged_document_is_told_and_no_more(read: Read, name: str) -> None:
    for data in (b"", b"\x00\xff nothing of the kind", OTHERS.get(name, (b'{"cells": 5}',))[0][:300]):
        (bad,) = read(name, data)
        assert isinstance(bad, BadRow)
        assert bad.reason.startswith(f"cannot be read as {name.partition('.')[2]}")
    if name.endswith("pdf"):
        assert reason(read(name, minimal_pdf(""))) == (1, "it holds no text: is it a scan?")
