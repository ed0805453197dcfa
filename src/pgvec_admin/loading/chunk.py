"""Cutting texts into chunks, along their own structure, by semantic-text-splitter."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from pgvec_admin.errors import UsageError
from pgvec_admin.loading.records import BadRow, Document, Record

Unit = Literal["characters", "tokens"]

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")


@dataclass(frozen=True)
class Chunking:
    """How texts are cut: the largest chunk, and its overlap with the one before, in characters or `model`'s tokens.

    Raises UsageError for a size below 1, or an overlap that is not below the size.
    """

    size: int = 1000
    overlap: int = 100
    unit: Unit = "characters"
    model: str | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(f"a chunk cannot have {self.size} {self.unit}", "at least 1; 1000 characters are usual")
        if not 0 <= self.overlap < self.size:
            raise UsageError(
                f"chunks of {self.size} {self.unit} cannot overlap by {self.overlap}",
                "by less than their size; a tenth of it is usual",
            )


@dataclass(frozen=True)
class Chunk:
    """A piece of a text: `text` is `document[start:start + len(text)]`, `heading` the headings above it (`A > B`)."""

    text: str
    start: int
    heading: str | None = None


class Chunker:
    """Cuts texts, or Markdown along its headings, lists and code blocks."""

    def __init__(self, chunking: Chunking, *, markdown: bool) -> None:
        self._markdown = markdown
        kind = MarkdownSplitter if markdown else TextSplitter
        size, overlap = chunking.size, chunking.overlap
        self._splitter: MarkdownSplitter | TextSplitter
        if chunking.unit == "characters":
            self._splitter = kind(size, overlap)
            return
        name, _, model = (chunking.model or "").partition(":")
        if name == "local":
            from pgvec_admin.providers.local import tokenizer

            self._splitter = kind.from_huggingface_tokenizer(tokenizer(model), size, overlap)
        elif name == "openai":
            try:
                self._splitter = kind.from_tiktoken_model(model, size, overlap)
            except Exception as error:  # the library has no specific class for an unknown model
                raise UsageError(
                    f"the tokens of {model!r} cannot be counted here", "count in characters: --chunk-unit characters"
                ) from error
        else:
            raise UsageError(
                "tokens are those of a model, and the collection is bound to none",
                "count in characters, or create the collection with --model",
            )

    def chunks(self, text: str) -> list[Chunk]:
        """The chunks of a text, in order; none is blank."""
        headings = _headings(text) if self._markdown else []
        starts = [start for start, _ in headings]
        found = []
        for start, piece in self._splitter.chunk_indices(text):
            if piece.strip():
                place = bisect_right(starts, start)
                found.append(Chunk(piece, start, headings[place - 1][1] if place else None))
        return found


def records(document: Document, chunker: Chunker | None, *, source: str, index: int) -> list[Record] | BadRow:
    """The rows of a document: one, or one a chunk.

    A document with an id keeps it, and its chunks are numbered below it (`id#0`, `id#1`, ...). One without an id is
    part of `source`, whose rows are numbered from `index` on.
    """
    if chunker is None:
        id_, place = (document.id, None) if document.id is not None else (f"{source}#{index}", index)
        whole = Record(id_, document.content, document.metadata, source, place, document.embedding, document.line)
        return [whole]

    pieces = chunker.chunks(document.content)
    if document.embedding is not None and len(pieces) > 1:
        return BadRow(
            document.line,
            f"its embedding is of the whole text, which would be cut into {len(pieces)} chunks; use --no-chunk",
            {"id": document.id, "content": document.content, "metadata": document.metadata},
        )
    own, first = (source, index) if document.id is None else (document.id, 0)
    return [
        Record(
            f"{own}#{place}",
            piece.text,
            document.metadata | ({"heading": piece.heading} if piece.heading else {}),
            own,
            place,
            document.embedding,
            document.line,
        )
        for place, piece in enumerate(pieces, first)
    ]


def _headings(text: str) -> list[tuple[int, str]]:
    """Where each heading of a Markdown text begins, with its path (`Leave > Holidays`)."""
    found: list[tuple[int, str]] = []
    path: dict[int, str] = {}
    fence = ""
    start, previous_start, previous = 0, 0, ""
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        opened = _FENCE.match(bare)
        if fence:
            if opened and opened.group(1).startswith(fence):
                fence = ""
        elif opened:
            fence = opened.group(1)
        else:
            level, title, at = _heading(bare, previous, start, previous_start)
            if level:
                path = {depth: name for depth, name in path.items() if depth < level} | {level: title}
                found.append((at, " > ".join(path[depth] for depth in sorted(path))))
        previous_start, previous = start, "" if fence else bare
        start += len(line)
    return found


def _heading(line: str, previous: str, start: int, previous_start: int) -> tuple[int, str, int]:
    """Level (0: none), title and start of the heading that this line is, or underlines."""
    marked = _ATX.match(line)
    if marked and (marked.group(2) or "").strip():
        return len(marked.group(1)), marked.group(2).strip(), start
    underlined = _SETEXT.match(line)
    if underlined and previous.strip() and not previous.lstrip().startswith(("#", ">", "-", "*", "+", "|")):
        return (1 if underlined.group(1)[0] == "=" else 2), previous.strip(), previous_start
    return 0, "", start
