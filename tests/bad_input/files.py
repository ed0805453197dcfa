"""The files of bad_input/commands.cases."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pgvec_admin import __version__


def _line(**row: Any) -> str:
    return json.dumps(row) + "\n"


def _vectors(*vectors: Any) -> bytes:
    rows = (_line(id=f"v{place}", content="v", embedding=vector) for place, vector in enumerate(vectors, 1))
    return "".join(rows).encode()


_ROWS = "".join(_line(id=f"r{number}", content=f"row {number}") for number in range(1, 4711))
_NOISE = random.Random(1).randbytes(10_000).hex()

FILES: dict[str, bytes] = {
    # nothing
    "empty.jsonl": b"",
    "empty.csv": b"",
    "empty.json": b"",
    "empty.txt": b"",
    "empty.parquet": b"",
    "blank.md": b"  \n\n",
    "folder/.hidden.txt": b"hidden",
    "strange.xyz": b"x",
    # truncated, or broken
    "line4711.jsonl": (_ROWS + '{"id": "x", "content": \n').encode(),
    "cut.jsonl.gz": gzip.compress(_ROWS.encode())[:-2000],
    "notgzip.jsonl.gz": b'{"id": "1", "content": "x"}\n',
    "garbage.jsonl.gz": b"\x1f\x8b" + bytes(range(256)),
    "gzip.parquet.gz": gzip.compress(b"x"),
    "garbage.parquet": b"PAR1" + bytes(100) + b"PAR1",
    "broken.json": b'[{"content": "x"},',
    "number.json": b"5",
    # other encodings
    "utf16.jsonl": _line(id="1", content="x").encode("utf-16"),
    "utf16.json": b"\xff\xfe[\x00]\x00",
    "utf16.csv": "id,content\n1,x\n".encode("utf-16"),
    "utf16.txt": "a text".encode("utf-16"),
    "latin1.jsonl": b'{"id": "1", "content": "caf\xe9"}\n',
    "latin1.json": b'[{"content": "caf\xe9"}]',
    "latin1.txt": b"one\ncaf\xe9",
    "bom.jsonl": b"\xef\xbb\xbf" + _line(id="bom1", content="x").encode(),
    "bom.csv": b"\xef\xbb\xbfid,content\nbom2,x\n",
    "bom.json": b'\xef\xbb\xbf[{"id": "bom3", "content": "x"}]',
    # characters and numbers that JSON or Postgres does not have
    "nul.jsonl": b'{"id": "1", "content": "a\\u0000b"}\n',
    "nul.csv": b"id,content\n1,a\x00b\n",
    "nul.txt": b"a\x00b",
    "surrogate.jsonl": b'{"id": "1", "content": "\\ud83d"}\n',
    "nan.jsonl": b'{"id": "1", "content": "x", "n": NaN}\n{"id": "2", "content": "x", "n": -Infinity}\n',
    "huge.jsonl": b'{"id": "1", "content": "x", "n": 1e400}\n'
    b'{"id": 1.5, "content": "x"}\n{"id": true, "content": "x"}\n',
    # too deep, too long
    "deep.jsonl": b'{"id": "1", "content": "x", "m": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "deep900.jsonl": b'{"id": "1", "content": "x", "m": ' + b"[" * 900 + b"]" * 900 + b"}\n",
    "deep.json": b"[" * 100_000 + b"]" * 100_000,
    "words.jsonl": _line(id="1", content=" ".join(f"w{number}" for number in range(200_000))).encode(),
    "longid.jsonl": _line(id=_NOISE, content="x").encode(),
    # other shapes
    "scalars.jsonl": b'1\n"x"\nnull\n',
    "array.jsonl": b"[1, 2]\n",
    "uneven.csv": b"id,content\n1\n2,b,c\n",
    "open.csv": b'id,content\n1,"never closed\n2,b\n',
    "headless.csv": b"\n1,a\n",
    "twice.csv": b"id,id,content\n1,1,a\n",
    "quote.csv": b'id,content\n1,"a"b\n',
    "good.csv": b"id,content,year\ngood,a text,x\n",
    # vectors
    "vectors.jsonl": _vectors([1, 2], [], "x", 5, [1, None, 2], [1, "a", 2], [[1, 2, 3]], {"a": 1}),
    "zero.jsonl": _vectors([0, 0, 0]),
    "giant.jsonl": _vectors([1] * 16_001),
    "long.jsonl": _vectors([3e38, 3e38, 3e38]),
    "overflow.jsonl": b'{"id": "1", "content": "x", "embedding": [1e39, 0, 0]}\n'
    b'{"id": "2", "content": "x", "embedding": [NaN, 0, 0]}\n',
    # queries
    "two.vectors": b"[1, 2]\n",
    "zero.vectors": b"[0, 0, 0]\n",
    "nan.vectors": b"[NaN, 0, 0]\n",
    "queries.jsonl": b'{"_id": "q1", "text": "cat"}\n',
    "nul.queries": b'{"_id": "q1", "text": "a\\u0000b"}\n',
    "word.queries": b'{"_id": "q1", "text": "cat", "embedding": "x"}\n',
    "two.queries": b'{"_id": "q1", "text": "cat", "embedding": [1, 2]}\n',
    "qrels.tsv": b"q1\tcat\t1\n",
    "word.tsv": b"q1\tcat\t1\nq1\tdog\tvery\n",
    f"stale/20260101000000_pgvec_admin_{__version__.replace('.', '_')}.sql": b"select 1;",
}


def write(folder: Path) -> None:
    """Write all of them, and a Parquet file that was cut in half."""
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    cut = folder / "cut.parquet"
    pq.write_table(pa.table({"id": ["1"] * 1000, "content": ["x"] * 1000}), cut)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
