"""Batches of images under 3x3 matrices.

A matrix takes an output pixel to the place in the source that it shows. Places are homogeneous
columns ``(x, y, 1)`` in pixels from the centre of the image, x to the right and y down, so the
first pixel of a row of w stands at ``x = -(w - 1) / 2`` and the edge of the image at ``-w / 2``.
Every function takes one value per image and never branches on one, so that nothing waits for the
device.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "Interpolation",
    "affine_matrix",
    "compose",
    "flip_matrix",
    "perspective_matrix",
    "shift_matrix",
    "warp",
]

Interpolation = Literal["nearest", "bilinear"]

# Near the horizon of a perspective the divisor vanishes; this keeps every place finite.
_LEAST_DIVISOR = 1e-3


def affine_matrix(
    degrees: Tensor, shift_x: Tensor, shift_y: Tensor, scale: Tensor, shear: Tensor
) -> Tensor:
    """Make the matrices of shear, scaling and rotation about the centre, then a shift.

    The arguments are those of :func:`torchvision.transforms.functional.affine`.

    Args:
        degrees: (n,) rotation, clockwise.
        shift_x: (n,) pixels to the right.
        shift_y: (n,) pixels down.
        scale: (n,) factor above 0.
        shear: (n,) degrees along x, between -90 and 90.

    Returns:
        (n, 3, 3) from output to source.
    """
    angle = torch.deg2rad(degrees)
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    tangent = torch.deg2rad(shear).tan()
    m00, m01 = cosine - sine * tangent, sine + cosine * tangent
    m10, m11 = -sine, cosine
    return _stack(
        (m00, m01, -(m00 * shift_x + m01 * shift_y)),
        (m10, m11, -(m10 * shift_x + m11 * shift_y)),
    )


def shift_matrix(shift_x: Tensor, shift_y: Tensor) -> Tensor:
    """Make the matrices that move images to the right and down.

    Args:
        shift_x: (n,) pixels to the right.
        shift_y: (n,) pixels down.

    Returns:
        (n, 3, 3) from output to source.
    """
    zero, one = torch.zeros_like(shift_x), torch.ones_like(shift_x)
    return _stack((one, zero, -shift_x), (zero, one, -shift_y))


def flip_matrix(flipped: Tensor) -> Tensor:
    """Make the matrices that exchange left and right.

    Args:
        flipped: (n,) of bool, where to do so.

    Returns:
        (n, 3, 3) from output to source, float32.
    """
    sign = 1.0 - 2.0 * flipped.float()
    zero, one = torch.zeros_like(sign), torch.ones_like(sign)
    return _stack((sign, zero, zero), (zero, one, zero))


def perspective_matrix(inward: Tensor, height: int, width: int) -> Tensor:
    """Make the matrices that pull the four corners inward, each by its own distance.

    Args:
        inward: (8, n) pixels from 0 to half a side: x and y of the top left corner, then of the
            top right, the bottom right and the bottom left one.
        height: rows of the image.
        width: columns of the image.

    Returns:
        (n, 3, 3) from output to source; its last row gives 1 at the centre.
    """
    corners = [
        (sx * (1 - inward[2 * i] * (2 / width)), sy * (1 - inward[2 * i + 1] * (2 / height)))
        for i, (sx, sy) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1)))
    ]
    first, second, third = _square_to_quadrilateral(corners)
    # Their cross products are the rows of the inverse up to a factor: to the unit square.
    u, v = torch.linalg.cross(second, third), torch.linalg.cross(third, first)
    w = torch.linalg.cross(first, second)
    rows = torch.stack((2 * u - w, 2 * v - w, w), dim=1)
    divisor = w[:, 2].clamp_min(1e-6)[:, None, None]
    matrix: Tensor = rows * _half_sides(height, width, inward.device) / divisor
    return matrix


def _square_to_quadrilateral(corners: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, ...]:
    """Return the columns, (n, 3) each, of the homography from the unit square (Heckbert 1989).

    All nine numbers are multiplied by the divisor, so that flat quadrilaterals need no care.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    ax, ay, bx, by = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    sum_x, sum_y = x0 - x1 - bx, y0 - y1 - by
    divisor = ax * by - bx * ay
    g, h = sum_x * by - bx * sum_y, ax * sum_y - sum_x * ay
    return (
        torch.stack(((x1 - x0) * divisor + g * x1, (y1 - y0) * divisor + g * y1, g), dim=-1),
        torch.stack(((x3 - x0) * divisor + h * x3, (y3 - y0) * divisor + h * y3, h), dim=-1),
        torch.stack((x0 * divisor, y0 * divisor, divisor), dim=-1),
    )


def compose(first: Tensor, second: Tensor) -> Tensor:
    """Make the matrix of two warps at once: what ``first`` shows, warped by ``second``.

    Args:
        first: (n, 3, 3).
        second: (n, 3, 3).

    Returns:
        (n, 3, 3).
    """
    # A sum of products, for a matmul could be done in TF32 or in an autocast type: 10 bits are
    # too few for pixel places.
    return (first[:, :, :, None] * second[:, None]).sum(dim=2)


def warp(
    pixels: Tensor,
    matrix: Tensor,
    *,
    fill: float = 0.0,
    interpolation: Interpolation = "bilinear",
    projective: bool = True,
) -> Tensor:
    """Resample every image through its matrix; each output pixel reads the source once.

    Args:
        pixels: (n, c, h, w), floats in 0 to 1.
        matrix: (n, 3, 3) from output to source.
        fill: value from 0 to 1 of the surroundings of the source, blended in at its edge.
        interpolation: ``nearest`` or ``bilinear``.
        projective: false promises that the last row is (0, 0, 1), which saves the division.

    Returns:
        (n, c, h, w) in 0 to 1.
    """
    height, width = pixels.shape[-2:]
    places = _places(matrix if projective else matrix[:, :2], height, width)
    if projective:
        places = places[:, :2] / places[:, 2:].clamp_min(_LEAST_DIVISOR)
    # Two planes seen as pairs: grid_sample reads them as fast as pairs, and they are three times
    # as fast to compute.
    grid = places.to(pixels.dtype).permute(0, 2, 3, 1)
    # Zeros around the source less the fill are the fill around the source.
    source = pixels - fill if fill else pixels
    sampled = F.grid_sample(source, grid, mode=interpolation, align_corners=False)
    return (sampled + fill if fill else sampled).clamp_(0.0, 1.0)


def _places(matrix: Tensor, height: int, width: int) -> Tensor:
    """Return where output pixels look, (n, rows, h, w); x and y are -1 to 1 over the image."""
    x, y, unit = _axes(height, width, matrix.device)
    rows = matrix * unit[: matrix.shape[1]]
    along_x = rows[:, :, 0, None] * x
    along_y = rows[:, :, 1, None] * y + rows[:, :, 2, None]
    return along_x[:, :, None] + along_y[:, :, :, None]


@lru_cache(maxsize=32)
def _axes(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pixel centres along x and y, and the factors from pixels to half sides, (3, 1)."""
    x = torch.arange(width, dtype=torch.float32, device=device) - (width - 1) / 2
    y = torch.arange(height, dtype=torch.float32, device=device) - (height - 1) / 2
    return x, y, torch.tensor([[2 / width], [2 / height], [1.0]], device=device)


@lru_cache(maxsize=32)
def _half_sides(height: int, width: int, device: torch.device) -> Tensor:
    """Return the factors of a matrix's entries from half sides to pixels, (3, 3)."""
    sides = torch.tensor([width / 2, height / 2, 1.0], device=device)
    return sides[:, None] / sides


def _stack(top: tuple[Tensor, Tensor, Tensor], middle: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    zero, one = torch.zeros_like(top[2]), torch.ones_like(top[2])
    return torch.stack((*top, *middle, zero, zero, one), dim=-1).view(-1, 3, 3)
