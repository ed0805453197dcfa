"""The SQL in the blocks of a page, as steps for the page to run.

A block is a series of commands, as tests/pages/test_readme.py runs them. What `psql` is given is SQL, and so is what
some commands of pgvec-admin do; others only look. Any other command ends what can run in the page, since what comes
later may need what it did.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import sqlparse

BLOCK = re.compile(r"^```console\n(.*?)^```\n", flags=re.S | re.M)
_PSQL = re.compile(r'psql "\$PGVEC_DATABASE_URL"\s*(.*)', flags=re.S)
_HEREDOC = re.compile(r"(.*?)<<'(\w+)'\n(.*)\n\2", flags=re.S)
_OPTIONS = r"((?: --\w+ [\w:.-]+)*)"
_CREATE = re.compile(rf"pgvec-admin collection create (\w+){_OPTIONS}")
_LOOKS = re.compile(
    r"pgvec-admin (migrate$|status|verify(?!.*--fix)|stats|"
    r"(tenant|index|collection|log|functions) (list|plan|show|diff|history))"
)
# commands that are one call each
_CALLS = {
    r"pgvec-admin tenant purge ([0-9a-f-]+) --yes": r"select pgvec.purge_tenant('\1')",
    r"pgvec-admin log on (\w+) --sample ([\d.]+) --keep '(.*)' --texts --embeddings": (
        r"select pgvec.log_searches('\1', \2, '\3', true, true)"
    ),
    r"pgvec-admin log off (\w+)": r"select pgvec.log_searches('\1', 0)",
}
_META = re.compile(r"^\\|^\s*(copy|vacuum)\b", flags=re.M | re.I)
_MODEL = "local:all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Step:
    """Statements, run one by one, and psql's options for their output. `place` is that of the command in its block."""

    place: int
    statements: list[str]
    options: str = "q"
    shown: bool = False


def commands(block: str) -> Iterator[str]:
    """The commands of a block."""
    for command in re.split(r"^\$ ", block, flags=re.M)[1:]:
        first, *rest = command.splitlines()
        lines = [first]
        for line in rest:
            if not (line == ">" or line.startswith("> ")):
                break
            lines.append(line[2:])
        yield "\n".join(lines)


def step(place: int, command: str) -> Step | None:
    """A command as SQL, empty where it only looks; None where it does more."""
    if found := _PSQL.fullmatch(command):
        return _psql(place, found[1])
    if made := _CREATE.fullmatch(command):
        given = dict(re.findall(r"--(\w+) ([\w:.-]+)", made[2]))
        if given.get("model") == _MODEL:
            given.setdefault("dimensions", "384")
        if given.keys() <= {"dimensions", "distance", "access", "model"} and "dimensions" in given:
            named = "".join(f", {name} => '{value}'" for name, value in given.items())
            return Step(place, [f"select pgvec.create_collection('{made[1]}'{named})"])
        return None
    for pattern, call in _CALLS.items():
        if found := re.fullmatch(pattern, command):
            return Step(place, [found.expand(call)])
    return Step(place, []) if _LOOKS.match(command) else None


def _psql(place: int, arguments: str) -> Step | None:
    document = _HEREDOC.fullmatch(arguments)
    options, statements = "", []
    words = iter(shlex.split(re.sub(r"\\\n\s*", " ", document[1] if document else arguments)))
    for word in words:
        if not re.fullmatch(r"-[Atq]*[cf]?", word) or (word.endswith("f") and next(words) != "-"):
            return None
        options += re.sub("[-cf]", "", word)
        if word.endswith("c"):
            statements.append(re.sub(r"\\([$`])", r"\1", next(words)))
    if document:
        statements += [one for one in map(str.strip, sqlparse.split(document[3])) if one]
    if any(_META.search(one) for one in statements):
        return None
    return Step(place, statements, options, shown=True)


def runnable(text: str) -> list[list[Step]]:
    """For each block of a page the steps that run there: those before the first command that is more than SQL."""
    ended = False
    blocks = []
    for block in BLOCK.findall(text):
        steps = []
        for place, command in enumerate(commands(block)):
            made = None if ended else step(place, command)
            ended = made is None
            steps += [made] if made else []
        blocks.append([one for one in steps if one.statements])
    return blocks
