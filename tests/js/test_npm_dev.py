"""`npx pgvec-admin dev`: the engine on PostgreSQL in a Node process, from a machine with Node alone."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import installation
import npm_package
from npm_package import BESIDE
from pgvec_admin import __version__

NODE = shutil.which("node") or str(BESIDE / ".bin" / "node")
Dev = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return npm_package.unpacked(tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first start leaves the database that the next ones begin with."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def dev(package: Path, home: Path, tmp_path: Path) -> Dev:
    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [NODE, package / "bin" / "pgvec-admin.js", "dev", *arguments],
            cwd=tmp_path,
            env=os.environ | {"XDG_CACHE_HOME": str(home / ".cache")},
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def test_from_node_alone_one_command_leads_to_a_hybrid_result_within_a_minute(
    package: Path, home: Path, tmp_path: Path
) -> None:
    """After the download: nothing is on the PATH but Node, its npm and a shell, and no file is left of earlier runs."""
    shutil.rmtree(home / ".cache", ignore_errors=True)
    programs, project = tmp_path / "bin", tmp_path / "project"
    for folder in (programs, project):
        folder.mkdir()
    for name in ("node", "npm", "npx", "sh"):
        found = shutil.which(name)
        assert found, f"this machine has no {name}"
        (programs / name).symlink_to(Path(found).resolve() if name != "sh" else found)
    # where to download from stays what the machine says
    settings = {"npm_config_userconfig": str(Path.home() / ".npmrc"), "npm_config_cache": str(tmp_path / "npm")}
    certificates = {name: os.environ[name] for name in ("NODE_EXTRA_CA_CERTS",) if name in os.environ}
    alone = {"PATH": str(programs), "HOME": str(home)} | settings | certificates
    (archive,) = package.parents[1].glob("*.tgz")
    download = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", str(archive)]
    subprocess.run(download, cwd=project, env=alone, check=True, timeout=240, stdout=subprocess.PIPE)
    query = "select id, content from hybrid_search('pool timeout', '[0.6, 0.8, 0]', 1, collection => 'sample')"
    ran = subprocess.run(
        ["npx", "pgvec-admin", "dev"], cwd=project, env=alone, input=query, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (
        "\n pool-2 | When all connections of the pool are in use, the next request waits until its timeout.\n"
        in ran.stdout
    )
    assert list((home / ".cache" / "pgvec-admin").iterdir()), "the next starts begin with nothing"


def test_a_pipe_is_run_and_printed_as_psql_prints(dev: Dev) -> None:
    ran = dev(
        text="""
        select pgvec.create_collection('documents', 2) is not null as made;
        insert into documents (id, content, embedding) values ('a', 'green tea', '[1, 0]'),
               ('b', 'grüner Tee', '[0, 1]');
        select id, content, embedding, null as nothing from documents order by id;
        select id, content from hybrid_search('tea', '[0.8, 0.6]', 2);
        create table t (); do $$ begin raise notice 'told' using hint = 'a hint'; end $$;
        select count(*) filter (where result = 'fail') = 0 as sound from pgvec.verify();
        """
    )
    assert (ran.returncode, ran.stderr) == (0, "NOTICE:  told\nHINT:  a hint\n")
    assert ran.stdout == (
        " made\n------\n t\n(1 row)\n\n"
        "INSERT 0 2\n"
        " id |  content   | embedding | nothing\n----+------------+-----------+---------\n"
        " a  | green tea  | [1,0]     |\n b  | grüner Tee | [0,1]     |\n(2 rows)\n\n"
        " id |  content\n----+------------\n a  | green tea\n b  | grüner Tee\n(2 rows)\n\n"
        "CREATE TABLE\nDO\n"
        " sound\n-------\n t\n(1 row)\n\n"
    )


def test_a_database_with_a_directory_is_kept_and_a_file_ends_where_a_statement_fails(dev: Dev, tmp_path: Path) -> None:
    file = tmp_path / "first.sql"
    file.write_text(
        "select count(*) from kept; select count(*) from sample;"
        " select * from match_documents('[1, 0]', collection => 'sample'); select 2;"
    )
    with installation.folder("pgvec-npm-") as folder:
        data = str(Path(folder) / "data")
        first = dev("--data", data, text="create table kept as select 1 as one;")
        assert (first.returncode, first.stdout) == (0, "SELECT 1\n"), first.stderr
        again = dev("--data", data, "--file", str(file))
    assert again.returncode == 1
    assert again.stdout == " count\n-------\n     1\n(1 row)\n\n count\n-------\n     4\n(1 row)\n\n"
    assert again.stderr == (
        "ERROR:  PV002: the query has 2 dimensions, collection 'sample' has 3\n"
        "HINT:  embed queries with the model that embedded the rows\n"
    )
    missing = dev("--file", "nowhere.sql")
    assert (missing.returncode, missing.stderr) == (2, "error: there is no file nowhere.sql\n")


def test_the_prompt_takes_statements_of_several_lines(package: Path, home: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [NODE, package / "bin" / "pgvec-admin.js", "dev"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"XDG_CACHE_HOME": str(home / ".cache"), "TERM": "dumb"},
    )
    os.close(theirs)
    shown = ""

    def until(text: str) -> str:
        """What is shown until a text comes, without what came before."""
        nonlocal shown
        end = time.monotonic() + 60
        while text not in shown:
            assert time.monotonic() < end, shown
            shown += os.read(ours, 65536).decode().replace("\r", "")
        before, _, shown = shown.partition(text)
        return before

    try:
        greeting = until("\n=> ") + until("\n=> ")
        assert f"pgvec-admin {__version__}: PostgreSQL in this process" in greeting
        assert "hybrid_search('pool timeout'" in greeting
        os.write(ours, b"select 'a;\n")
        until("\n-> ")
        os.write(ours, b"b' as text, $$ it's; $$ as quoted\n")
        until("\n-> ")
        os.write(ours, b"-- done;\n")
        until("\n-> ")
        os.write(ours, b";\n")
        assert "(1 row)" in until("\n=> ")
        os.write(ours, b"select nothing;\n")
        assert 'ERROR:  42703: column "nothing" does not exist' in until("\n=> ")
        os.write(ours, b"\\q\n")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
