"""Find the best small CNN that fits a hard budget.

A study file names a data set, a budget and a search space. ``run`` searches it, ``confirm``
retrains the best with several seeds, and ``export`` writes the winner as a module that needs
nothing of flyweight::

    import flyweight

    flyweight.run("studies/digits.toml", trials=30)
    flyweight.confirm("digits")
    flyweight.export("digits", "exports/digits")

The parts work alone as well: describe a network, look at its cost, build it, train it::

    import flyweight

    network = flyweight.Architecture.parse(
        ["conv3 8 bn relu", "conv3 16 bn relu", "gap", "conv1 10"], (1, 8, 8)
    )
    print(flyweight.cost(network).parameters)  # 1432

    training, validation = flyweight.open_dataset("digits", "data").search_split()
    normalisation = flyweight.normalisation(training)
    recipe = flyweight.Recipe(epochs=3, batch_size=32)
    module = flyweight.build(network)
    for epoch in flyweight.train(module, training, validation, normalisation, recipe):
        print(epoch.number, epoch.loss, epoch.accuracy)

Names are loaded when they are first used, so that ``import flyweight`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyweight._packages import check_packages, is_command, load

if TYPE_CHECKING:
    from flyweight._version import __version__
    from search import (
        DeviceError,
        ExportError,
        FlyweightError,
        InputError,
        Interrupted,
        ResumeError,
        StorageError,
        StudyFileError,
        TrialError,
        WorkFailed,
    )
    from search.calibrate import calibrate
    from search.compare import compare
    from search.confirm import confirm
    from search.dashboard import dashboard
    from search.data import data
    from search.explain import explain
    from search.export import export
    from search.init import init
    from search.ladder import ladder
    from search.predict import predict
    from search.replay import replay
    from search.report import report
    from search.run import run
    from search.schema import schema
    from search.show import show
    from search.status import status
    from search.studies import (
        copy_study,
        delete_study,
        list_studies,
        merge_studies,
        rename_study,
    )
    from search.study import Study
    from search.validate import validate
    from space import (
        Architecture,
        Cost,
        Layer,
        LayerError,
        OutsideSpaceError,
        SearchSpace,
        SearchSpaceError,
        ShapeError,
        SpaceError,
        build,
        cost,
    )
    from space.summary import summary
    from trainer import (
        DataError,
        Dataset,
        Diverged,
        Epoch,
        Images,
        Normalisation,
        OutOfMemory,
        Recipe,
        RecipeError,
        TrainerError,
        normalisation,
        open_dataset,
        train,
    )

__all__ = [
    "Architecture",
    "Cost",
    "DataError",
    "Dataset",
    "DeviceError",
    "Diverged",
    "Epoch",
    "ExportError",
    "FlyweightError",
    "Images",
    "InputError",
    "Interrupted",
    "Layer",
    "LayerError",
    "Normalisation",
    "OutOfMemory",
    "OutsideSpaceError",
    "Recipe",
    "RecipeError",
    "ResumeError",
    "SearchSpace",
    "SearchSpaceError",
    "ShapeError",
    "SpaceError",
    "StorageError",
    "Study",
    "StudyFileError",
    "TrainerError",
    "TrialError",
    "WorkFailed",
    "__version__",
    "build",
    "calibrate",
    "compare",
    "confirm",
    "copy_study",
    "cost",
    "dashboard",
    "data",
    "delete_study",
    "explain",
    "export",
    "init",
    "ladder",
    "list_studies",
    "merge_studies",
    "normalisation",
    "open_dataset",
    "predict",
    "rename_study",
    "replay",
    "report",
    "run",
    "schema",
    "show",
    "status",
    "summary",
    "train",
    "validate",
]

_HOMES = {
    "Architecture": "space",
    "Cost": "space",
    "DataError": "trainer",
    "Dataset": "trainer",
    "DeviceError": "search",
    "Diverged": "trainer",
    "Epoch": "trainer",
    "ExportError": "search",
    "FlyweightError": "search",
    "Images": "trainer",
    "InputError": "search",
    "Interrupted": "search",
    "Layer": "space",
    "LayerError": "space",
    "Normalisation": "trainer",
    "OutOfMemory": "trainer",
    "OutsideSpaceError": "space",
    "Recipe": "trainer",
    "RecipeError": "trainer",
    "ResumeError": "search",
    "SearchSpace": "space",
    "SearchSpaceError": "space",
    "ShapeError": "space",
    "SpaceError": "space",
    "StorageError": "search",
    "Study": "search.study",
    "StudyFileError": "search",
    "TrainerError": "trainer",
    "TrialError": "search",
    "WorkFailed": "search",
    "__version__": "flyweight._version",
    "build": "space",
    "calibrate": "search.calibrate",
    "compare": "search.compare",
    "confirm": "search.confirm",
    "copy_study": "search.studies",
    "cost": "space",
    "dashboard": "search.dashboard",
    "data": "search.data",
    "delete_study": "search.studies",
    "explain": "search.explain",
    "export": "search.export",
    "init": "search.init",
    "ladder": "search.ladder",
    "list_studies": "search.studies",
    "merge_studies": "search.studies",
    "normalisation": "trainer",
    "open_dataset": "trainer",
    "predict": "search.predict",
    "rename_study": "search.studies",
    "replay": "search.replay",
    "report": "search.report",
    "run": "search.run",
    "schema": "search.schema",
    "show": "search.show",
    "status": "search.status",
    "summary": "space.summary",
    "train": "trainer",
    "validate": "search.validate",
}

# The command reports a shadowed package itself, in one line; raised here, it would be a traceback.
if not is_command():
    check_packages()


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = load(_HOMES[name], name)
    return value


def __dir__() -> list[str]:
    return [*__all__]
