"""A network of 7,865 parameters: 1x28x28 images to 10 logits."""

import torch
from torch import Tensor, nn

# Of each channel of the training images, in [0, 1].
MEAN = (0.1306604762738429,)
STD = (0.30810780385646264,)


class Mnist8kNet(nn.Module):
    """Images (n, 1, 28, 28), floats in [0, 1], to logits (n, 10)."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor(MEAN), torch.tensor(STD)
        self.register_buffer("mean", mean.view(-1, 1, 1), persistent=False)
        self.register_buffer("std", std.view(-1, 1, 1), persistent=False)
        self.stage1 = nn.Sequential(
            nn.Conv2d(1, 10, 3, bias=False),  # 10x26x26
            nn.ReLU(),
            nn.BatchNorm2d(10),
            nn.Conv2d(10, 11, 3, bias=False),  # 11x24x24
            nn.ReLU(),
            nn.BatchNorm2d(11),
            nn.Conv2d(11, 13, 3, bias=False),  # 13x22x22
            nn.ReLU(),
            nn.BatchNorm2d(13),
            nn.MaxPool2d(2),  # 13x11x11
        )
        self.stage2 = nn.Sequential(
            nn.Conv2d(13, 14, 3, bias=False),  # 14x9x9
            nn.ReLU(),
            nn.BatchNorm2d(14),
            nn.Conv2d(14, 16, 3, bias=False),  # 16x7x7
            nn.ReLU(),
            nn.BatchNorm2d(16),
            nn.Conv2d(16, 11, 3, bias=False),  # 11x5x5
            nn.ReLU(),
            nn.BatchNorm2d(11),
        )
        self.head = nn.Sequential(
            nn.Conv2d(11, 10, 1, bias=False),  # 10x5x5
            nn.AdaptiveAvgPool2d(1),  # 10x1x1
            nn.Flatten(),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalise images and give their logits."""
        if list(images.shape[1:]) != [1, 28, 28]:
            raise ValueError("images must have the shape (n, 1, 28, 28)")
        x = (images - self.mean) / self.std
        x = self.stage1(x)  # 13x11x11
        x = self.stage2(x)  # 11x5x5
        return self.head(x)
