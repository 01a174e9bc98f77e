"""A network of 999 parameters: 1x28x28 images to 10 logits."""

import torch
from torch import Tensor, nn

# Of each channel of the training images, in [0, 1].
MEAN = (0.1306604762738429,)
STD = (0.30810780385646264,)


def without(module: nn.Module, parameter: str) -> nn.Module:
    """Take a parameter out of a module."""
    module.register_parameter(parameter, None)
    return module


class Mnist1kNet(nn.Module):
    """Images (n, 1, 28, 28), floats in [0, 1], to logits (n, 10)."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor(MEAN), torch.tensor(STD)
        self.register_buffer("mean", mean.view(-1, 1, 1), persistent=False)
        self.register_buffer("std", std.view(-1, 1, 1), persistent=False)
        self.stage1 = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=False),  # 4x28x28
            without(nn.BatchNorm2d(4), "weight"),
            nn.Hardswish(),
            nn.Conv2d(4, 4, 3, groups=4, bias=False),  # 4x26x26
            nn.Conv2d(4, 10, 1, bias=False),  # 10x26x26
            without(nn.BatchNorm2d(10), "weight"),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 10x13x13
        )
        self.stage2 = nn.Sequential(
            nn.Conv2d(10, 10, 3, padding=1, groups=10, bias=False),  # 10x13x13
            nn.Conv2d(10, 7, 1, bias=False),  # 7x13x13
            without(nn.BatchNorm2d(7), "weight"),
            nn.Hardswish(),
            nn.Conv2d(7, 7, 5, groups=7, bias=False),  # 7x9x9
            nn.Conv2d(7, 7, 1, bias=False),  # 7x9x9
            without(nn.BatchNorm2d(7), "weight"),
            nn.Hardswish(),
            nn.Conv2d(7, 7, 3, groups=7, bias=False),  # 7x7x7
            nn.Conv2d(7, 8, 1, bias=False),  # 8x7x7
            without(nn.BatchNorm2d(8), "weight"),
            nn.Hardswish(),
            nn.Conv2d(8, 8, 3, groups=8, bias=False),  # 8x5x5
            nn.Conv2d(8, 14, 1, bias=False),  # 14x5x5
            without(nn.BatchNorm2d(14), "weight"),
            nn.ReLU(),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),  # 14x1x1
            nn.Flatten(),
            nn.Linear(14, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalise images and give their logits."""
        if list(images.shape[1:]) != [1, 28, 28]:
            raise ValueError("images must have the shape (n, 1, 28, 28)")
        x = (images - self.mean) / self.std
        x = self.stage1(x)  # 10x13x13
        x = self.stage2(x)  # 14x5x5
        return self.head(x)
