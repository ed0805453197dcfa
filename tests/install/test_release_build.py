"""What a release publishes: how it is built, for which tags, and that nothing else publishes."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import assemble
import pytest
import yaml
from assemble import INTEGRATIONS, dependencies, staged

from npm_package import packed
from pages import ROOT
from pgvec_admin import __version__
from pgvec_admin.install import supabase

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RELEASE = ROOT / ".github" / "workflows" / "release.yml"


def _wheel(package: Path, folder: Path) -> Path:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        folder / "dist",
        staged(package, folder),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@pytest.mark.parametrize("package", INTEGRATIONS, ids=lambda package: package.name)
def test_a_distribution_built_twice_is_the_same(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    hashes = set()
    for turn in "ab":
        _wheel(package, tmp_path / turn)
        files = sorted((tmp_path / turn / "dist").iterdir())
        assert len(files) == 2
        hashes.add(tuple(hashlib.sha256(file.read_bytes()).hexdigest() for file in files))
    assert len(hashes) == 1


def test_what_is_published_says_where_it_was_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "somebody/pgvec-admin")
    with tarfile.open(packed(tmp_path)) as archive:
        inside = archive.extractfile("package/package.json")
        assert inside is not None
        described = json.load(inside)
    assert described["repository"]["url"] == "git+https://github.com/somebody/pgvec-admin.git"
    assert described["version"] == __version__
    for package in INTEGRATIONS:
        page = (staged(package, tmp_path) / "README.md").read_text()
        assert "](.." not in page
        assert (
            f"](https://github.com/somebody/pgvec-admin/blob/v{__version__}/docs/search.md" in page
            or "llama" in package.name
        )


def test_the_list_of_dependencies_has_what_pip_installs_with_its_hashes(tmp_path: Path) -> None:
    wheel = _wheel(INTEGRATIONS[0], tmp_path)
    dependencies(wheel, tmp_path)
    listed = json.loads((tmp_path / f"langchain-pgvec-{__version__}.cdx.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    hashes = {
        one["name"]: [part["content"] for reference in one["externalReferences"] for part in reference["hashes"]]
        for one in listed["components"]
    }
    assert {"langchain-pgvec", "langchain-core", "numpy", "psycopg", "pydantic"} <= hashes.keys()
    assert hashes["langchain-pgvec"] == [hashlib.sha256(wheel.read_bytes()).hexdigest()]
    assert all(len(found) == 1 and re.fullmatch("[0-9a-f]{64}", found[0]) for found in hashes.values())


def test_a_tag_of_another_version_builds_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    done = subprocess.run(
        [sys.executable, ROOT / "release" / "assemble.py", tmp_path, "--tag", "v0.0.1"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: the tag is v0.0.1, and the version {__version__}")
    assert kept.exists()


def test_a_tag_is_for_a_version_that_is_in_the_changelog_and_frozen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = tmp_path / "frozen.sql.gz"
    monkeypatch.setattr(assemble, "FROZEN", frozen)
    monkeypatch.setattr(assemble, "__version__", "9.9.9")
    with pytest.raises(assemble.UnfitError, match=r"CHANGELOG.md does not have 9\.9\.9"):
        assemble.check_version("v9.9.9")
    monkeypatch.setattr(assemble, "__version__", "0.2.0")
    with pytest.raises(assemble.UnfitError, match="make release-bundle"):
        assemble.check_version("v0.2.0")
    frozen.write_bytes(gzip.compress(f"{supabase.text()}-- edited".encode()))
    with pytest.raises(assemble.UnfitError, match="make release-bundle"):
        assemble.check_version("v0.2.0")
    frozen.write_bytes(gzip.compress(supabase.text().encode()))
    assemble.check_version("v0.2.0")


def _files_with(text: str) -> set[str]:
    kinds = ["*.toml", "*.py", "*.json", "*.sql", "Makefile"]
    command = ["git", "grep", "--files-with-matches", "--fixed-strings", text, "--", *kinds]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split())


def test_the_version_is_in_one_place() -> None:
    assert _files_with(f'"{__version__}"') == set()
    # oldest_client names the release that a command has to be of, which is not always the present one
    named = _files_with(f"'{__version__}'") - {"sql/functions/pgvec/base/oldest_client.sql"}
    assert named == {"sql/functions/pgvec/base/version.sql"}


def test_workflows_are_valid() -> None:
    assert RELEASE in WORKFLOWS
    tool = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    subprocess.run([*tool, *WORKFLOWS], check=True, stdout=subprocess.PIPE)


def test_only_a_tag_publishes_after_all_tests_and_without_a_kept_secret() -> None:
    text = RELEASE.read_text()
    described = yaml.safe_load(text)
    assert described[True] == {"push": {"tags": ["v*"]}}  # `on`, to YAML
    assert "secrets." not in text
    assert described["permissions"] == {"contents": "read"}
    jobs = described["jobs"]
    assert {name: job.get("environment") for name, job in jobs.items() if name not in ("ci", "build")} == {
        "python": "pypi",
        "npm": "npm",
        "site": "github-pages",
        "download": "release",
    }
    assert jobs["build"]["needs"] == "ci"

    def before(name: str) -> set[str]:
        needs = jobs[name].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*map(before, direct))

    assert all({"ci", "build"} <= before(name) for name in jobs if name not in ("ci", "build"))
    # whoever publishes builds nothing
    built = [name for name, job in jobs.items() if any("make" in step.get("run", "") for step in job.get("steps", []))]
    assert built == ["build"]
