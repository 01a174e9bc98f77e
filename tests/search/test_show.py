from __future__ import annotations

import json
from pathlib import Path

import pytest

from search.cli.app import main
from search.errors import InputError, TrialError
from search.export.package import write_package
from search.show import show, shown_table, shown_text
from search.spec.ladder_file import LadderFile
from space.cost import cost
from space.errors import SpaceError
from tests.search.shown_studies import add_trial, new_study
from tests.search.trained_networks import trained_network

LAYERS = "conv3 4 relu bn; gap; linear 10"
SMALL = "conv3 4 relu bn\ngap\nlinear 10"
LARGE = "conv3 8 relu bn\ngap\nlinear 10"
LADDERS = Path(__file__).parents[2] / "studies" / "ladders"


def test_layers_are_shown_with_their_cost(capsys: pytest.CaptureFixture[str]) -> None:
    """Layers on the command line give a table with each line and the cost of the whole."""
    assert main(["show", LAYERS, "--input", "1x8x8"]) == 0
    printed = capsys.readouterr().out
    assert "conv3 4 relu bn" in printed
    assert "4x6x6" in printed
    assert f"{show(LAYERS, input_shape='1x8x8').cost.parameters} parameters" in printed


def test_json_holds_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON form has lines that add up to the cost."""
    assert main(["show", LAYERS, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(line["parameters"] for line in found["lines"]) == found["cost"]["parameters"]
    assert found["int8"]["ram_kib"] > 0


def test_a_study_shows_its_best_or_the_trial_that_is_named(tmp_path: Path) -> None:
    """Without a confirm the best trial is shown; a rejected trial can be shown by its number."""
    stored = new_study(tmp_path)
    add_trial(stored, SMALL, 0.9)
    add_trial(stored, LARGE, None)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    best = show(stored.name, storage=url)
    assert str(best.architecture).endswith(SMALL)
    assert best.title == f"{stored.name}, best, trial 0"
    assert str(show(stored.name, trial=1, storage=url).architecture).endswith(LARGE)
    with pytest.raises(TrialError, match="no trial 2; its trials are 0 to 1"):
        show(stored.name, trial=2, storage=url)


def test_a_study_without_a_complete_trial_says_so(tmp_path: Path) -> None:
    """Where nothing has completed, the way out is named."""
    stored = new_study(tmp_path)
    with pytest.raises(TrialError, match="no completed trial to show yet"):
        show(stored.name, storage=f"sqlite:///{tmp_path / 'study.db'}")


def test_an_exported_folder_is_shown(tmp_path: Path) -> None:
    """The folder of an export is a network as well."""
    trained = trained_network()
    write_package(trained, tmp_path / "net")
    assert show(str(tmp_path / "net")).cost == cost(trained.architecture)


def test_a_step_of_a_ladder_is_shown() -> None:
    """A step is named behind its ladder's file."""
    path = min(LADDERS.glob("*.toml"))
    step = LadderFile.load(path).steps[0]
    shown = show(f"{path}#{step.name}")
    assert shown.architecture == step.architecture
    assert step.name in shown.title


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trial": 1}, "choose a network of a study"),
        ({"parameters": 8}, "choose a network of a study"),
        ({"input_shape": "8x8"}, "is not an input shape"),
    ],
)
def test_options_of_others_are_refused(options: dict[str, object], message: str) -> None:
    """An option that does not belong to layers is named, not ignored."""
    with pytest.raises((InputError, SpaceError), match=message):
        show(LAYERS, **options)  # type: ignore[arg-type]


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    """A folder of anything else is named, with what belongs there."""
    with pytest.raises(InputError, match="holds no exported network"):
        show(str(tmp_path))


def test_a_network_that_no_chip_runs_says_why() -> None:
    """The reason stands where the bytes would."""
    shown = show("linear 40000; linear 10", input_shape="64x64x64")
    assert "no chip runs it in int8" in shown_text(shown)


def test_the_picture_is_a_file(tmp_path: Path) -> None:
    """The picture is written where it was asked for; a place without a folder is refused."""
    assert main(["show", LAYERS, "--picture", str(tmp_path / "net.svg")]) == 0
    assert (tmp_path / "net.svg").read_text("utf-8").startswith("<svg")
    assert main(["show", LAYERS, "--picture", str(tmp_path / "no" / "net.svg")]) == 2


def test_repetitions_are_marked() -> None:
    """A line that is applied again is listed with that word."""
    table = shown_table(show("conv3 4 pad1; conv3 4 pad1; again1; gap; linear 10"))
    assert any("(again)" in str(cell) for cell in table.columns[1].cells)


def test_many_layers_are_no_name_of_a_file() -> None:
    """Layers longer than a file's name may be are still layers."""
    long = "; ".join([*["conv3 4 pad1 bn relu"] * 20, "gap", "linear 10"])
    assert len(show(long).lines) == 22


def test_a_folder_of_the_same_name_hides_no_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bare name is the study, unless a folder of that name holds an exported network."""
    stored = new_study(tmp_path)
    add_trial(stored, SMALL, 0.9)
    (tmp_path / stored.name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert show(stored.name, storage=stored.url).title == f"{stored.name}, best, trial 0"
