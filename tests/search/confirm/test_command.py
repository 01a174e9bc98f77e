from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from optuna.artifacts import FileSystemArtifactStore, download_artifact
from PIL import Image
from rich.console import Console
from safetensors.torch import load_file

from search.cli.summary import confirm_summary
from search.confirm.choice import champion_of
from search.confirm.command import confirm
from search.dashboard.attributes import study_attributes
from search.errors import InputError, ResumeError
from search.export.command import export
from search.status import Status, status, status_text
from search.study.confirms import Confirm, load_confirm
from search.study.records import TrialRecord
from search.study.study import StoredStudy
from search.text import percent
from search.workers.data import final_split, open_data
from space.architecture import Architecture
from space.deployed.cost import deployed_cost
from space.network import build
from tests.search.export.c.compiled import COMPILERS, compiled, logits_of, needs_compiler
from tests.search.small_studies import (
    begun,
    flyweight,
    kill_all,
    quiet,
    reopened,
    search_here,
    template,
    url_in,
    wait_for,
)
from trainer.metrics import accuracy

SPACE = template("conv3 {a} relu bn", "gap", "linear 3", a="[4, 6, 8]")
CLASSES = ("left", "right", "top")

pytestmark = pytest.mark.usefixtures("warm_workers")


def _draw_images(folder: Path, count: int, seed: int) -> None:
    """Noisy 8x8 images that are brighter on one side, which is their class."""
    random = np.random.default_rng(seed)
    for name in CLASSES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = random.integers(0, 180, (8, 8), dtype=np.uint8)
            side = {"left": np.s_[:, :3], "right": np.s_[:, 5:], "top": np.s_[:3, :]}[name]
            pixels[side] += 60
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def _spoil(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        path.write_bytes(b"not to be read yet")


@dataclass(frozen=True)
class Confirmed:
    """A confirm whose test images could not be read until its selection was over."""

    folder: Path
    stored: StoredStudy
    refusal: str
    before: Confirm
    after: Confirm
    printed: str


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory: pytest.TempPathFactory, warm_workers: None) -> Confirmed:
    """A study of images in a folder, confirmed in two goes."""
    folder = tmp_path_factory.mktemp("confirmed")
    _draw_images(folder / "images" / "train", 30, 1)
    _draw_images(folder / "images" / "test", 20, 2)
    _spoil(folder / "images" / "test")
    stored = begun(
        folder, dataset=f"folder:{folder / 'images'}", space=SPACE, epochs=3, batch_size=16
    )
    search_here(stored, 3)
    how = {"storage": url_in(folder), "device": "cpu", "workers": 2}
    with pytest.raises(InputError) as caught:
        confirm("tiny", top=2, seeds=2, console=quiet(), **how)  # type: ignore[arg-type]
    before = load_confirm(stored, 1)
    _draw_images(folder / "images" / "test", 20, 2)
    file = StringIO()
    console = Console(file=file, width=200)
    after = confirm("tiny", console=console, **how)  # type: ignore[arg-type]
    return Confirmed(folder, stored, str(caught.value), before, after, file.getvalue())


def _record(confirmed: Confirmed, trial: int) -> TrialRecord:
    return confirmed.stored.records()[trial]


def test_the_test_set_is_read_after_the_choice(confirmed: Confirmed) -> None:
    """The whole selection went through while no test image could be read; then one was missed."""
    assert confirmed.before.selected
    assert confirmed.before.final == ()
    assert "test" in confirmed.refusal
    assert "cannot be read as an image" in confirmed.refusal
    assert "\n" not in confirmed.refusal


def test_a_confirm_goes_on_where_it_stopped(confirmed: Confirmed) -> None:
    """What was retrained before the interruption is kept, seconds and all."""
    assert confirmed.after.selection == confirmed.before.selection
    assert confirmed.after.plan == confirmed.before.plan
    assert confirmed.after.finished
    assert confirmed.printed.count("selection") == 0
    assert confirmed.printed.count("final ") == 2


def test_the_best_trials_are_repeated_with_the_same_seeds(confirmed: Confirmed) -> None:
    """The top trials by score are retrained, each with the seeds that the others have."""
    plan = confirmed.after.plan
    scores = sorted((r.score or 0 for r in confirmed.stored.records()), reverse=True)
    assert [_record(confirmed, trial).score for trial in plan.trials] == scores[:2]
    seeds = {r.trial: set() for r in confirmed.after.selection}  # type: ignore[var-annotated]
    for repeat in confirmed.after.selection:
        seeds[repeat.trial].add(repeat.seed)
    assert len(seeds) == 2
    assert all(len(own) == 2 for own in seeds.values())
    assert len({frozenset(own) for own in seeds.values()}) == 1
    assert {repeat.seed for repeat in confirmed.after.final} == next(iter(seeds.values()))


def test_the_champion_has_the_highest_mean_floor(confirmed: Confirmed) -> None:
    """Only the champion is retrained on the whole training set."""
    means = {
        trial: fmean(confirmed.after.validation_floors(trial))
        for trial in confirmed.after.plan.trials
    }
    assert means[champion_of(confirmed.after)] == max(means.values())
    assert {repeat.trial for repeat in confirmed.after.final} == {champion_of(confirmed.after)}
    assert all(len(repeat.accuracies) == 3 for repeat in confirmed.after.final)


def test_the_kept_weights_give_the_test_figures(confirmed: Confirmed) -> None:
    """The first final seed's weights, loaded anew, score on the test set as was recorded."""
    stored, first = confirmed.stored, confirmed.after.final[0]
    assert [repeat.weights is not None for repeat in confirmed.after.final] == [True, False]
    assert first.weights is not None
    path = confirmed.folder / "weights.safetensors"
    download_artifact(
        artifact_store=FileSystemArtifactStore(stored.artifacts),
        artifact_id=first.weights,
        file_path=str(path),
    )
    network = build(_record(confirmed, first.trial).candidate((1, 8, 8)).architecture)
    network.load_state_dict(load_file(path))
    data = final_split(open_data(stored.file, confirmed.folder), torch.device("cpu"))
    assert len(data.training) == 90
    assert accuracy(network, data.evaluation, data.normalisation) == first.last


@needs_compiler
def test_the_exported_c_scores_as_was_measured(confirmed: Confirmed, tmp_path: Path) -> None:
    """The champion's C in whole numbers scores on the test set what confirm measured in int8."""
    storage = url_in(confirmed.folder)
    out = tmp_path / "net"
    export("tiny", out, "c-int8", storage=storage, data=confirmed.folder)
    data = final_split(open_data(confirmed.stored.file, confirmed.folder), torch.device("cpu"))
    images = data.evaluation.pixels.permute(0, 2, 3, 1).contiguous().numpy()
    found = logits_of(compiled(out, COMPILERS[0]), images).argmax(1)
    measured = [repeat.int8 for repeat in confirmed.after.final]
    assert (found == data.evaluation.labels.numpy()).mean() == pytest.approx(measured[0])
    assert None not in measured
    assert None not in [repeat.int8 for repeat in confirmed.after.selection]
    assert "in int8" in (out / "README.md").read_text()


def test_what_runs_on_a_chip_is_shown(confirmed: Confirmed) -> None:
    """Status and dashboard have the bytes of the champion and its measured accuracy in int8."""
    champion = champion_of(confirmed.after)
    measured = confirmed.after.test_int8_of(champion)
    assert len(measured) == 2
    (state,) = status("tiny", storage=url_in(confirmed.folder))
    shown = status_text(state)
    assert state.test_int8 == tuple(measured)
    assert f", in int8 {percent(fmean(measured))} after the last epoch" in shown
    assert state.best is not None
    assert f"RAM {deployed_cost(_architecture(state)).ram_kib:,.1f} KiB" in shown.split("front")[0]
    kept = study_attributes(confirmed.stored.study.user_attrs)
    final = [text for key, text in kept.items() if ":final:" in key]
    assert {f"in int8 {percent(figure)} on the test set" for figure in measured} == {
        text.rpartition(", ")[2] for text in final
    }


def _architecture(state: Status) -> Architecture:
    return Architecture.parse((state.architecture or "").splitlines()[1:], (1, 8, 8))


def test_a_second_call_shows_the_first(confirmed: Confirmed) -> None:
    """A finished confirm is shown, not repeated; other numbers need --again."""
    file = StringIO()
    how = {"storage": url_in(confirmed.folder), "device": "cpu"}
    shown = confirm("tiny", console=Console(file=file), **how)  # type: ignore[arg-type]
    assert shown == confirm("tiny", top=2, seeds=2, **how)  # type: ignore[arg-type]
    assert shown == confirmed.after
    assert file.getvalue() == ""
    for numbers in ({"top": 3}, {"seeds": 5}):
        with pytest.raises(ResumeError, match="--again"):
            confirm("tiny", **numbers, **how)  # type: ignore[arg-type]


def test_the_table_says_which_set_its_figures_are_from(confirmed: Confirmed) -> None:
    """Validation and test figures stand apart, with the number of seeds beside the mean."""
    words = confirm_summary(confirmed.stored, confirmed.after)
    assert "validation floor over 2 seeds" in words
    assert "on the test set" in words
    assert "(n = 2)" in words
    assert f"trial {champion_of(confirmed.after):>4}" in words
    assert words.count("champion") == 2


@pytest.mark.slow
def test_a_selection_stops_before_the_test_set(confirmed: Confirmed, tmp_path: Path) -> None:
    """It retrains on validation alone, is over then, and the same confirm goes on from there."""
    shutil.copytree(confirmed.folder, tmp_path, dirs_exist_ok=True)
    how = {"storage": url_in(tmp_path), "device": "cpu", "workers": 1, "console": quiet()}
    chosen = confirm("tiny", again=True, selection=True, top=1, seeds=1, **how)  # type: ignore[arg-type]
    assert (chosen.plan.ordinal, chosen.selected, chosen.final) == (2, True, ())
    assert confirm("tiny", selection=True, **how) == chosen  # type: ignore[arg-type]
    stored = reopened(tmp_path)
    assert "the test set was not read" in confirm_summary(stored, chosen)
    another = confirm("tiny", again=True, selection=True, top=1, seeds=1, **how)  # type: ignore[arg-type]
    assert another.plan.ordinal == 3
    whole = confirm("tiny", **how)  # type: ignore[arg-type]
    assert (whole.plan.ordinal, whole.finished) == (3, True)
    assert whole.selection == another.selection


def test_again_begins_another(confirmed: Confirmed) -> None:
    """A new confirm has the next ordinal and seeds of its own, and is the one shown from then."""
    how = {"storage": url_in(confirmed.folder), "device": "cpu", "workers": 2, "console": quiet()}
    second = confirm("tiny", again=True, top=1, seeds=1, **how)  # type: ignore[arg-type]
    assert second.plan.ordinal == 2
    assert second.finished
    old = {repeat.seed for repeat in confirmed.after.selection}
    assert not old & {repeat.seed for repeat in (*second.selection, *second.final)}
    assert confirm("tiny", **how) == second  # type: ignore[arg-type]
    assert load_confirm(confirmed.stored, 1) == confirmed.after


def test_an_interrupted_confirm_keeps_what_is_done(tmp_path: Path) -> None:
    """Ctrl-C ends with 130 and a word on how to go on; kill -9 loses one retraining at most."""
    stored = begun(tmp_path, space=SPACE.replace("linear 3", "linear 10"), epochs=100, trials=1)
    search_here(stored, 1)
    # One worker, so that retrainings are left when the first has ended.
    arguments = (
        "confirm",
        "tiny",
        "--top",
        "1",
        "--seeds",
        "5",
        "--workers",
        "1",
        "--device",
        "cpu",
    )

    def done() -> int:
        return len(_selection(stored))

    process = flyweight(tmp_path, *arguments)
    wait_for(lambda: done() >= 1, "a retraining ends")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "run the same command to resume" in errors
    assert errors.count("\n") == 1
    kept = _selection(stored)
    assert len(kept) < 5

    process = flyweight(tmp_path, *arguments)
    wait_for(lambda: done() > len(kept), "another retraining ends")
    kill_all(process)
    assert all(repeat in _selection(stored) for repeat in kept)
    kept = _selection(stored)

    how = {"storage": url_in(tmp_path), "device": "cpu", "workers": 2, "console": quiet()}
    result = confirm("tiny", **how)  # type: ignore[arg-type]
    assert result.finished
    assert all(repeat in result.selection for repeat in kept)
    assert len({repeat.seed for repeat in result.selection}) == 5


def _selection(stored: StoredStudy) -> list[object]:
    seen = reopened(Path(stored.artifacts).parents[1])
    return list(load_confirm(seen, 1).selection) if "confirm:1" in seen.study.user_attrs else []
