"""The direction of dependence: functions and modules use those of rooms above theirs, and never in a cycle.

The order is that of the tables in sql/functions/README.md and src/pgvec_admin/README.md.
"""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pgvec_admin
from pgvec_admin.install import functions
from pgvec_admin.resources import sql_directory

FOLDER = sql_directory() / "functions"
PACKAGE = Path(pgvec_admin.__file__).parent
TESTS = Path(__file__).parents[1]


def _rooms(folder: Path) -> list[str]:
    return re.findall(r"^\| (\w+) \|", (folder / "README.md").read_text(), flags=re.M)[1:]


def _described(folder: Path) -> dict[str, str]:
    """The text for the README of each room, by the table of all of them."""
    table = re.findall(r"^\| (\w+) \| (.*?) \| .*?`(\S+)`.* \|$", (folder / "README.md").read_text(), flags=re.M)
    names = [name for name, _, _ in table]
    return {
        name: f"# {name}\n\n{what[0].upper()}{what[1:]}.\n\n"
        f"Uses: {', '.join(_above(folder, name, names[:place])) or 'nothing else'}. Begin with [{first}]({first}).\n"
        for place, (name, what, first) in enumerate(table)
    }


def _above(folder: Path, name: str, before: list[str]) -> list[str]:
    """The rooms that one may use: those above it; for tests `support` alone."""
    return before if folder != TESTS else ["support"] if name != "support" else []


ROOMS = _rooms(FOLDER)
PACKAGES = _rooms(PACKAGE)
TEXTS = {file.name: file.text for file in functions.files()}
ROOM_OF = {file.name: file.path.parent.name for file in functions.files()}
MOST_FILES = 20


def _calls(name: str) -> set[str]:
    """Our functions that a function calls: without comments, hints, and the other statements of its file."""
    text = re.sub(r"--[^\n]*", "", TEXTS[name])
    text = re.sub(r"^comment on function .*?;\n", "", text, flags=re.S | re.M)
    text = re.sub(r"^(?:drop function|revoke|select pgvec\.grant_execute)\b[^;]*;", "", text, flags=re.M)
    text = re.sub(r"hint\s*=.*", "", text)
    return {f"{schema}.{called}" for schema, called in re.findall(r"\b(pgvec|public)\.(\w+)\s*\(", text)} & (
        TEXTS.keys() - {name}
    )


CALLS = {name: _calls(name) for name in TEXTS}


def test_the_calls_are_found() -> None:
    assert {"pgvec.scoped", "pgvec.keyword_query"} <= CALLS["public.document_facets"]
    assert sum(map(len, CALLS.values())) > 450


def test_every_room_is_in_the_table_and_holds_at_most_twenty_files() -> None:
    assert set(ROOM_OF.values()) == set(ROOMS)
    assert {room: n for room in ROOMS if (n := list(ROOM_OF.values()).count(room)) > MOST_FILES} == {}
    assert {
        file.name for file in functions.files() if len(file.path.parts) != (2 if file.name[:3] == "pub" else 3)
    } == set()


@pytest.mark.parametrize("name", TEXTS)
def test_a_function_calls_none_of_a_room_below_its_own(name: str) -> None:
    place = ROOMS.index(ROOM_OF[name])
    assert {called for called in CALLS[name] if ROOMS.index(ROOM_OF[called]) > place} == set()


def _is_straight(graph: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_calls_go_round_in_a_circle() -> None:
    _is_straight(CALLS)


MODULES = {
    ".".join(("pgvec_admin", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found & MODULES.keys()


def _package(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in PACKAGES else "root"


def test_every_package_is_in_the_table_and_holds_at_most_twenty_modules() -> None:
    packages = [_package(module) for module in MODULES]
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(PACKAGES) - {"root"}
    assert {package: n for package in PACKAGES if (n := packages.count(package)) > MOST_FILES} == {}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_none_of_a_package_below_its_own(module: str) -> None:
    place = PACKAGES.index(_package(module))
    entry = {"pgvec_admin.__main__", "pgvec_admin.search"}  # the entry points of programs and `python -m`
    below = {found for found in _imports(MODULES[module]) if PACKAGES.index(_package(found)) > place}
    assert module in entry or below == set()


def test_no_imports_go_round_in_a_circle() -> None:
    # a package is imported with each of its modules; its own imports of them are no cycle
    _is_straight(
        {
            name: {found for found in _imports(path) if not name.startswith(f"{found}.")}
            for name, path in MODULES.items()
        }
    )


@pytest.mark.parametrize("folder", [FOLDER, PACKAGE, TESTS], ids=["sql", "python", "tests"])
def test_the_readme_of_a_room_says_what_the_table_says(folder: Path) -> None:
    found = {path.parent.name: path for path in folder.glob("*/README.md")} | {
        path.parent.name: path for path in folder.glob("pgvec/*/README.md")
    }
    described = _described(folder)
    assert set(found) == set(described) - {"root"}
    for room, path in found.items():
        assert path.read_text() == described[room]
        assert all((path.parent / name).exists() for name in re.findall(r"\]\((\S+)\)", path.read_text()))
