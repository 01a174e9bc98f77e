"""A network of 5,176 parameters: 1x28x28 images to 10 logits."""

import torch
from torch import Tensor, nn

# Of each channel of the training images, in [0, 1].
MEAN = (0.1306604762738429,)
STD = (0.30810780385646264,)


def without(module: nn.Module, parameter: str) -> nn.Module:
    """Take a parameter out of a module."""
    module.register_parameter(parameter, None)
    return module


class MnistChipNet(nn.Module):
    """Images (n, 1, 28, 28), floats in [0, 1], to logits (n, 10)."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor(MEAN), torch.tensor(STD)
        self.register_buffer("mean", mean.view(-1, 1, 1), persistent=False)
        self.register_buffer("std", std.view(-1, 1, 1), persistent=False)
        self.stage1 = nn.Sequential(
            nn.Conv2d(1, 5, 5, padding=1, bias=False),  # 5x26x26
            without(nn.BatchNorm2d(5), "weight"),
            nn.ReLU(),
            nn.Conv2d(5, 7, 3, bias=False),  # 7x24x24
            nn.BatchNorm2d(7),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 7x12x12
        )
        self.stage2 = nn.Sequential(
            nn.Conv2d(7, 7, 3, padding=1, groups=7, bias=False),  # 7x12x12
            nn.Conv2d(7, 8, 1, bias=False),  # 8x12x12
            without(nn.BatchNorm2d(8), "weight"),
            nn.ReLU(),
            nn.Conv2d(8, 9, 3, bias=False),  # 9x10x10
            without(nn.BatchNorm2d(9), "weight"),
            nn.ReLU(),
            nn.Conv2d(9, 9, 3, padding=1, groups=9, bias=False),  # 9x10x10
            nn.Conv2d(9, 24, 1, bias=False),  # 24x10x10
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.Conv2d(24, 24, 3, groups=24, bias=False),  # 24x8x8
            nn.Conv2d(24, 14, 1, bias=False),  # 14x8x8
            without(nn.BatchNorm2d(14), "weight"),
            nn.ReLU(),
            nn.Conv2d(14, 15, 3, padding=1, bias=False),  # 15x8x8
            without(nn.BatchNorm2d(15), "weight"),
            nn.ReLU(),
            nn.Conv2d(15, 15, 3, padding=1, groups=15, bias=False),  # 15x8x8
            nn.Conv2d(15, 36, 1, bias=False),  # 36x8x8
            nn.BatchNorm2d(36),
            nn.ReLU(),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),  # 36x1x1
            nn.Flatten(),
            nn.Linear(36, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalise images and give their logits."""
        if list(images.shape[1:]) != [1, 28, 28]:
            raise ValueError("images must have the shape (n, 1, 28, 28)")
        x = (images - self.mean) / self.std
        x = self.stage1(x)  # 7x12x12
        x = self.stage2(x)  # 36x8x8
        return self.head(x)
