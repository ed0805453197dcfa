"""Which files are read: directories, links, and what is left out."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.loading import converted, files, readers
from pgvec_admin.loading.columns import Mapping
from reading import only


def test_directories_are_searched_in_order_without_hidden_and_unknown_files(tmp_path: Path) -> None:
    for name in ("b/two.md", "a.txt", "b/one.MD", ".git/config.txt", "b/.hidden.md", "picture.png", "rows.csv.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = readers.inputs([str(tmp_path)])
    assert [(Path(f.name).relative_to(tmp_path).as_posix(), f.format, f.compressed) for f in found] == [
        ("a.txt", "txt", False),
        ("b/one.MD", "md", False),
        ("b/two.md", "md", False),
        ("rows.csv.gz", "csv", True),
    ]


def test_names_are_normalised_and_a_file_named_twice_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").touch()
    monkeypatch.chdir(tmp_path)
    assert [source.name for source in readers.inputs(["./notes/", "notes//a.md"])] == ["notes/a.md"]


def test_what_cannot_be_loaded_is_a_usage_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "picture.png").touch()
    (tmp_path / "empty").mkdir()
    for name, format_, message in (
        ("nowhere.csv", None, "there is no file"),
        ("picture.png", None, "no known format"),
        ("empty", None, "holds nothing to load"),
        ("picture.png", "xml", "unknown format 'xml'"),
    ):
        with pytest.raises(UsageError, match=message) as refused:
            readers.inputs([str(tmp_path / name)], format_)
        assert refused.value.hint
    with pytest.raises(UsageError, match="the format of stdin must be said"):
        readers.inputs(["-"])
    assert readers.inputs([str(tmp_path / "picture.png")], "csv")[0].format == "csv"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A directory that a stranger has filled, beside one that is not the stranger's."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    (outside / "deep").mkdir(parents=True)
    (inside / "sub").mkdir(parents=True)
    for file in (outside / "secret.txt", outside / "deep" / "secret.md", inside / "sub" / "own.md"):
        file.write_text("a text")
    pq.write_table(pa.table({"content": ["a secret"]}), outside / "secret.parquet")
    for name, target in {
        "absolute.txt": outside / "secret.txt",
        "relative.txt": Path("../outside/secret.txt"),
        "table.parquet": outside / "secret.parquet",
        "unknown.xyz": outside / "secret.txt",
        "folder": outside,
        "passwd.txt": Path("/etc/passwd"),
        "null.csv": Path("/dev/null"),
        "nothing.md": outside / "nothing.md",
        "up": Path(".."),
        "again": Path("sub"),
        "own.txt": Path("sub/own.md"),
        "twice.txt": Path("absolute.txt"),
        "circle.md": Path("circle.md"),
        "sub/parent": Path(".."),
    }.items():
        (inside / name).symlink_to(target)
    os.mkfifo(inside / "pipe.jsonl")
    return inside


def test_a_link_that_leads_out_of_a_directory_is_left_out_and_named(filled: Path) -> None:
    left_out: dict[str, str] = {}
    found = readers.inputs([str(filled)], skip=lambda path, why: left_out.update({path.name: why}))
    assert [Path(source.name).relative_to(filled).as_posix() for source in found] == ["own.txt", "sub/own.md"]
    out = [
        "absolute.txt",
        "relative.txt",
        "table.parquet",
        "folder",
        "passwd.txt",
        "null.csv",
        "nothing.md",
        "up",
        "twice.txt",
    ]
    assert left_out == dict.fromkeys(out, files.LEADS_OUT) | dict.fromkeys(
        ["pipe.jsonl", "circle.md"], files.NOT_REGULAR
    )
    assert [only(list(readers.documents(source, Mapping()))).content for source in found] == ["a text", "a text"]


def test_all_links_are_followed_where_that_is_wanted_and_a_directory_is_entered_once(filled: Path) -> None:
    left_out: list[str] = []
    found = readers.inputs([str(filled)], follow_links=True, skip=lambda path, _: left_out.append(path.name))
    names = [Path(source.name).relative_to(filled).as_posix() for source in found]
    assert {"absolute.txt", "folder/secret.txt", "folder/deep/secret.md", "passwd.txt", "table.parquet"} <= set(names)
    assert len([name for name in names if name.endswith("own.md")]) == 1
    assert sorted(left_out) == ["circle.md", "nothing.md", "null.csv", "pipe.jsonl"]


def test_what_is_named_itself_may_be_a_link(filled: Path) -> None:
    named = [str(filled / "absolute.txt"), str(filled / "folder")]
    assert [Path(source.name).name for source in readers.inputs(named)] == [
        "absolute.txt",
        "secret.md",
        "secret.parquet",
        "secret.txt",
    ]
    (filled / "links").mkdir()
    (filled / "links" / "passwd.txt").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="holds nothing to load") as refused:
        readers.inputs([str(filled / "links")])
    assert "--follow-links" in str(refused.value.hint)


@pytest.mark.parametrize("name", ["own.md", "own.csv", "own.parquet"])
def test_a_file_that_becomes_a_link_or_a_pipe_before_it_is_read_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).write_text("content\na text")
    (source,) = readers.inputs([str(folder)])
    (folder / name).unlink()
    (folder / name).symlink_to("/etc/passwd")
    with pytest.raises(DataRejectedError, match="it has become a link that leads out"):
        list(readers.documents(source, Mapping()))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(DataRejectedError, match="it has become no regular file"):
        list(readers.documents(source, Mapping()))


def test_what_is_left_out_of_a_directory_is_told_by_count_and_extension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.md", "b.png", "c.PNG", "d", "e.pdf"):
        (tmp_path / name).touch()
    told: list[str] = []
    assert [one.format for one in readers.inputs([str(tmp_path)], tell=told.append)] == ["md", "pdf"]
    assert told == [f"left out in {tmp_path}: 2 .png, 1 without extension: of no known format"]
    monkeypatch.setattr(converted, "find_spec", lambda name: None)
    told.clear()
    assert [one.format for one in readers.inputs([str(tmp_path)], tell=told.append)] == ["md"]
    assert told[1] == f"left out in {tmp_path}: 1 .pdf: pip install 'pgvec-admin[documents]' reads them"
    (named,) = readers.inputs([str(tmp_path / "e.pdf")])
    with pytest.raises(UsageError, match="needs libraries that are not installed"):
        list(readers.documents(named, Mapping()))
