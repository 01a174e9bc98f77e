"""A network of 2,445 parameters: 1x28x28 images to 10 logits."""

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
            nn.Conv2d(1, 13, 3, bias=False),  # 13x26x26
            without(nn.BatchNorm2d(13), "weight"),
            nn.ReLU(),
            nn.Conv2d(13, 13, 3, groups=13, bias=False),  # 13x24x24
            nn.Conv2d(13, 14, 1, bias=False),  # 14x24x24
            without(nn.BatchNorm2d(14), "weight"),
            nn.ReLU(),
            nn.Conv2d(14, 14, 3, groups=14, bias=False),  # 14x22x22
            nn.Conv2d(14, 12, 1, bias=False),  # 12x22x22
            without(nn.BatchNorm2d(12), "weight"),
            nn.Hardswish(),
            nn.MaxPool2d(2),  # 12x11x11
        )
        self.stage2 = nn.Sequential(
            nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False),  # 12x11x11
            nn.Conv2d(12, 13, 1, bias=False),  # 13x11x11
            without(nn.BatchNorm2d(13), "weight"),
            nn.ReLU(),
            nn.Conv2d(13, 13, 5, padding=1, groups=13, bias=False),  # 13x9x9
            nn.Conv2d(13, 12, 1, bias=False),  # 12x9x9
            without(nn.BatchNorm2d(12), "weight"),
            nn.ReLU(),
            nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False),  # 12x9x9
            nn.Conv2d(12, 14, 1, bias=False),  # 14x9x9
            without(nn.BatchNorm2d(14), "weight"),
            nn.ReLU(),
            nn.Conv2d(14, 14, 3, groups=14, bias=False),  # 14x7x7
            nn.Conv2d(14, 20, 1, bias=False),  # 20x7x7
            without(nn.BatchNorm2d(20), "weight"),
            nn.ReLU(),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),  # 20x1x1
            nn.Flatten(),
            nn.Linear(20, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalise images and give their logits."""
        if list(images.shape[1:]) != [1, 28, 28]:
            raise ValueError("images must have the shape (n, 1, 28, 28)")
        x = (images - self.mean) / self.std
        x = self.stage1(x)  # 12x11x11
        x = self.stage2(x)  # 20x7x7
        return self.head(x)
