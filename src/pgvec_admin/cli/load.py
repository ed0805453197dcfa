"""pgvec-admin load: files into a collection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.index import tuned
from pgvec_admin.cli.output import DatabaseUrl, Json, Tenant, notices, open_target, print_json, progress, say
from pgvec_admin.engine import collections
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.loading import columns, readers, reading
from pgvec_admin.loading import load as loading
from pgvec_admin.loading.chunk import Chunking
from pgvec_admin.loading.files import Skip
from pgvec_admin.loading.staging import Rejected

SHOWN_REJECTED = 20
SHOWN_SKIPPED = 20


class Unit(StrEnum):
    """What the size of a chunk is counted in."""

    characters = "characters"
    tokens = "tokens"


def load(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Files, directories, or - for stdin.", show_default=False),
    ],
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "documents",
    content: Annotated[
        str | None,
        typer.Option(
            help="Column of the text, or several: title,body.",
            show_default="content, text, body, page_content or document",
        ),
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", help="Column of the id.", show_default="id, where there is one")
    ] = None,
    metadata: Annotated[
        str | None,
        typer.Option(
            help="Columns for metadata: title,year:int (types: text, int, float, bool, json); * stands for all others.",
            show_default="a column metadata, else all that are left",
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Column that says where a row comes from.", show_default="the file")
    ] = None,
    embedding: Annotated[
        str | None, typer.Option(help="Column of ready vectors.", show_default="embedding, where there is one")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="jsonl, json, csv, tsv, parquet, md, txt, html, ipynb, docx or pdf.",
            show_default="by the file's name",
        ),
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="Delimiter of CSV: one character, or tab.", show_default="found out")
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="Encoding of CSV and texts.", show_default="UTF-8; of CSV found out where it is another"),
    ] = None,
    chunk_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000_000,
            help="Largest chunk; given, rows of tables are cut as well.",
            show_default="1000, texts only",
        ),
    ] = None,
    chunk_overlap: Annotated[
        int | None,
        typer.Option(min=0, help="What a chunk repeats of the one before.", show_default="a tenth of the size"),
    ] = None,
    chunk_unit: Annotated[
        Unit, typer.Option(help="Count sizes in characters or in the model's tokens.")
    ] = Unit.characters,
    no_chunk: Annotated[bool, typer.Option("--no-chunk", help="Leave texts whole.")] = False,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="Rows to store and commit at once.")] = reading.BATCH,
    restart: Annotated[bool, typer.Option("--restart", help="Start over, without resuming a load.")] = False,
    reject_to: Annotated[
        Path | None, typer.Option(help="Write bad rows to this file, as JSON lines with file, line, reason and row.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first bad row.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove rows that the files, or the directories, have no more.")
    ] = False,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Follow links that lead out of a directory too.")
    ] = False,
    tenant: Tenant = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Load files into a collection: tables, texts and documents, or directories of them.

    .jsonl .json .csv .tsv (also .gz) .parquet; .md .mdx .txt .rst; .html .ipynb .docx .pdf.

    Loading the same again changes nothing; an edited file replaces exactly its own chunks. After an interruption, the
    same command continues where it stopped. Links that lead out of a directory are left out.

    Example:

    \b
      pgvec-admin load handbook/
      pgvec-admin load jobs.csv -c jobs --content description --metadata title,company,salary:int
    """
    if no_chunk and chunk_size:
        raise UsageError("--no-chunk and --chunk-size exclude each other", "leave one out")
    mapping = columns.Mapping(
        content=content,
        id=id_,
        metadata=columns.metadata_columns(metadata) if metadata else None,
        source=source,
        embedding=embedding,
    )
    with _skipped() as skip:
        inputs = readers.inputs(
            paths, format_, follow_links=follow_links, skip=skip, delimiter=delimiter, encoding=encoding, tell=say
        )
    where = open_target(database_url)
    tell_once = notices()
    with ExitStack() as open_:

        def connect() -> database.Connection:
            opened = open_.enter_context(database.connect(where, autocommit=True, tenant=tenant))
            opened.add_notice_handler(tell_once)
            return opened

        connection = connect()
        rejects = open_.enter_context(_rejects(reject_to))
        size = chunk_size or 1000
        overlap = size // 10 if chunk_overlap is None else chunk_overlap
        target = collections.get(connection, collection)
        if tenant is not None and target.access != "tenant":
            raise UsageError(
                f"collection {collection!r} has no tenants", "its rows are everybody's; leave --tenant out"
            )
        chunking = None if no_chunk else Chunking(size, overlap, chunk_unit.value, target.model)
        options = reading.LoadOptions(
            mapping, chunking, chunk_rows=chunk_size is not None, batch=batch, tenant=tenant, prune=prune
        )
        with progress("load", "rows") as report:
            result = loading.load_files(
                connection,
                collection,
                inputs,
                options,
                restart=restart,
                strict=strict,
                reject=rejects,
                report=report,
                tell=say,
                another=connect,
            )
    if as_json:
        print_json({"collection": collection, **asdict(result)})
    _say(collection, result)
    if result.rejected:
        raise DataRejectedError(
            f"bad rows left out: {result.rejected:,}",
            f"they are in {reject_to}, each with its reason"
            if reject_to
            else "fix them and load again; --reject-to FILE writes them to a file",
        )


@contextmanager
def _skipped() -> Iterator[Skip]:
    """Prints the first files that are left out, and the number of others."""
    count = 0

    def skip(path: Path, why: str) -> None:
        nonlocal count
        count += 1
        if count <= SHOWN_SKIPPED:
            say(f"left out: {path}: {why}")

    yield skip
    if count > SHOWN_SKIPPED:
        say(f"left out: {count - SHOWN_SKIPPED:,} more")


@contextmanager
def _rejects(path: Path | None) -> Iterator[loading.Reject]:
    """Prints the first bad rows, and writes all of them to a file on request."""
    count = 0
    with path.open("w", encoding="utf-8") if path else nullcontext() as file:

        def reject(rejected: Rejected) -> None:
            nonlocal count
            count += 1
            if count <= SHOWN_REJECTED:
                say(str(rejected))
            if file:
                facts = {key: value for key, value in asdict(rejected).items() if key != "names"}
                file.write(json.dumps(facts, ensure_ascii=True, default=str) + "\n")

        yield reject
    if count > SHOWN_REJECTED:
        say(f"... and {count - SHOWN_REJECTED:,} more (--reject-to FILE writes all)")


def _say(collection: str, result: loading.LoadResult) -> None:
    parts = [
        f"{number:,} {what}"
        for number, what in (
            (result.inserted, "new"),
            (result.updated, "changed"),
            (result.unchanged, "unchanged"),
            (result.removed, "removed"),
            (result.resumed, "documents done before"),
        )
        if number
    ]
    rate = f"{result.rows / result.seconds:,.0f} rows/s" if result.seconds else ""
    say(f"loaded into {collection}: {', '.join(parts) or 'no rows'} in {result.seconds:.1f} s ({rate})")
    if result.gone:
        say(f"no longer in the files: {result.gone:,} stored rows (--prune removes them)")
    if result.counted_anew:
        say("keyword statistics: counted again")
    if result.kept:
        say(tuned(collection, result.kept))
