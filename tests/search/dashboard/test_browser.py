from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.search.shown_studies import SMALL, WIDE, add_trial, new_study, served

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BROWSER, reason="no chromium or google-chrome on the path"),
]


def page(address: str, profile: Path) -> str:
    """The text of a page after its scripts ran."""
    command = [BROWSER, "--headless", "--disable-gpu", "--disable-dev-shm-usage"]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    command += [f"--user-data-dir={profile}", "--virtual-time-budget=15000", "--dump-dom", address]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=300
    ).stdout.replace("<!-- -->", "")


def test_a_browser_shows_the_best_trial_that_fits(tmp_path: Path) -> None:
    """A study's page names the best that fits as best, and a trial's page its figures."""
    stored = new_study(tmp_path)
    for text, score in ((SMALL, 0.90), (WIDE, 0.99), (SMALL, 0.95), (WIDE, None)):
        add_trial(stored, text, score, keep=score == 0.95)
    with served(stored) as (address, _process):
        study = page(address, tmp_path / "profile")
        trial = page(f"{address}/trials?numbers=2", tmp_path / "profile")
        note = page(f"{address}/note", tmp_path / "profile")
    assert "Best Trial (number=2)" in study
    assert "0.95" in study
    assert "Trial 2 (trial_id=3)" in trial
    assert "parameters 178" in trial
    assert "weights.safetensors" in trial
    assert "Accuracy against parameters (1 of 4 rejected" in study
    assert "3 complete, 1 rejected" in note
    assert "How to read these pages" in note
