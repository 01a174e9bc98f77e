"""A network of 4,677 parameters: 1x28x28 images to 10 logits."""

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
            nn.Conv2d(1, 5, 3, bias=False),  # 5x26x26
            nn.BatchNorm2d(5),
            nn.ReLU(),
            nn.Conv2d(5, 8, 3, bias=False),  # 8x24x24
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, groups=8, bias=False),  # 8x22x22
            nn.Conv2d(8, 16, 1, bias=False),  # 16x22x22
            without(nn.BatchNorm2d(16), "weight"),
            nn.Hardswish(),
            nn.MaxPool2d(2),  # 16x11x11
        )
        self.stage2 = nn.Sequential(
            nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False),  # 16x11x11
            nn.Conv2d(16, 27, 1, bias=False),  # 27x11x11
            nn.BatchNorm2d(27),
            nn.ReLU(),
            nn.Conv2d(27, 27, 3, padding=1, groups=27, bias=False),  # 27x11x11
            nn.Conv2d(27, 13, 1, bias=False),  # 13x11x11
            nn.BatchNorm2d(13),
            nn.ReLU(),
            nn.Conv2d(13, 13, 3, padding=1, groups=13, bias=False),  # 13x11x11
            nn.Conv2d(13, 36, 1, bias=False),  # 36x11x11
            without(nn.BatchNorm2d(36), "weight"),
            nn.Hardswish(),
            nn.Conv2d(36, 36, 3, padding=1, groups=36, bias=False),  # 36x11x11
            nn.Conv2d(36, 11, 1, bias=False),  # 11x11x11
            nn.BatchNorm2d(11),
            nn.ReLU(),
            nn.Conv2d(11, 11, 3, groups=11, bias=False),  # 11x9x9
            nn.Conv2d(11, 20, 1, bias=False),  # 20x9x9
            nn.BatchNorm2d(20),
            nn.ReLU(),
            nn.Conv2d(20, 20, 3, groups=20, bias=False),  # 20x7x7
            nn.Conv2d(20, 28, 1, bias=False),  # 28x7x7
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
        x = self.stage1(x)  # 16x11x11
        x = self.stage2(x)  # 28x7x7
        return self.head(x)
