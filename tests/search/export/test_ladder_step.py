from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from search.cli.app import main
from search.errors import InputError, TrialError
from search.export.command import export
from search.ladder.records import Replay, Replays
from search.ladder.replay import replay_steps
from search.ladder.selection import ReplayPlan, choose_steps
from search.storage.database import open_storage
from search.workers.stop import StopSignal
from tests.search.ladder_texts import UNREPORTED, written
from tests.search.small_studies import url_in, worker_context
from trainer.data import open_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ladder, one of whose steps was replayed with two seeds, which a test may not change."""
    folder = tmp_path_factory.mktemp("ladder")
    (folder / "studies").mkdir()
    plan = ReplayPlan((written(folder, UNREPORTED),), ("skeleton",))
    replays = Replays(open_storage(url_in(folder), create=True).engine)
    steps = choose_steps(plan, folder)
    replay_steps(
        steps, 2, replays, folder / "studies" / "artifacts", worker_context(), StopSignal()
    )
    return folder


def kept(folder: Path) -> tuple[Replays, list[Replay]]:
    """The replays of the step in this folder."""
    replays = Replays(open_storage(url_in(folder)).engine)
    (step,) = choose_steps(ReplayPlan((folder / "ladder.toml",), ("skeleton",)), folder)
    return replays, replays.of([step.fingerprint])[step.fingerprint]


def test_a_step_is_exported_with_the_weights_of_its_first_replay(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The package has the accuracy of the replay, and its card says what it is and how tested."""
    _, (first, second) = kept(folder)
    out, url = tmp_path / "step_net", url_in(folder)
    ladder = str(folder / "ladder.toml")
    options = ["--step", "skeleton", "--out", str(out), "--storage", url]
    assert main(["export", ladder, *options]) == 0
    assert "step skeleton of small, seed 1, 152 parameters" in capsys.readouterr().out
    monkeypatch.syspath_prepend(str(tmp_path))
    from step_net import load

    test = open_dataset("digits", tmp_path).test()
    with torch.no_grad():
        classes = load()(test.pixels.float() / 255).argmax(dim=1)
    assert float((classes == test.labels).float().mean()) == pytest.approx(first.last, abs=1e-6)
    figures = json.loads((out / "architecture.json").read_text())["figures"]
    assert [run["accuracy"] for run in figures["runs"]] == [first.last, second.last]
    assert (figures["kind"], figures["validation_floor"]) == ("step", None)
    card = (out / "README.md").read_text()
    assert "Step skeleton of the ladder small, trained with 2 seeds." in card
    assert "tested after every epoch" in card
    assert "Found" not in card
    assert "validation" not in card


def test_a_kept_ladder_is_printed_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--json`` standard output is JSON alone; progress is on standard error."""
    options = ["--step", "skeleton", "--json", "--device", "cpu", "--storage", url_in(folder)]
    assert main(["ladder", str(folder / "ladder.toml"), *options]) == 0
    printed = capsys.readouterr()
    (step,) = json.loads(printed.out)
    last = [replay.last for replay in kept(folder)[1]]
    assert step["last"]["mean"] == pytest.approx(sum(last) / 2)
    assert step["reported"] is None
    assert "kept already" in printed.err


def test_what_cannot_be_exported_is_refused(folder: Path, tmp_path: Path) -> None:
    """A ladder needs a step, a step a replay with weights that are whole; a trial is another."""
    path, url = folder / "ladder.toml", url_in(folder)
    out = tmp_path / "net"
    with pytest.raises(InputError, match="give --step NAME, one of skeleton, rotation"):
        export(path, out, storage=url)
    with pytest.raises(InputError, match="give one of them"):
        export(path, out, step="skeleton", trial=1, storage=url)
    with pytest.raises(TrialError, match="no finished replay yet; use flyweight ladder"):
        export(path, out, step="rotation", storage=url)
    replays, both = kept(folder)
    weights = folder / "studies" / "artifacts" / (both[0].weights or "")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"\x7f")
    with pytest.raises(TrialError, match=r"checksum .* another seed: .* --seeds 3"):
        export(path, out, step="skeleton", storage=url)
    weights.write_bytes(whole)
    replays.save(dataclasses.replace(both[0], weights=None))
    assert export(path, out, step="skeleton", storage=url).recipe.seed == 2
    replays.save(dataclasses.replace(both[1], weights=None))
    with pytest.raises(TrialError, match=r"without weights, by an older version; .* --seeds 3"):
        export(path, out, step="skeleton", storage=url)
    for replay in both:
        replays.save(replay)
