"""HTML, notebooks, Word and PDF as Markdown or text, by libraries of the extra `documents`."""

from __future__ import annotations

import io
import json
import logging
from importlib.util import find_spec
from typing import Any

from pgvec_admin.errors import UsageError

# what each format is read with; notebooks are JSON
NEEDS = {"html": ("markdownify",), "docx": ("mammoth", "markdownify"), "pdf": ("pypdf",), "ipynb": ()}
MARKDOWN = ("md", "html", "docx", "ipynb")  # what comes out of these has headings


def lacking(kind: str) -> bool:
    """Whether libraries are missing that a format is read with."""
    return any(find_spec(name) is None for name in NEEDS.get(kind, ()))


def converted(kind: str, data: bytes) -> tuple[str, str | None]:
    """The text of a file of one of the formats in NEEDS, and its title. ValueError where it cannot be read."""
    if lacking(kind):
        raise UsageError(
            f"reading .{kind} needs libraries that are not installed", "pip install 'pgvec-admin[documents]'"
        )
    try:
        return {"html": _html, "docx": _docx, "pdf": _pdf, "ipynb": _notebook}[kind](data)
    except Exception as error:  # damaged files raise anything, and whichever it is, the next file can be read
        raise ValueError(f"cannot be read as {kind}: {type(error).__name__}: {error}") from error


def _html(data: bytes | str) -> tuple[str, str | None]:
    from bs4 import BeautifulSoup
    from markdownify import MarkdownConverter

    page = BeautifulSoup(data, "html.parser")
    title = page.title.get_text(" ", strip=True) if page.title else None
    for part in page(["head", "script", "style", "noscript", "template", "nav", "svg", "iframe"]):
        part.decompose()
    text = MarkdownConverter(heading_style="ATX", bullets="-", strip=["img"]).convert_soup(page)
    return "\n".join(line.rstrip() for line in text.strip().splitlines()), title or None


def _docx(data: bytes) -> tuple[str, str | None]:
    import mammoth

    return _html(str(mammoth.convert_to_html(io.BytesIO(data)).value))


def _pdf(data: bytes) -> tuple[str, str | None]:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of what it repairs
    reader = PdfReader(io.BytesIO(data))
    title = reader.metadata.title if reader.metadata else None
    return "\n\n".join(page.extract_text() for page in reader.pages).replace("\x00", ""), title or None


def _notebook(data: bytes) -> tuple[str, str | None]:
    notebook: Any = json.loads(data)
    language = notebook.get("metadata", {}).get("language_info", {}).get("name", "python")
    parts = []
    for cell in notebook["cells"]:
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if source.strip():
            parts.append(f"```{language}\n{source}\n```" if cell["cell_type"] == "code" else source)
    return "\n\n".join(parts), None
