"""A network of 9,648 parameters: 1x28x28 images to 10 logits."""

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
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 6, 3, groups=6, bias=False),  # 6x24x24
            nn.Conv2d(6, 20, 1, bias=False),  # 20x24x24
            nn.BatchNorm2d(20),
            nn.ReLU(),
            nn.Conv2d(20, 20, 3, groups=20, bias=False),  # 20x22x22
            nn.Conv2d(20, 20, 1, bias=False),  # 20x22x22
            without(nn.BatchNorm2d(20), "weight"),
            nn.Hardswish(),
            nn.MaxPool2d(2),  # 20x11x11
        )
        self.stage2 = nn.Sequential(
            nn.Conv2d(20, 20, 3, groups=20, bias=False),  # 20x9x9
            nn.Conv2d(20, 43, 1, bias=False),  # 43x9x9
            nn.BatchNorm2d(43),
            nn.ReLU(),
            nn.Conv2d(43, 43, 3, groups=43, bias=False),  # 43x7x7
            nn.Conv2d(43, 44, 1, bias=False),  # 44x7x7
            nn.BatchNorm2d(44),
            nn.ReLU(),
            nn.Conv2d(44, 44, 3, padding=1, groups=44, bias=False),  # 44x7x7
            nn.Conv2d(44, 28, 1, bias=False),  # 28x7x7
            without(nn.BatchNorm2d(28), "weight"),
            nn.Hardswish(),
            nn.Conv2d(28, 28, 3, padding=1, groups=28, bias=False),  # 28x7x7
            nn.Conv2d(28, 13, 1, bias=False),  # 13x7x7
            nn.BatchNorm2d(13),
            nn.ReLU(),
            nn.Conv2d(13, 23, 3, bias=False),  # 23x5x5
            nn.BatchNorm2d(23),
            nn.ReLU(),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),  # 23x1x1
            nn.Flatten(),
            nn.Linear(23, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalise images and give their logits."""
        if list(images.shape[1:]) != [1, 28, 28]:
            raise ValueError("images must have the shape (n, 1, 28, 28)")
        x = (images - self.mean) / self.std
        x = self.stage1(x)  # 20x11x11
        x = self.stage2(x)  # 23x5x5
        return self.head(x)
