"""The SQL in the blocks of a page, as steps for the page to run.

A block is a series of commands, as tests/pages/test_readme.py runs them. What `psql` is given is SQL; where it is
more than run.js can do, the site is not built.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

import sqlparse

BLOCK = re.compile(r"^```console\n(.*?)^```\n", flags=re.S | re.M)
_PSQL = re.compile(r'psql "\$PGVEC_DATABASE_URL"\s*(.*)', flags=re.S)
_HEREDOC = re.compile(r"(.*?)<<'(\w+)'\n(.*)\n\2", flags=re.S)
_SET = re.compile(r"^\\set (\w+) '(.*)'\n", flags=re.M)


@dataclass(frozen=True)
class Sql:
    """Statements, run one by one, and psql's options for their output: A, t, q, and o for none."""

    statements: list[str]
    options: str


@dataclass(frozen=True)
class Step:
    """SQL of the page's command with this number. Where it has a state, it needs the database of that file."""

    number: int
    sql: Sql
    state: str | None


def sql_of(command: str) -> Sql | None:
    """What psql is given by a command; None for another command. ValueError for what a page cannot do."""
    found = _PSQL.fullmatch(command)
    if not found:
        if re.search(r"\bpsql\b", command):
            raise ValueError(f"not a command of psql that the site can run: {command}")
        return None
    document = _HEREDOC.fullmatch(found[1])
    options, statements = "", []
    words = iter(shlex.split(re.sub(r"\\\n\s*", " ", document[1] if document else found[1])))
    for word in words:
        if not re.fullmatch(r"-[Atq]*[cfo]?", word):
            raise ValueError(f"an option of psql that the site has not: {word}")
        if word.endswith("c"):
            statements.append(re.sub(r"\\([$`])", r"\1", next(words)))
        elif (word.endswith("f") and next(words) != "-") or (word.endswith("o") and next(words) != "/dev/null"):
            raise ValueError(f"a file that the site has not: {command}")
        options += re.sub("[-cf]", "", word)
    if document:
        statements += [one for one in map(str.strip, sqlparse.split(_with_variables(document[3]))) if one]
    if any(re.search(r"^\\", one, flags=re.M) for one in statements):
        raise ValueError(f"a command of psql that the site has not: {command}")
    return Sql(statements, options)


def _with_variables(text: str) -> str:
    """SQL with the values that \\set gives in the place of their names."""
    for name, value in _SET.findall(text):
        given = value.replace("''", "'").replace("\\", r"\\")
        text = re.sub(rf"(?<!:):{name}\b", given, text)
    return _SET.sub("", text)
