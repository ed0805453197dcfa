"""The demo's corpus: docstrings of the standard library that runs the tests."""

from __future__ import annotations

from pgvec_admin.demo.corpus import standard_library


def test_the_corpus_is_of_the_promised_size_with_unique_names() -> None:
    entries = list(standard_library())
    assert 1000 <= len(entries) <= 1500
    assert len({entry.name for entry in entries}) == len(entries)


def test_entries_carry_name_module_kind_and_the_first_paragraphs() -> None:
    entries = {entry.name: entry for entry in standard_library()}
    assert entries["argparse"].kind == "module"
    assert entries["argparse"].text.startswith("argparse\n\nCommand-line parsing library")
    assert entries["tempfile.TemporaryDirectory"].kind == "class"
    assert entries["tempfile.TemporaryDirectory"].module == "tempfile"
    assert entries["tempfile.mkstemp"].kind == "function"


def test_private_and_test_modules_are_left_out() -> None:
    modules = {entry.module for entry in standard_library()}
    assert not any(part.startswith("_") or part == "test" for module in modules for part in module.split("."))
