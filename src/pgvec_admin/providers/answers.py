"""The answers of servers that speak the OpenAI embeddings API, each in a dialect of its own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from pgvec_admin.errors import shorten

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector

_LONGEST_REASON = 300


class UnpairedError(Exception):
    """An answer whose vectors do not belong to the texts one by one, or have other dimensions."""


def vectors_of(items: Sequence[Any], texts: int, dimensions: int | None) -> Vector:
    """The vectors of `data`, in the order of the texts, shape (texts, dimensions).

    UnpairedError where they do not fit; AttributeError, TypeError or ValueError where they are no vectors.
    """
    numbers = [getattr(item, "index", None) for item in items]
    if all(number is None for number in numbers):  # some servers number nothing
        numbers = list(range(len(items)))
    elif numbers.count(None) == 1 and 0 not in numbers:  # JSON made from protocol buffers leaves zeros out
        numbers[numbers.index(None)] = 0
    rows = [item.embedding for item in items]
    order = {number: place for place, number in enumerate(numbers) if type(number) is int}
    if len(rows) != texts or sorted(order) != list(range(texts)):
        shown = [-1 if number is None else number for number in numbers[:8]]
        raise UnpairedError(f"answered {len(rows)} vectors for {texts} texts, numbered {shown}")
    lengths = sorted({len(row) for row in rows})
    if 0 in lengths:
        raise ValueError("an empty vector")
    expected = dimensions or lengths[0]
    if lengths != [expected]:
        raise UnpairedError(
            f"answered vectors of {', '.join(map(str, lengths))} dimensions where {expected} were expected"
        )
    with np.errstate(over="ignore"):  # what overflows becomes infinite, and is refused as such
        vectors = np.array([rows[order[number]] for number in range(texts)], np.float32)
    if vectors.shape != (texts, expected):
        raise ValueError("vectors within vectors")
    return vectors


def tokens_of(answer: Any) -> int:
    """Tokens of a request, as far as the server counts them."""
    counted = getattr(getattr(answer, "usage", None), "total_tokens", None)
    return counted if isinstance(counted, int) else 0


def error_in(text: str) -> str | None:
    """The error that a body tells of, whatever its status; None where it tells of none."""
    try:
        body = json.loads(text)
    except ValueError:
        return None
    if isinstance(body, list) and body:  # Gemini puts its error into a list
        body = body[0]
    return _told(body) if isinstance(body, dict) and body.get("error") else None


def reason(body: object, otherwise: str) -> str:
    """What a server says of an error, on one line."""
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, str) and body.strip() and not body.lstrip().startswith("<"):
        return shorten(body, _LONGEST_REASON)
    return (_told(body) if isinstance(body, dict) else None) or shorten(otherwise, _LONGEST_REASON)


def _told(body: Mapping[str, Any]) -> str | None:
    for key in ("error", "message", "detail"):  # OpenAI, Ollama; TEI, Cohere; FastAPI
        said = body.get(key)
        if isinstance(said, dict):
            return _told(said)
        if said:
            return shorten(str(said), _LONGEST_REASON)
    return None


def refuses_base64(error: Exception) -> bool:
    """Whether a server means that it answers numbers only, as older vLLM and some gateways do."""
    if getattr(error, "status_code", None) not in (400, 415, 422):
        return False
    said = str(getattr(error, "body", None) or error).lower()
    return "base64" in said or "encoding_format" in said


def delay_in(text: str) -> float | None:
    """The seconds that the body of a refusal wants, as Gemini and others of Google's write them."""
    found = re.search(r'"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"', text)
    return float(found[1]) if found else None


def wait_of(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After wants, given in milliseconds, in seconds or as a date; None where it wants none."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
    try:
        return parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
