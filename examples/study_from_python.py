"""A study from Python: write its file, run it, look at its trials as a frame.

Running it again resumes the study: the number of trials is a total.

    python examples/study_from_python.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import flyweight

STUDY = """
[study]
name = "first-study"
dataset = "digits"          # comes with scikit-learn, so nothing is downloaded
floor_epochs = 2
trials = 6
pruner = "none"             # so few trials leave nothing to compare with

[budget]
parameters = 2_000

[space]
stages = [1, 2]
convs = { low = 1, high = 2 }
width = { low = 4, high = 16 }
kernel = 3
padding = "same"
head = ["gap-conv", "gap-linear"]

[recipe]
epochs = 4
batch_size = 32
learning_rate = { low = 5e-3, high = 5e-2, log = true }
"""


def main(folder: Path) -> None:
    """Run the study in a folder, where its file, its database and its weights stay."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "first-study.toml"
    path.write_text(STUDY)
    storage = f"sqlite:///{folder.resolve()}/study.db"

    result = flyweight.run(path, storage=storage, workers=1, device="cpu")
    print(f"{result.trained} trials trained, {result.rejected} over the budget")
    if result.best is not None:
        print(f"the best network has {result.best.parameters} parameters:")
        print(result.best.architecture)

    study = flyweight.Study.open("first-study", storage=storage)
    print(study.frame()[["outcome", "score", "cost_parameters", "params_recipe.learning_rate"]])


if __name__ == "__main__":
    main(Path(*sys.argv[1:2] or ["first-study"]))
