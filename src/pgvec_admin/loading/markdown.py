"""Markdown as CommonMark has it: its headings and title, and the front matter before it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml
    from markdown_it import MarkdownIt

# `---` and YAML, or `+++` and TOML, up to the next such line; `...` ends YAML too
_FRONT_MATTER = re.compile(
    r"(?:---[ \t]*\r?\n(?P<yaml>.*?)^(?:---|\.\.\.)|\+\+\+[ \t]*\r?\n(?P<toml>.*?)^\+\+\+)[ \t]*(?:\r?\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_FIELD = re.compile(r"^([A-Za-z_][\w-]*):[ \t]+(.*\S)", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|\r|\n")

LONGEST_FRONT_MATTER = 64 * 1024
MOST_VALUES = 10_000  # an alias in YAML repeats what it stands for, and aliases of aliases multiply


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: where its line begins, its level (1 to 6) and text, and `path`, the headings above it and itself.

    `depth` counts the quotes and list items around it. Where one that had headings ends, an entry of level 0 leads back
    to the path before it.
    """

    start: int
    level: int
    title: str
    path: str
    depth: int = 0


def front_matter(text: str) -> tuple[dict[str, Any], int]:
    """The fields of the front matter of a text, and where the text proper begins (0: there is none).

    YAML is read by its core schema: dates, times and `no` stay as they are written. A block that is no mapping is not
    front matter. Of one that is not valid, such as `title: Notes: part 1`, the lines `name: value` are taken.
    """
    found = _FRONT_MATTER.match(text[:LONGEST_FRONT_MATTER])
    if not found:
        return {}, 0
    import yaml

    block = found["toml"] if found["yaml"] is None else found["yaml"]
    try:
        # its constructors are those of SafeLoader
        loaded = tomllib.loads(block) if found["yaml"] is None else yaml.load(block, Loader=_core_loader())  # noqa: S506
        fields = _plain({} if loaded is None else loaded, iter(range(MOST_VALUES)))
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        fields = {name: value.strip("\"'") for name, value in _FIELD.findall(block)}
        if not fields:
            return {}, 0
    return (fields, found.end()) if isinstance(fields, dict) else ({}, 0)


def title(text: str) -> str | None:
    """The text of the first heading of level 1."""
    return next((found.title for found in headings(text) if found.level == 1 and not found.depth and found.title), None)


@lru_cache(maxsize=1)  # its title and its chunks ask one after the other
def headings(text: str) -> tuple[Heading, ...]:
    """The headings of a Markdown text in order; front matter has none."""
    return tuple(_headings(text)) if "#" in text or "-" in text or "=" in text else ()


def _headings(text: str) -> Iterator[Heading]:
    begin = front_matter(text)[1]
    starts = [begin, *(end.end() for end in _LINE_END.finditer(text, begin)), len(text)]
    path: dict[int, str] = {}
    around: list[tuple[dict[int, str], int]] = []  # of each quote and list item: the path before it, where it ends
    tokens = _parser().parse(text[begin:])
    for place, token in enumerate(tokens):
        if token.type in ("blockquote_open", "list_item_open"):
            around.append((path, starts[token.map[1]] if token.map else len(text)))
        elif token.type in ("blockquote_close", "list_item_close"):
            before, end = around.pop()
            if before is not path:
                path = before
                yield Heading(end, 0, "", _joined(path), len(around))
        elif token.type == "heading_open" and token.map:
            level, name = int(token.tag[1]), " ".join(tokens[place + 1].content.split())
            path = {depth: one for depth, one in path.items() if depth < level} | ({level: name} if name else {})
            yield Heading(starts[token.map[0]], level, name, _joined(path), len(around))


def _joined(path: dict[int, str]) -> str:
    return " > ".join(path[level] for level in sorted(path))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])  # what is in a line does not matter here
    return parser


@cache
def _core_loader() -> type[yaml.SafeLoader]:
    """YAML 1.2's core schema: null, booleans, integers and floats, and all else is text."""
    import yaml

    class CoreLoader(yaml.SafeLoader):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as the library has it

    for tag, pattern, first in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
        ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
        ("merge", "<<", "<"),
    ):
        CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})\\Z"), list(first))
    return CoreLoader


def _plain(value: Any, budget: Iterator[int]) -> Any:
    """A value as JSON has it. LookupError where it has too many parts, or contains itself."""
    if next(budget, None) is None:
        raise LookupError("too many values")
    if isinstance(value, dict):
        return {str(key): _plain(inner, budget) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner, budget) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
