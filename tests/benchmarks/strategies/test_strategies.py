from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.spec.candidate import Candidate
from search.spec.study_file import StudyFile
from search.study.records import Outcome, TrialRecord
from search.study.study import StoredStudy, open_study
from search.workers.data import DataSplit
from search.workers.stop import StopSignal
from search.workers.training import Training
from tests.benchmarks.strategies import judging, searching
from tests.benchmarks.strategies.figures import curve_of, difference_of, resolvable
from tests.benchmarks.strategies.images import choose_images, make_images
from tests.benchmarks.strategies.judging import judge_all, judgement_of
from tests.benchmarks.strategies.protocol import PROTOCOLS, Protocol, Run, runs_of
from tests.benchmarks.strategies.recommending import (
    Recommendation,
    first_trainings,
    recommendations,
    recommended,
)
from tests.benchmarks.strategies.report import report
from tests.benchmarks.strategies.searching import (
    Work,
    is_finished,
    recommended_by,
    search_all,
    summary_of,
    trained_records,
)

TINY = """
[study]
name = "tiny"
dataset = "npz:tiny.npz"
floor_epochs = 1
pruner = "none"

[budget]
parameters = 400

[space]
layers = ["conv3 {a} relu bn", "gap", "linear 4"]
a = { low = 2, high = 8 }

[recipe]
epochs = 1
batch_size = 16
schedule = "none"
learning_rate = { low = 5e-3, high = 5e-2, log = true }
"""

RUNS = runs_of(["random", "tpe"], range(2))


class StopsAfter(StopSignal):
    """A signal to stop that comes while a trial is trained."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self._left = asked

    def __bool__(self) -> bool:
        self._left -= 1
        return self._left < 0


def trained_by(work: Work, run: Run) -> tuple[StoredStudy, list[TrialRecord]]:
    """Return a run's study and its trained trials."""
    url = f"sqlite:///{work.folder / 'runs' / f'{run}.db'}"
    stored = open_study(str(run), url, writing=False)
    return stored, trained_records(stored)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A comparison of trainings of milliseconds, whose images are noise."""
    study = tmp_path / "tiny.toml"
    study.write_text(TINY)
    draw = np.random.default_rng(0)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        return draw.integers(256, size=(count, 8, 8), dtype=np.uint8), np.arange(count) % 4

    folder = tmp_path / "out"
    folder.mkdir()
    (x_train, y_train), (x_test, y_test) = part(48), part(40)
    protocol = Protocol(study, searched=48, times=(2, 4, 6), seeds=2, judgings=2)
    np.savez(
        folder / protocol.images, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test
    )
    return Work(protocol, folder)


def test_from_runs_to_a_table(work: Work, tmp_path: Path) -> None:
    """Runs that are stopped go on, are not repeated, and come to the table as they were judged."""
    assert not list(search_all(work, RUNS[:1], StopsAfter(4)))
    assert not is_finished(work.folder, RUNS[0])
    _, before = trained_by(work, RUNS[0])
    assert 0 < len(before) < 6
    assert len(list(search_all(work, RUNS, StopSignal()))) == 4
    _, records = trained_by(work, RUNS[0])
    assert [r.score for r in records[: len(before)]] == [r.score for r in before]
    assert len(records) == 6
    assert not list(search_all(work, RUNS, StopSignal()))

    judged = list(judge_all(work, RUNS, StopSignal()))
    assert judged
    assert not list(judge_all(work, RUNS, StopSignal()))

    lines = list(report(work.protocol, work.folder, RUNS, tmp_path))
    assert not lines[-1].startswith("left out")
    assert str(tmp_path) not in (work.folder / "runs" / "random-0.json").read_text()
    found = json.loads((tmp_path / "strategies-tiny.json").read_text())
    shown = found["runs"]["random-0"]
    for trial, time, score in zip(shown["trials"], (2, 4, 6), shown["scores"], strict=True):
        assert trial in {record.number for record in records[:time]}
        assert score == next(r.score for r in records if r.number == trial)
    assert (tmp_path / "strategies-tiny.svg").stat().st_size
    means = [np.mean(shown["accuracies"][-1]), np.mean(found["runs"]["random-1"]["accuracies"][-1])]
    assert found["curves"]["random"]["means"][-1] == pytest.approx(np.mean(means))
    to_random, to_tpe = (found["differences_to"][name] for name in ("random", "tpe"))
    assert to_random["tpe"]["pairs"] == 2
    assert to_random["tpe"]["means"] == [-mean for mean in to_tpe["random"]["means"]]


def test_a_judgement_is_of_the_candidate_itself(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is judged is the recommended candidate, on all images for the search, by fresh seeds."""
    list(search_all(work, RUNS[:1], StopSignal()))
    seen: list[tuple[Candidate, int]] = []

    def training(candidate: Candidate, data: DataSplit, stop: StopSignal) -> Training:
        seen.append((candidate, len(data.training)))
        return Training(candidate, data, stop)

    monkeypatch.setattr(judging, "Training", training)
    list(judge_all(work, RUNS[:1], StopSignal()))
    stored, records = trained_by(work, RUNS[0])
    by_number = {record.number: record for record in records}
    chosen = [by_number[each.trial] for each in recommended_by(work.folder, RUNS[0])]
    wanted = {
        (str(candidate.architecture), candidate.recipe.learning_rate)
        for candidate in (record.candidate(stored.data.input_shape) for record in chosen)
    }
    assert {(str(c.architecture), c.recipe.learning_rate) for c, _ in seen} == wanted
    assert len(seen) == len(wanted) * work.protocol.judgings
    assert {images for _, images in seen} == {48}
    assert not {c.recipe.seed for c, _ in seen} & {r.recipe["seed"] for r in records}


def test_equal_candidates_are_judged_once(work: Work) -> None:
    """A candidate that differs in its seed alone has the same judgement, another one has none."""
    list(search_all(work, RUNS[:1], StopSignal()))
    list(judge_all(work, RUNS[:1], StopSignal()))
    stored, records = trained_by(work, RUNS[0])
    best = recommended_by(work.folder, RUNS[0])[-1]
    record = next(record for record in records if record.number == best.trial)
    shape = stored.data.input_shape
    other_seed = Recommendation.of(
        dataclasses.replace(record, recipe={**record.recipe, "seed": 7}), shape
    )
    other = dataclasses.replace(best, recipe={**best.recipe, "learning_rate": 0.5})
    assert judgement_of(work.folder, other_seed) == judgement_of(work.folder, best) is not None
    assert judgement_of(work.folder, other) is None


def test_a_run_that_another_process_does_is_left_to_it(work: Work) -> None:
    """Two processes never do the same run."""
    with searching.held(work.folder / "runs" / f"{RUNS[0]}.db") as mine:
        assert mine
        assert not list(search_all(work, RUNS[:1], StopSignal()))
    assert list(search_all(work, RUNS[:1], StopSignal()))


def test_later_trials_do_not_change_what_was_recommended(work: Work) -> None:
    """A recommendation is that of the trials until then; where none is complete there is none."""
    list(search_all(work, RUNS[:1], StopSignal()))
    stored, records = trained_by(work, RUNS[0])
    first, last = recommendations(stored, records, (1, 6))
    assert first.trial == records[0].number
    assert recommended(stored, records[:1]) == first.trial
    assert recommended(stored, []) is None
    assert last == recommended_by(work.folder, RUNS[0])[-1]


def test_curves_by_hand() -> None:
    """Means, standard errors, differences in pairs and trainings to the goal are what they say."""
    baseline = {0: [0.80, 0.90], 1: [0.82, 0.94]}
    ours = {0: [0.81, 0.93], 1: [0.83, 0.97], 2: [0.88, 0.95]}
    curve = curve_of((10, 20), ours, baseline)
    assert curve.means == pytest.approx((0.84, 0.95))
    assert curve.errors == pytest.approx((0.0360555 / 3**0.5, 0.02 / 3**0.5), rel=1e-4)
    difference = difference_of(ours, baseline)
    assert difference is not None
    assert (curve.runs, difference.pairs) == (3, 2)
    assert difference.means == pytest.approx((0.01, 0.03))
    assert difference.errors == pytest.approx((0.0, 0.0), abs=1e-12)
    assert difference_of({2: [0.9, 0.9]}, baseline) is None
    assert curve.reaches == pytest.approx(10 + 10 * 8 / 11)
    assert curve_of((10, 20), baseline, ours).reaches is None
    alone = curve_of((10, 20), {5: [0.5, 0.6]}, {})
    assert (alone.errors, alone.reaches) == ((None, None), None)
    assert resolvable([0.9, 0.94], 20) == pytest.approx(2 * (2 / 20) ** 0.5 * 0.0282843, rel=1e-4)


@given(st.lists(st.integers(1, 1_000), min_size=2, max_size=6, unique=True).map(sorted))
def test_the_baseline_reaches_its_end_at_its_end(values: list[int]) -> None:
    """What rises all the time is as high as at its end only there."""
    times = tuple(range(10, 10 + 10 * len(values), 10))
    rising = {0: [value / 1_000 for value in values]}
    assert curve_of(times, rising, rising).reaches == pytest.approx(times[-1])


def test_images_are_of_the_training_part_alone(tmp_path: Path) -> None:
    """The images are made where MNIST's test files are not; no searched one is judged on."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    count = 13_000
    pixels = np.zeros((count, 28, 28), np.uint8)
    pixels[:, 0, :2] = np.arange(count).astype(">u2").view(np.uint8).reshape(-1, 2)  # its name
    labels = (np.arange(count) % 10).astype(np.uint8)
    _write_idx(raw / "train-images-idx3-ubyte", pixels)
    _write_idx(raw / "train-labels-idx1-ubyte", labels)
    path = make_images(tmp_path / "out" / "some.npz", 12_000, tmp_path)
    with np.load(path) as made:
        parts = [made[key][:, 0, :2].copy().view(">u2").ravel() for key in ("x_train", "x_test")]
        assert [len(part) for part in parts] == [12_000, 1_000]
        assert set(parts[0]) | set(parts[1]) == set(range(count))
        assert (made["y_train"] == labels[parts[0]]).all()
        assert (made["y_test"] == labels[parts[1]]).all()
        assert set(np.bincount(made["y_train"])) == {1_200}
    assert not list(raw.glob("t10k*"))


def _write_idx(path: Path, values: np.ndarray) -> None:
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(head + values.tobytes())


def test_the_choice_of_images_is_fixed() -> None:
    """The same labels are always split alike."""
    labels = np.arange(200) % 10
    first, again = choose_images(labels, 50), choose_images(labels, 50)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_all_samplers_search_one_file(protocol: Protocol, tmp_path: Path) -> None:
    """Runs of the published protocols differ in name, sampler and seed alone."""
    random, tpe = (
        Run(name, 3).study_file(protocol, tmp_path, protocol.trainings).to_dict()
        for name in ("random", "tpe")
    )
    trials = {"short": 140, "full": 80}[protocol.name]
    assert random["study"]["trials"] == StudyFile.load(protocol.study).settings.trials == trials
    assert {key for key in random["study"] if random["study"][key] != tpe["study"][key]} == {
        "name",
        "sampler",
    }
    assert {**random, "study": 0} == {**tpe, "study": 0}


def test_pruners_are_compared_by_what_is_trained(work: Work) -> None:
    """A run with a pruner has more trials, as many as take the same trainings by its pilot."""
    work.protocol.study.write_text(TINY.replace("\nepochs = 1", "\nepochs = 9"))
    plain, pruned = runs_of(["tpe"], [3], ["none", "halving"])
    pilot = pruned.pilot
    assert pilot is not None
    assert [str(run) for run in (pilot, plain, pruned)] == [
        "tpe-halving-10000",
        "tpe-3",
        "tpe-halving-3",
    ]
    list(search_all(work, [plain, pruned], StopSignal()))
    trials = {run: trained_by(work, run)[1] for run in (pilot, plain, pruned)}
    assert len(trials[plain]) == len(trials[pilot]) == 6
    assert any(record.outcome is Outcome.PRUNED for record in trials[pilot])
    spent = sum(len(record.epochs) for record in trials[pilot]) / 9
    assert summary_of(work.folder, pilot)["trainings"] == pytest.approx(spent, abs=0.1)
    assert len(trials[pruned]) == round(36 / summary_of(work.folder, pilot)["trainings"]) > 6


def test_trainings_are_counted_in_epochs(work: Work) -> None:
    """The first trainings are the trials that have no more epochs together; none is cut."""
    list(search_all(work, RUNS[:1], StopSignal()))
    _, records = trained_by(work, RUNS[0])
    epoch = records[0].epochs[0]
    trained = [
        dataclasses.replace(record, epochs=(epoch,) * epochs)
        for record, epochs in zip(records, (4, 1, 2, 4, 1, 4), strict=True)
    ]
    counts = [len(first_trainings(trained, 4, trainings)) for trainings in (0, 1, 2, 3, 4, 9)]
    assert counts == [0, 1, 3, 5, 6, 6]


def test_unknown_names_are_refused() -> None:
    """A sampler or pruner that flyweight does not have is named before anything begins."""
    with pytest.raises(ValueError, match="'greedy' is not a sampler"):
        runs_of(["greedy"], range(1))
    with pytest.raises(ValueError, match="'shears' is not a pruner"):
        runs_of(["random"], range(1), ["shears"])
