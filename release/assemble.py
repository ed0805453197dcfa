"""Builds everything that a release publishes into one folder, and checks it.

    python release/assemble.py FOLDER [--tag v1.2.3] [--without-site]

The folder is made anew. In `python/` are wheel and sdist of each distribution, in `npm/` the package for npm, in
`site/` the documentation; in `assets/` is what is downloaded from a release: the engine as one SQL file, the site as an
archive, and a list of what each package depends on (SBOM, in CycloneDX's form). SHA256SUMS has the hash of every file.
With a tag the version must be that of the tag, in the changelog, and frozen. Built twice from one commit, the
distributions are the same to the byte.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from freeze import FROZEN

from pgvec_admin import __version__
from pgvec_admin.install import supabase

ROOT = Path(__file__).resolve().parents[1]
INTEGRATIONS = sorted(path.parent for path in (ROOT / "integrations").glob("*/pyproject.toml"))
NAME = f"pgvec-admin-{__version__}"


class UnfitError(Exception):
    """Why this cannot be a release."""


def run(*command: str | Path, cwd: Path = ROOT, given: str | None = None) -> str:
    """What a program prints. One that fails ends the build with what it said."""
    done = subprocess.run(command, cwd=cwd, input=given, capture_output=True, text=True)
    if done.returncode:
        raise UnfitError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def check_version(tag: str | None) -> None:
    """A tag is for a version that is released by it: in the changelog as such, its SQL frozen."""
    if tag is None:
        return
    if tag != f"v{__version__}":
        raise UnfitError(f"the tag is {tag}, and the version {__version__}: raise it in pgvec/base/version.sql")
    entry = re.search(rf"^## {re.escape(__version__)}\n+(.*)", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    if entry is None or entry[1].startswith("Not yet"):
        raise UnfitError(f"CHANGELOG.md does not have {__version__} as released")
    if not FROZEN.exists() or gzip.decompress(FROZEN.read_bytes()).decode() != supabase.text():
        raise UnfitError(f"{FROZEN.name} does not have the SQL of this version: make release-bundle, before the tag")


def staged(package: Path, folder: Path) -> Path:
    """A package of `integrations` with the licence and the version of this release, which it does not have there."""
    copy = folder / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "dist"))
    shutil.copy(ROOT / "LICENSE", copy)
    if repository := os.environ.get("GITHUB_REPOSITORY"):  # links out of the package lead nowhere on a registry's page
        page = copy / "README.md"
        where = f"](https://github.com/{repository}/blob/v{__version__}/"
        page.write_text(page.read_text().replace("](../../", where))
    described = copy / "pyproject.toml"
    text, found = re.subn(r'^version = "0\.0\.0"$', f'version = "{__version__}"', described.read_text(), flags=re.M)
    if found != 1:
        raise UnfitError(f"{package.name}: pyproject.toml should have version 0.0.0, which the release replaces")
    described.write_text(text)
    return copy


def distributions(folder: Path) -> list[Path]:
    """Wheels, each built by way of the sdist beside it."""
    with tempfile.TemporaryDirectory() as made:
        for project in (ROOT, *(staged(package, Path(made)) for package in INTEGRATIONS)):
            run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, project)
    files = sorted(folder.iterdir())
    run(sys.executable, "-m", "twine", "check", "--strict", *files)
    return [file for file in files if file.suffix == ".whl"]


def dependencies(wheel: Path, folder: Path) -> None:
    """What pip installs for a wheel today, with the hashes of the files."""
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    told = json.loads(run(sys.executable, "-m", "pip", "install", *options, wheel))
    lines = []
    for one in told["install"]:
        about, digest = one["metadata"], one["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{about['name']}=={about['version']} --hash=sha256:{digest}")
    name, version, *_ = wheel.name.split("-")
    target = folder / f"{name.replace('_', '-')}-{version}.cdx.json"
    tool = Path(sys.executable).with_name("cyclonedx-py")
    run(tool, "requirements", "--output-reproducible", "-o", target, "-", given="\n".join(lines))


def npm(folder: Path, assets: Path) -> None:
    """The package for npm, which has to answer with nothing but what it depends on, and a list of that."""
    package = Path(run(sys.executable, ROOT / "js" / "pack.py", folder).strip())
    with tempfile.TemporaryDirectory() as made:
        with tarfile.open(package) as archive:
            archive.extractall(made, filter="data")
        inside = Path(made) / "package"
        run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", cwd=inside)
        if (said := run("node", "bin/pgvec-admin.js", "--version", cwd=inside).strip()) != __version__:
            raise UnfitError(f"the npm package says that it is {said}")
        listed = run("npm", "sbom", "--sbom-format", "cyclonedx", cwd=inside)
    (assets / f"{NAME}-npm.cdx.json").write_text(listed, encoding="utf-8")


def site(folder: Path, assets: Path) -> None:
    """The documentation, as a folder and as an archive."""
    with tempfile.TemporaryDirectory() as made:
        run(sys.executable, ROOT / "website" / "runnable_pages.py", made)
        shutil.copytree(Path(made) / "site", folder)
    with tarfile.open(assets / f"{NAME}-site.tar.gz", "w:gz") as archive:
        archive.add(folder, arcname="site")


def assemble(folder: Path, tag: str | None = None, *, with_site: bool = True) -> None:
    """Everything, or UnfitError."""
    check_version(tag)
    os.environ["SOURCE_DATE_EPOCH"] = run("git", "log", "-1", "--format=%ct").strip()
    shutil.rmtree(folder, ignore_errors=True)
    assets = folder / "assets"
    assets.mkdir(parents=True)
    for wheel in distributions(folder / "python"):
        dependencies(wheel, assets)
    npm(folder / "npm", assets)
    (assets / f"{NAME}.sql").write_text(supabase.text(), encoding="utf-8")
    if with_site:
        site(folder / "site", assets)
    files = sorted(path for part in ("assets", "npm", "python") for path in (folder / part).iterdir())
    hashes = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(hashes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tag", help="the tag that is released, such as v1.2.3")
    parser.add_argument("--without-site", action="store_true")
    chosen = parser.parse_args()
    try:
        assemble(chosen.folder.resolve(), chosen.tag or None, with_site=not chosen.without_site)
    except UnfitError as reason:
        sys.exit(f"error: {reason}")
    sys.stdout.write((chosen.folder / "SHA256SUMS").read_text())


if __name__ == "__main__":
    main()
