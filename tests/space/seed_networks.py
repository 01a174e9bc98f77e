"""Thirty hand-made MNIST networks of five authors, with figures known from elsewhere.

Parameter counts are those that the authors' own notebooks print; multiply-accumulates and receptive
fields were computed from the layer lists independently of this project. Steps that train the same
network share a row.
"""

from __future__ import annotations

from typing import NamedTuple


class SeedNetwork(NamedTuple):
    """One network: the steps that use it, its lines, and its known figures.

    ``receptive_fields`` are before and after global average pooling; the same without one.
    """

    steps: str
    text: str
    parameters: int
    macs: int
    receptive_fields: tuple[int, int]

    @property
    def lines(self) -> list[str]:
        """The layer language, one line each."""
        return self.text.split(", ")


SEED_NETWORKS = [
    SeedNetwork(
        "000.1 004.0",
        "conv3 32 pad1 bias relu, conv3 64 pad1 bias relu, maxpool2, "
        "conv3 128 pad1 bias relu, conv3 256 pad1 bias relu, maxpool2, conv3 512 bias relu, "
        "conv3 1024 bias relu, conv3 10 bias",
        6_379_786,
        158_980_608,
        (40, 40),
    ),
    SeedNetwork(
        "000.2",
        "conv3 32 relu, conv3 64 relu, conv3 128 relu, maxpool2, conv1 32 relu, "
        "conv3 64 relu, conv3 128 relu, conv1 10 relu, conv7 10",
        194_884,
        52_164_772,
        (28, 28),
    ),
    SeedNetwork(
        "000.3",
        "conv3 10 relu, conv3 10 relu, conv3 20 relu, maxpool2, conv1 10 relu, "
        "conv3 10 relu, conv3 20 relu, conv1 10 relu, conv7 10",
        10_790,
        1_650_440,
        (28, 28),
    ),
    SeedNetwork(
        "000.4",
        "conv3 10 bn relu, conv3 10 bn relu, conv3 20 bn relu, maxpool2, conv1 10 bn relu, "
        "conv3 10 bn relu, conv3 20 bn relu, conv1 10 bn relu, conv7 10",
        10_970,
        1_650_440,
        (28, 28),
    ),
    SeedNetwork(
        "000.5",
        "conv3 10 bn relu, conv3 10 bn relu, conv3 20 bn relu drop0.25, maxpool2, "
        "conv1 10 bn relu, conv3 10 bn relu, conv3 20 bn relu drop0.25, conv1 10 bn relu, "
        "conv7 10",
        10_970,
        1_650_440,
        (28, 28),
    ),
    SeedNetwork(
        "000.6",
        "conv3 10 bn relu, conv3 10 bn relu, conv3 20 bn relu drop0.25, maxpool2, "
        "conv1 10 bn relu, conv3 10 bn relu, conv3 20 bn relu drop0.25, conv1 10 bn relu, gap",
        6_070,
        1_645_540,
        (16, 28),
    ),
    SeedNetwork(
        "000.7",
        "conv3 10 bn relu, conv3 10 bn relu, conv3 20 bn relu drop0.25, maxpool2, "
        "conv1 10 bn relu, conv3 10 bn relu, conv3 20 bn relu drop0.25, conv3 32 bn relu, "
        "conv1 10, gap",
        11_994,
        1_787_740,
        (20, 28),
    ),
    SeedNetwork(
        "000.8 000.9 000.10",
        "conv3 16 relu bn drop0.1, conv3 32 relu bn drop0.1, conv1 10, maxpool2, "
        "conv3 16 relu bn drop0.1, conv3 16 relu bn drop0.1, conv3 16 relu bn drop0.1, "
        "conv3 16 pad1 relu bn drop0.1, gap, conv1 10",
        13_808,
        3_393_376,
        (22, 32),
    ),
    SeedNetwork(
        "001.1",
        "conv3 16 pad1 relu, conv3 16 relu, maxpool2, conv3 32 pad1 relu, conv3 32 relu, "
        "maxpool2, conv5 10",
        24_272,
        3_572_288,
        (32, 32),
    ),
    SeedNetwork(
        "001.2",
        "conv3 10 pad1 relu, conv3 10 relu, maxpool2, conv3 16 pad1 relu, conv3 16 relu, "
        "maxpool2, conv5 10",
        8_734,
        1_205_104,
        (32, 32),
    ),
    SeedNetwork(
        "001.3",
        "conv3 10 relu, conv3 10 relu, maxpool2, conv3 16 relu, conv3 16 relu, maxpool2, "
        "conv1 10, gap",
        4_894,
        873_256,
        (16, 28),
    ),
    SeedNetwork(
        "001.4 001.5",
        "conv3 10 bn relu, conv3 10 bn relu, maxpool2, conv3 16 bn relu, conv3 16 bn relu, "
        "maxpool2, conv3 10 bn relu, conv1 10, gap",
        6_398,
        876_856,
        (24, 28),
    ),
    SeedNetwork(
        "001.6",
        "conv3 10 bn relu drop0.02, conv3 10 bn relu drop0.02, maxpool2, "
        "conv3 16 bn relu drop0.02, conv3 16 bn relu drop0.02, maxpool2, "
        "conv3 10 bn relu drop0.02, conv1 10, gap",
        6_398,
        876_856,
        (24, 28),
    ),
    SeedNetwork(
        "002.1",
        "conv3 12 relu, conv3 14 relu, maxpool2, conv1 10, conv3 14 relu, conv3 14 relu, "
        "conv3 16 relu, conv3 16 relu, gap, conv1 10",
        9_264,
        1_312_576,
        (22, 28),
    ),
    SeedNetwork(
        "002.2 002.3 002.4",
        "conv3 12 relu bn drop0.1, conv3 14 relu bn, maxpool2, conv1 10, "
        "conv3 14 relu bn drop0.1, conv3 14 relu bn drop0.1, conv3 16 relu bn drop0.1, "
        "conv3 16 relu bn drop0.1, gap, conv1 10",
        9_436,
        1_312_576,
        (22, 28),
    ),
    SeedNetwork(
        "003.1",
        "conv3 8 relu, conv3 16 relu, conv1 4, maxpool2, conv3 8 relu, conv3 16 relu, "
        "conv3 48 relu, gap, conv1 16, linear 10",
        10_578,
        1_101_376,
        (18, 28),
    ),
    SeedNetwork(
        "003.2",
        "conv3 8 relu bn, conv3 16 relu bn, conv1 4, maxpool2, conv3 8 relu bn, "
        "conv3 16 relu bn, conv3 32 relu bn, gap, conv1 16, linear 10",
        8_178,
        1_018_176,
        (18, 28),
    ),
    SeedNetwork(
        "003.3",
        "conv3 12 relu bn, conv3 16 relu bn, conv1 6 relu bn, maxpool2, conv3 12 relu bn, "
        "conv3 14 relu bn, conv3 14 relu bn, conv3 14 pad1 relu bn, gap, linear 10",
        7_946,
        1_412_348,
        (22, 32),
    ),
    SeedNetwork(
        "004.1",
        "conv3 8 relu, conv3 16 relu, maxpool2, conv1 8 relu, conv3 10 relu, conv3 10 relu, "
        "conv3 16 relu, conv1 10, gap",
        4_572,
        917_856,
        (18, 28),
    ),
    SeedNetwork(
        "004.2",
        "conv3 8 bn relu, conv3 16 bn relu, maxpool2, conv1 8 bn relu, conv3 10 bn relu, "
        "conv3 16 bn relu, conv3 10 bn relu, gap",
        5_088,
        946_656,
        (18, 28),
    ),
    SeedNetwork(
        "004.3",
        "conv3 8 bn drop0.1 relu, conv3 16 bn drop0.1 relu, maxpool2, "
        "conv1 8 bn drop0.1 relu, conv3 10 bn drop0.1 relu, conv3 16 bn drop0.1 relu, "
        "conv3 10 bn drop0.1 relu, gap",
        5_088,
        946_656,
        (18, 28),
    ),
    SeedNetwork(
        "004.4 004.5",
        "conv3 8 bn relu drop0.03, conv3 16 bn relu drop0.03, maxpool2, "
        "conv1 8 bn relu drop0.03, conv3 10 bn relu drop0.03, conv3 16 bn relu drop0.03, "
        "conv3 16 bn relu drop0.03, gap, conv1 10",
        6_124,
        977_920,
        (18, 28),
    ),
    SeedNetwork(
        "004.6",
        "conv3 8 relu bn drop0.03, conv3 16 relu bn drop0.03, maxpool2, conv1 8, "
        "conv3 10 relu bn drop0.03, conv3 16 relu bn drop0.03, conv3 18 relu bn drop0.03, "
        "gap, conv1 16 relu bn drop0.03, conv1 10",
        6_720,
        988_576,
        (18, 28),
    ),
]
