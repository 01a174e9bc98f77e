"""Train a module of your own: recipe, augmentation, and epochs that come one at a time.

The trainer takes any module that maps images to logits, and knows nothing of search spaces.

    python examples/train_own_module.py
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import flyweight


class Residual(nn.Module):
    """Two convolutions with a skip around them, and a classifier; for images of one channel."""

    def __init__(self, channels: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.relu = nn.ReLU()
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images of shape (n, 1, h, w) to logits of shape (n, classes)."""
        maps = self.relu(self.stem(images))
        logits: Tensor = self.head(self.relu(maps + self.block(maps)))
        return logits


def main() -> None:
    """Train on the digits until the validation accuracy is good enough."""
    training, validation = flyweight.open_dataset("digits", Path("data")).search_split()
    recipe = flyweight.Recipe.from_dict(
        {
            "epochs": 10,
            "batch_size": 32,
            "learning_rate": 0.02,
            "schedule": "one-cycle",
            "averaging": 0.98,
            "augment": [{"kind": "affine", "degrees": 7, "translate": 0.05}],
            "seed": 1,
        }
    )
    torch.manual_seed(0)
    network = Residual()
    normalisation = flyweight.normalisation(training)
    for epoch in flyweight.train(network, training, validation, normalisation, recipe):
        print(
            f"epoch {epoch.number + 1}: loss {epoch.loss:.3f}, "
            f"validation accuracy {epoch.accuracy:.2%}, {epoch.seconds:.1f} s"
        )
        if epoch.accuracy >= 0.99:  # the caller decides whether there is another epoch
            break


if __name__ == "__main__":
    main()
