"""A network of 3,902 parameters: 1x28x28 images to 10 logits."""

import torch
from torch import Tensor, nn

# Of each channel of the training images, in [0, 1].
MEAN = (0.1306604762738429,)
STD = (0.30810780385646264,)


def without(module: nn.Module, parameter: str) -> nn.Module:
    """Take a parameter out of a module."""
    module.register_parameter(parameter, None)
    return module


class MnistFrontNet(nn.Module):
    """Images (n, 1, 28, 28), floats in [0, 1], to logits (n, 10)."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor(MEAN), torch.tensor(STD)
        self.register_buffer("mean", mean.view(-1, 1, 1), persistent=False)
        self.register_buffer("std", std.view(-1, 1, 1), persistent=False)
        self.stage1 = nn.Sequential(
            nn.Conv2d(1, 6, 3, bias=False),  # 6x26x26
            without(nn.BatchNorm2d(6), "weight"),
            nn.ReLU(),
            nn.Conv2d(6, 10, 3, bias=False),  # 10x24x24
            without(nn.BatchNorm2d(10), "weight"),
            nn.ReLU(),
            nn.Conv2d(10, 10, 3, groups=10, bias=False),  # 10x22x22
            nn.Conv2d(10, 20, 1, bias=False),  # 20x22x22
            without(nn.BatchNorm2d(20), "weight"),
            nn.Hardswish(),
            nn.MaxPool2d(2),  # 20x11x11
        )
        self.stage2 = nn.Sequential(
            nn.Conv2d(20, 20, 3, padding=1, groups=20, bias=False),  # 20x11x11
            nn.Conv2d(20, 14, 1, bias=False),  # 14x11x11
            without(nn.BatchNorm2d(14), "weight"),
            nn.ReLU(),
            nn.Conv2d(14, 14, 3, padding=1, groups=14, bias=False),  # 14x11x11
            nn.Conv2d(14, 30, 1, bias=False),  # 30x11x11
            without(nn.BatchNorm2d(30), "weight"),
            nn.ReLU(),
            nn.Conv2d(30, 30, 3, padding=1, groups=30, bias=False),  # 30x11x11
            nn.Conv2d(30, 16, 1, bias=False),  # 16x11x11
            without(nn.BatchNorm2d(16), "weight"),
            nn.Hardswish(),
            nn.Conv2d(16, 16, 3, groups=16, bias=False),  # 16x9x9
            nn.Conv2d(16, 9, 1, bias=False),  # 9x9x9
            without(nn.BatchNorm2d(9), "weight"),
            nn.ReLU(),
            nn.Conv2d(9, 9, 3, groups=9, bias=False),  # 9x7x7
            nn.Conv2d(9, 10, 1, bias=False),  # 10x7x7
            without(nn.BatchNorm2d(10), "weight"),
            nn.ReLU(),
            nn.Conv2d(10, 10, 3, groups=10, bias=False),  # 10x5x5
            nn.Conv2d(10, 28, 1, bias=False),  # 28x5x5
            without(nn.BatchNorm2d(28), "weight"),
            nn.Hardswish(),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),  # 28x1x1
            nn.Flatten(),
            nn.Linear(28, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalise images and give their logits."""
        if list(images.shape[1:]) != [1, 28, 28]:
            raise ValueError("images must have the shape (n, 1, 28, 28)")
        x = (images - self.mean) / self.std
        x = self.stage1(x)  # 20x11x11
        x = self.stage2(x)  # 28x5x5
        return self.head(x)
