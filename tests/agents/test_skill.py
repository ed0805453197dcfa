"""The skill for agents and AGENTS.md: every command in them is run, and what they name is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import console
from command import COMMANDS
from pages import ROOT, steps_of
from pgvec_admin.install import functions
from supabase_project import Project

SKILL = ROOT / "skills" / "pgvec" / "SKILL.md"
AGENTS = ROOT / "AGENTS.md"
PUBLIC = {file.name.removeprefix("public.") for file in functions.files() if file.name.startswith("public.")}


def test_every_command_of_the_skill_prints_what_it_says(project: Project, tmp_path: Path) -> None:
    text = SKILL.read_text()
    steps = steps_of(text)
    assert len(steps) >= 10
    with console.reader(text, tmp_path, project) as run:
        for step in steps:
            run(step)


def test_the_skill_says_when_it_is_for() -> None:
    head = yaml.safe_load(SKILL.read_text().split("---\n")[1])
    assert head["name"] == SKILL.parent.name == "pgvec"
    assert re.fullmatch(r"[a-z0-9-]{1,64}", head["name"])
    assert 100 < len(head["description"]) <= 1024
    assert len(SKILL.read_text().splitlines()) < 500


@pytest.mark.parametrize("page", [SKILL, AGENTS], ids=["skill", "agents"])
def test_what_it_names_is_there(page: Path) -> None:
    text = page.read_text()
    commands = set(re.findall(r"pgvec-admin ([a-z]+(?: [a-z]+)?)\b", text))
    groups = {" ".join(name.split()[:depth]) for name in COMMANDS for depth in range(1, len(name.split()))}
    unknown = {
        name
        for name in commands
        if (name if name.split()[0] in groups else name.split()[0]) not in {*COMMANDS, *groups}
    }
    assert unknown == set()
    called = set(re.findall(r"`([a-z_]+)\(", text))
    assert called - PUBLIC - {"set_config"} == set()
    engine = {file.name for file in functions.files()}
    assert set(re.findall(r"\b(pgvec\.[a-z_]+)\(", text)) <= engine
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / link).exists()
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True).returncode == 0


def test_the_skill_has_every_operator_and_every_function_for_searching() -> None:
    text = SKILL.read_text()
    operators = set(re.findall(r"^    \('(\$\w+)'", (functions_file("pgvec.filter_operators")).read_text(), flags=re.M))
    assert len(operators) > 10
    assert {one for one in operators if one not in text} == set()
    searching = {name for name in PUBLIC if not name.startswith(("kw_", "match_documents_", "match_vectors"))}
    embedding = {name for name in searching if "embed" in name}
    assert {name for name in searching - embedding - {"delete_documents"} if f"{name}(" not in text} == set()


def functions_file(name: str) -> Path:
    return ROOT / "sql" / "functions" / next(file.path for file in functions.files() if file.name == name)
