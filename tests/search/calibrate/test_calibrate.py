from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from random import Random
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from search.calibrate import calibrate
from search.calibrate import plan as planning
from search.calibrate.analysis import Calibration, analyse
from search.calibrate.command import calibration_of
from search.calibrate.plan import CalibrationPlan, make_plan
from search.calibrate.records import Calibrations, CandidateTraining, calibration_key
from search.calibrate.training import train_candidates
from search.cli.app import main
from search.cli.summary import calibration_summary
from search.errors import InputError, WorkFailed
from search.spec.study_file import StudyFile
from search.status import status, status_text
from search.storage.database import open_storage
from search.workers.stop import StopSignal
from space.cost import cost
from tests.search.small_studies import (
    HARDLY_EVER_FITS,
    SKELETON,
    begun,
    quiet,
    url_in,
    worker_context,
    write_study,
)
from trainer.loop import Epoch

SPACE = SKELETON.replace("high = 8", "high = 16")


def _training(
    candidate: int,
    repeat: int,
    accuracies: list[float],
    losses: list[float] | None = None,
    failure: str = "",
) -> CandidateTraining:
    losses = losses or [1.0] * len(accuracies)
    epochs = tuple(
        Epoch(number, loss, 0.5, accuracy, 0.1)
        for number, (accuracy, loss) in enumerate(zip(accuracies, losses, strict=True))
    )
    return CandidateTraining(candidate, repeat, "gap", 10, {}, epochs, 1.0, failure)


def _plan(folder: Path, candidates: int = 4, seeds: int = 2, **values: object) -> CalibrationPlan:
    study = write_study(folder, **{"space": SPACE, "epochs": 2, **values})
    return make_plan(study, url_in(folder), folder, candidates, seeds)


def _kept(folder: Path, plan: CalibrationPlan) -> Calibrations:
    return Calibrations(open_storage(url_in(folder), create=True).engine, plan.key)


class StopsAfter(StopSignal):
    """A signal to stop that comes when it was looked at so often."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def __bool__(self) -> bool:
        self._left -= 1
        return self._left < 0


def test_a_calibration_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Workers train it once; status of a study that differs in its sampler alone knows it."""
    monkeypatch.chdir(tmp_path)
    study = str(write_study(tmp_path, space=SPACE, epochs=2))
    arguments = ["calibrate", study, "--candidates", "3", "--seeds", "2", "--workers", "1"]
    assert main([*arguments, "--device", "cpu", "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert (found["candidates"], found["trainings"], found["failed"]) == (3, 9, 0)
    assert found["difference"] == pytest.approx(2 * 2**0.5 * found["noise"]["floor"])
    assert [len(of) for of in found["correlations"].values()] == [2, 2, 2]
    assert printed.err.count("validation floor") == 9

    assert main([*arguments, "--device", "cpu"]) == 0
    again = capsys.readouterr()
    assert "seeds differ by" in again.out
    assert "(standard deviation of 2 seeds, the median of 3 candidates)" in again.out
    assert "validation floor" not in again.out + again.err

    stored = begun(tmp_path, name="other", space=SPACE, epochs=2, sampler="random", seed=5)
    (state,) = status("other", storage=stored.url)
    assert state.difference == pytest.approx(found["difference"])
    apart = f"floors are {100 * found['difference']:.2f} points apart"
    assert apart in status_text(state)
    other = begun(tmp_path, name="wider", space=SKELETON, epochs=2)
    assert calibration_of(other) is None
    assert "points apart" not in status_text(status("wider", storage=stored.url)[0])


def test_what_was_finished_is_kept(tmp_path: Path) -> None:
    """A worker that is stopped leaves whole trainings, and the next one trains only the rest."""
    plan = _plan(tmp_path)
    kept = _kept(tmp_path, plan)
    train_candidates(plan, kept, worker_context(), StopsAfter(4))
    before = kept.trainings()
    assert 0 < len(before) < 4
    assert plan.left(before) == 10 - len(before)
    train_candidates(plan, kept, worker_context(), StopSignal())
    after = kept.trainings()
    assert plan.left(after) == 0
    assert [t for t in after if t in before] == before
    assert sum(training.repeat == 0 for training in after) == 4
    assert len({training.recipe["seed"] for training in after}) == len(after) == 10
    for number in plan.repeated(after):
        texts = {t.architecture for t in after if t.candidate == number}
        assert texts == {str(plan.candidates[number].architecture)}
    floors = {t.candidate: t.floor(1) for t in after if t.repeat == 0}
    left_out = (set(range(4)) - set(plan.repeated(after))).pop()
    assert floors[left_out] == min(floors.values())


def test_more_can_be_asked_for_later(tmp_path: Path) -> None:
    """A larger plan begins with the candidates and the trainings of the smaller one."""
    small, large = _plan(tmp_path, 3, 2), _plan(tmp_path, 5, 3)
    assert small.key == large.key
    assert large.candidates[:3] == small.candidates
    kept = _kept(tmp_path, small)
    train_candidates(small, kept, worker_context(), StopSignal())
    before = kept.trainings()
    assert large.left(before) == 5 + 9 - 3
    train_candidates(large, kept, worker_context(), StopSignal())
    assert large.left(kept.trainings()) == 0
    assert [t for t in kept.trainings() if t in before] == before
    assert small.left(kept.trainings()) == 0


def test_candidates_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is drawn twice; where the space has no more, as many as there are can be asked for."""
    three = SPACE.replace("high = 16", "high = 6")
    fixed = {"space": three, "learning_rate": 0.01}
    plan = _plan(tmp_path, 3, **fixed)
    assert len({candidate.key for candidate in plan.candidates}) == 3
    monkeypatch.setattr(planning, "_MOST_DRAWS", 150)
    with pytest.raises(WorkFailed, match=r"only 3 different .* give --candidates 3, or change"):
        _plan(tmp_path, 4, **fixed)


def test_every_candidate_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only candidates that a search would train are drawn; where there are too few it says so."""
    budget = StudyFile.load(write_study(tmp_path, parameters=700)).budget
    plan = _plan(tmp_path, 6, parameters=700)
    assert all(cost(c.architecture).parameters <= (budget.parameters or 0) for c in plan.candidates)
    monkeypatch.setattr(planning, "_MOST_DRAWS", 150)
    with pytest.raises(WorkFailed, match="only 0 different candidates among 150 drawn at random"):
        _plan(tmp_path, 500, space=HARDLY_EVER_FITS, parameters=80)


def test_the_key_is_of_what_decides_the_trainings(tmp_path: Path) -> None:
    """Name, sampler, pruner, seed and floor do not change it; recipe, space and images do."""

    def key(images: str = "a", **values: object) -> str:
        path = write_study(tmp_path, **{"space": SPACE, **values})
        file = StudyFile.load(path)
        assert calibration_key(StudyFile.from_dict(file.to_dict()), images) == calibration_key(
            file, images
        )
        return calibration_key(file, images)

    assert key() == key(name="b", sampler="random", pruner="halving", seed=3, trials=9)
    assert len({key(), key("b"), key(epochs=3), key(parameters=900), key(space=SKELETON)}) == 5


def test_the_noise_by_hand() -> None:
    """It is of the other seeds alone: a candidate was chosen by its first training."""
    first = [_training(i, 0, [0.1, 0.9 + i / 100]) for i in range(3)]
    one, two = [0.90, 0.92, 0.94], [0.80, 0.81]
    more = [_training(1, i, [0.5, value]) for i, value in enumerate(one, 1)]
    more += [_training(2, i, [0.5, value]) for i, value in enumerate(two, 1)]
    more += [_training(2, 3, [0.5], failure="the loss is not finite")]
    noise = analyse("a", 1, [*first, *more]).noise
    assert noise is not None
    squares = [stdev(one) ** 2 / (8 / 9) ** 3, stdev(two) ** 2 / (7 / 9) ** 3]
    middle = (sum(squares) / 2) ** 0.5
    assert noise.floor == pytest.approx(middle)
    assert noise.mean == pytest.approx(middle / 2)
    assert (noise.candidates, noise.seeds) == (2, 3)
    assert noise.difference == pytest.approx(2 * 2**0.5 * middle)
    assert analyse("a", 1, first).noise is None


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_noise_is_the_deviation_whatever_one_candidate_does(seeds: int) -> None:
    """Of normal figures it is their deviation; one erratic candidate hardly moves it."""
    random = Random(seeds)
    trainings = [
        _training(candidate, repeat, [random.gauss(0.9, 0.01 if candidate else 0.3)])
        for candidate in range(400)
        for repeat in range(seeds + 1)
    ]
    noise = analyse("a", 1, trainings).noise
    assert noise is not None
    assert noise.floor == pytest.approx(0.01, rel=0.08)


def test_the_first_rung_by_hand() -> None:
    """The first epoch after which any statistic ranks as the end does is named, and which one."""
    curves = {  # the ranks after the first epoch are wrong, after the second the losses' are right
        0: ([0.3, 0.30, 0.1, 0.5], [1.0, 0.9, 0.1, 0.1]),
        1: ([0.2, 0.40, 0.2, 0.6], [1.1, 0.7, 0.1, 0.1]),
        2: ([0.1, 0.25, 0.3, 0.7], [1.2, 0.5, 0.1, 0.1]),
    }
    found = analyse("a", 1, [_training(i, 0, *of) for i, of in curves.items()])
    assert found.correlations["accuracy"] == pytest.approx((-1.0, -0.5, 1.0, 1.0))
    assert found.correlations["loss"][:2] == pytest.approx((-1.0, 1.0))
    assert found.correlations["loss"][2:] == (None, None)
    assert found.correlations["summed loss"] == pytest.approx((-1.0, 1.0, 1.0, 1.0))
    assert (found.first_rung, found.rung_statistic) == (2, "summed loss")
    assert "after 2 epochs: summed loss" in calibration_summary(found)
    late = analyse("a", 1, [_training(i, 0, [-i / 10, i / 10]) for i in range(3)])
    assert (late.first_rung, late.rung_statistic) == (None, None)
    assert 'pruner = "none"' in calibration_summary(late)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=6))
def test_a_rung_is_never_the_end(curves: list[list[float]]) -> None:
    """Whatever the trainings are, a rung lies before the last epoch and correlates enough."""
    trainings = [_training(i, 0, accuracies) for i, accuracies in enumerate(curves)]
    found = analyse("a", 1, [*trainings, _training(99, 0, [0.5], failure="no")])
    assert (found.candidates, found.failed) == (len(curves) + 1, 1)
    if found.first_rung is not None:
        assert found.rung_statistic is not None
        assert found.first_rung < 3
        assert (found.correlations[found.rung_statistic][found.first_rung - 1] or 0) >= 0.7
    calibration_summary(found)
    assert isinstance(json.loads(json.dumps(found.to_dict())), dict)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"candidates": 2}, "candidates: 2 says nothing"), ({"seeds": 1}, "seeds: 1 says nothing")],
)
def test_numbers_that_say_nothing_are_refused(
    tmp_path: Path, numbers: dict[str, int], message: str
) -> None:
    """Fewer than three candidates have no ranks, fewer than two seeds no deviation."""
    study = write_study(tmp_path, space=SPACE)
    with pytest.raises(InputError, match=message):
        calibrate(study, storage=url_in(tmp_path), console=quiet(), **numbers)


def test_a_recipe_that_always_fails_is_told(tmp_path: Path) -> None:
    """Where every candidate diverges there is nothing to rank, and the reason is named."""
    study = write_study(
        tmp_path, space=SPACE, epochs=1, optimizer="sgd", learning_rate=100.0, batch_size=16
    )
    plan = make_plan(study, url_in(tmp_path), tmp_path, 3, 2)
    kept = _kept(tmp_path, plan)
    for number in range(3):
        kept.save(_training(number, 0, [0.1], failure="the loss of epoch 1 is not finite"))
    with pytest.raises(WorkFailed, match=r"all 3 candidates failed.*epoch 1 is not finite"):
        calibrate(
            study,
            candidates=3,
            seeds=2,
            storage=url_in(tmp_path),
            data=tmp_path,
            device="cpu",
            console=Console(file=StringIO()),
        )


def test_a_calibration_prints_as_a_line() -> None:
    """In a notebook its result is one line with what matters."""
    found: Calibration = analyse("a", 1, [_training(0, 0, [0.5])])
    assert repr(found) == "calibration of a: seeds differ by unknown; first rung: none"
