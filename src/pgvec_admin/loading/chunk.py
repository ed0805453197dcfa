"""Cutting texts into chunks, along their own structure, by semantic-text-splitter."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pgvec_admin.errors import UsageError
from pgvec_admin.loading import markdown
from pgvec_admin.loading.records import BadRow, Document, Record

if TYPE_CHECKING:
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

Unit = Literal["characters", "tokens"]

# The time of the splitter grows with the square of a text, and even faster with that of a line: longer ones, of so many
# characters and sizes, are cut before. 20 MB in one line took 25 minutes.
LONGEST_TEXT, LONGEST_LINE, MOST_SIZES = 256_000, 16_000, 16
_WITHIN_LINES = (". ", "? ", "! ", "\u3002", " ")


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
        from semantic_text_splitter import MarkdownSplitter, TextSplitter

        self._markdown = markdown
        kind = MarkdownSplitter if markdown else TextSplitter
        size, overlap = chunking.size, chunking.overlap
        self._longest_line = max(LONGEST_LINE, MOST_SIZES * size)
        self._longest = max(LONGEST_TEXT, MOST_SIZES * size)
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
        headings = markdown.headings(text) if self._markdown else ()
        starts = [heading.start for heading in headings]
        sections = [heading.start for heading in headings if heading.level and not heading.depth]
        parts = (
            (begin + line, part.rstrip())  # thousands of empty lines at the end take the splitter minutes
            for begin, block in _blocks(text, self._longest, sections)
            for line, part in _lines(block, self._longest_line)
        )
        found = []
        for begin, part in parts:
            for within, piece in self._splitter.chunk_indices(part):
                if piece.strip():
                    place = bisect_right(starts, begin + within)
                    found.append(Chunk(piece, begin + within, (headings[place - 1].path or None) if place else None))
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


def _blocks(text: str, longest: int, starts: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The text with its place, in parts of at most `longest` characters: cut before a heading, else at a blank line."""
    begin = 0
    while len(text) - begin > longest:
        half, most = begin + longest // 2, begin + longest
        start = starts[max(bisect_right(starts, most) - 1, 0)] if starts else 0
        end = start if start > half else _cut(text, half, most, ("\n\n", "\n", *_WITHIN_LINES))
        yield begin, text[begin:end]
        begin = end
    yield begin, text[begin:]


def _lines(text: str, longest: int) -> Iterator[tuple[int, str]]:
    """The text with its place, cut within lines of more than `longest` characters."""
    begin = line = 0
    while len(text) - line > longest:
        end = text.rfind("\n", line, line + longest) + 1
        if not end:
            end = _cut(text, line + longest // 2, line + longest, _WITHIN_LINES)
            yield begin, text[begin:end]
            begin = end
        line = end
    yield begin, text[begin:]


def _cut(text: str, half: int, most: int, marks: Sequence[str]) -> int:
    """The last place in that part of a text after the first of these marks that it has."""
    found = ((text.rfind(mark, half, most), mark) for mark in marks)
    return next((place + len(mark) for place, mark in found if place >= 0), most)
