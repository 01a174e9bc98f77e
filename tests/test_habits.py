from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


def test_commits_are_checked_as_make_checks() -> None:
    """The hooks of pre-commit run the commands of ``make check``, in that order."""
    makefile = (ROOT / "Makefile").read_text()
    target = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.M)
    assert target is not None
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in target[1].splitlines()]
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert [hook["entry"] for hook in hooks] == commands
    assert config["fail_fast"] is True


@pytest.mark.parametrize("name", ["bug", "idea"])
def test_issue_forms_ask_for_what_helps(name: str) -> None:
    """Each form has what GitHub needs and asks for study file, message and version."""
    text = (ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text()
    form = yaml.safe_load(text)
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(field["attributes"]["label"] for field in form["body"])
    for wanted in ("study file", "message", "`flyweight --version`"):
        assert wanted in text.lower()
