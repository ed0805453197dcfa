"""The demo's corpus: docstrings of the standard library that runs the tests."""

from __future__ import annotations

import pytest

from pgvec_admin.demo.corpus import Entry, standard_library


@pytest.fixture(scope="module")
def corpus() -> list[Entry]:
    """Read once: that takes three seconds."""
    return list(standard_library())


def test_the_corpus_is_of_the_promised_size_with_unique_names(corpus: list[Entry]) -> None:
    assert 1000 <= len(corpus) <= 1500
    assert len({entry.name for entry in corpus}) == len(corpus)


def test_entries_carry_name_module_kind_and_the_first_paragraphs(corpus: list[Entry]) -> None:
    entries = {entry.name: entry for entry in corpus}
    assert entries["argparse"].kind == "module"
    assert entries["argparse"].text.startswith("argparse\n\nCommand-line parsing library")
    assert entries["tempfile.TemporaryDirectory"].kind == "class"
    assert entries["tempfile.TemporaryDirectory"].module == "tempfile"
    assert entries["tempfile.mkstemp"].kind == "function"


def test_private_and_test_modules_are_left_out(corpus: list[Entry]) -> None:
    modules = {entry.module for entry in corpus}
    assert not any(part.startswith("_") or part == "test" for module in modules for part in module.split("."))
