"""A corpus available on every machine: the docstrings of the running Python's standard library."""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# no documentation to read: test suites, generated tables, programs and games
_LEFT_OUT = {
    "__phello__", "antigravity", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test",
    "tests", "this", "turtledemo", "encodings", "dist-packages", "distutils",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A documented object of the standard library; `kind` is module, class or function."""

    name: str
    module: str
    kind: str
    text: str


def standard_library(paragraphs: int = 2, shortest: int = 90) -> Iterator[Entry]:
    """Docstrings of public modules, and of their public top-level classes and functions.

    Each text is the qualified name and the first `paragraphs` paragraphs; functions and classes whose paragraphs have
    fewer than `shortest` characters are left out. Sources are parsed, never imported.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if not parts or parts[0] not in sys.stdlib_module_names or _hidden(parts):
            continue
        yield from _entries(path, ".".join(parts), paragraphs, shortest)


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith("_") or part in _LEFT_OUT for part in parts)


def _entries(path: Path, module: str, paragraphs: int, shortest: int) -> Iterator[Entry]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    if text := _opening(tree, paragraphs):
        yield Entry(module, module, "module", f"{module}\n\n{text}")
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            text = _opening(node, paragraphs)
            if text and len(text) >= shortest:
                kind = "class" if isinstance(node, ast.ClassDef) else "function"
                name = f"{module}.{node.name}"
                yield Entry(name, module, kind, f"{name}\n\n{text}")


def _opening(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, paragraphs: int) -> str | None:
    text = ast.get_docstring(node)
    if not text:
        return None
    return "\n\n".join(text.split("\n\n")[:paragraphs]).strip()
