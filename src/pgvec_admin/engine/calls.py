"""Calls of the functions in schema public by their whole signature.

A role that may create there can make a function of the same name that fits a call better, by fewer defaults or by the
types of its arguments. None fits better where every argument is given with its type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from pgvec_admin.database import Connection
from pgvec_admin.resources import query

SIGNATURES = query("signatures").encode()


@dataclass(frozen=True)
class Signature:
    """The arguments of a function in order, as SQL: their names, types and defaults."""

    name: str
    arguments: list[str]
    types: list[str]
    defaults: list[str]


def signatures(found: Iterable[Signature]) -> dict[str, Signature]:
    """By name."""
    return {one.name: one for one in found}


def exact(connection: Connection, text: str) -> bytes:
    """The SQL text for a connection: see `complete`."""
    with connection.cursor(row_factory=class_row(Signature)) as cursor:
        return complete(text, signatures(cursor.execute(SIGNATURES).fetchall()))


def complete(text: str, known: Mapping[str, Signature]) -> bytes:
    """The SQL text with all arguments, and their types, in each of its calls `public.name(argument => value, ...)`.

    Raises UndefinedFunction for a function that is not the engine's.
    """
    done = ""
    while call := re.search(r"\bpublic\.(\w+)\(", text):
        if call[1] not in known:
            raise psycopg.errors.UndefinedFunction(f"the engine has no function public.{call[1]}")
        end = _closing(text, call.end())
        done += text[: call.end()] + _arguments(text[call.end() : end], known[call[1]])
        text = text[end:]
    return (done + text).encode()


def _closing(text: str, start: int) -> int:
    depth = 1
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place
    raise AssertionError("a call that is not closed")


def _arguments(given: str, signature: Signature) -> str:
    values = dict(part.split(" => ", 1) for part in re.split(r",\s*(?=\w+ => )", given.strip()))
    told = [
        f"{name} => ({values.pop(name, default)})::{type_}"
        for name, type_, default in zip(signature.arguments, signature.types, signature.defaults, strict=True)
    ]
    return ", ".join([*told, *(f"{name} => {value}" for name, value in values.items())])
