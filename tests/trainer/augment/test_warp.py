from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as reference

from trainer.augment.warp import (
    Interpolation,
    affine_matrix,
    compose,
    flip_matrix,
    perspective_matrix,
    shift_matrix,
    warp,
)

SHAPES = [(1, 28, 28), (3, 32, 32), (1, 20, 33), (2, 17, 8)]
MODES: list[Interpolation] = ["nearest", "bilinear"]
shapes = st.sampled_from(SHAPES)
affines = st.tuples(
    st.floats(-180, 180),
    st.floats(-9, 9),
    st.floats(-9, 9),
    st.floats(0.3, 1.9),
    st.floats(-40, 40),
)


def images(count: int, shape: tuple[int, int, int], seed: int = 0) -> Tensor:
    """Noise, always the same for a seed."""
    return torch.rand((count, *shape), generator=torch.Generator().manual_seed(seed))


def smooth_images(count: int, height: int, width: int) -> Tensor:
    """Slow waves, which interpolation leaves nearly alone."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    phases = torch.arange(count)[:, None, None]
    return (0.5 + 0.4 * torch.sin(x / 5 + y / 7 + phases))[:, None]


def one_affine(values: tuple[float, float, float, float, float]) -> Tensor:
    """The matrix of one image."""
    return affine_matrix(*(torch.tensor([value]) for value in values))


def shifts(*values: int) -> Tensor:
    """Whole pixels, one for each image."""
    return torch.tensor(values, dtype=torch.float32)


def reference_affine(
    pixels: Tensor, values: tuple[float, float, float, float, float], mode: Interpolation
) -> Tensor:
    """What torchvision makes of the same parameters."""
    degrees, shift_x, shift_y, scale, shear = values
    shift: Any = [shift_x, shift_y]  # whole numbers by its annotation only
    moved: Tensor = reference.affine(
        pixels,
        degrees,
        shift,
        scale,
        [shear, 0.0],
        InterpolationMode(mode),
    )
    return moved


@settings(max_examples=60)
@given(shapes, affines)
def test_affine_agrees_with_torchvision(
    shape: tuple[int, int, int], values: tuple[float, float, float, float, float]
) -> None:
    """Given parameters must move pixels as torchvision's affine does, on every shape."""
    pixels = images(1, shape)
    moved = warp(pixels, one_affine(values), projective=False)
    torch.testing.assert_close(
        moved, reference_affine(pixels, values, "bilinear"), atol=2e-3, rtol=0
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_nearest_affine_agrees_with_torchvision(shape: tuple[int, int, int]) -> None:
    """Nearest must pick torchvision's pixel, except for a few that lie between two."""
    pixels = images(1, shape)
    drawn = torch.rand((10, 5), generator=torch.Generator().manual_seed(0))
    for degrees, shift_x, shift_y, scale, shear in drawn.tolist():
        values = (360 * degrees - 180, 9 * shift_x, 9 * shift_y, 0.5 + scale, 40 * shear - 20)
        moved = warp(pixels, one_affine(values), interpolation="nearest", projective=False)
        same = torch.isclose(moved, reference_affine(pixels, values, "nearest"), atol=1e-6)
        assert same.float().mean() > 0.99


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_fill_is_an_endless_border(mode: Interpolation, shape: tuple[int, int, int]) -> None:
    """Filling must equal warping an image that was padded with the fill beforehand."""
    values, fill, margin = (20.0, 2.3, -1.7, 0.8, 10.0), 0.3, 30
    pixels = images(2, shape)
    moved = warp(
        pixels,
        one_affine(values).expand(2, -1, -1),
        fill=fill,
        interpolation=mode,
        projective=False,
    )
    padded = F.pad(pixels, (margin,) * 4, value=fill)
    wanted = reference_affine(padded, values, mode)[..., margin:-margin, margin:-margin]
    torch.testing.assert_close(moved, wanted, atol=1e-3, rtol=0)


@settings(max_examples=60)
@given(shapes, st.lists(st.floats(0, 0.45), min_size=8, max_size=8))
def test_perspective_agrees_with_torchvision(
    shape: tuple[int, int, int], shares: list[float]
) -> None:
    """Corners moved inward must show what torchvision's perspective shows."""
    _, height, width = shape
    pixels = images(1, shape)
    inward = torch.tensor(shares)[:, None] * torch.tensor([width, height] * 4)[:, None] / 2
    moved = warp(pixels, perspective_matrix(inward, height, width))
    start = [[0, 0], [width, 0], [width, height], [0, height]]
    signs = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    end: Any = [  # whole numbers by its annotation only
        [x + sx * inward[2 * i].item(), y + sy * inward[2 * i + 1].item()]
        for i, ((x, y), (sx, sy)) in enumerate(zip(start, signs, strict=True))
    ]
    wanted = reference.perspective(pixels, start, end)
    torch.testing.assert_close(moved, wanted, atol=5e-3, rtol=0)


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.floats(0.5, 1.0))
def test_extreme_perspectives_stay_finite(seed: int, distortion: float) -> None:
    """Even flat and folded quadrilaterals must give pixels in 0 to 1."""
    generator = torch.Generator().manual_seed(seed)
    inward = torch.rand((8, 32), generator=generator) * 14 * distortion
    inward[:, 0] = 14.0
    inward[:4, 1] = 14.0
    moved = warp(images(32, (1, 28, 28)), perspective_matrix(inward, 28, 28), fill=0.5)
    assert moved.isfinite().all()
    assert moved.min() >= 0
    assert moved.max() <= 1


@pytest.mark.parametrize("mode", MODES)
def test_whole_shifts_copy_pixels(mode: Interpolation) -> None:
    """A shift by whole pixels must move them right and down, and show the fill behind them."""
    pixels = images(2, (2, 7, 9))
    moved = warp(
        pixels,
        shift_matrix(shifts(2, -3), shifts(1, 0)),
        fill=0.25,
        interpolation=mode,
        projective=False,
    )
    wanted = torch.full_like(pixels, 0.25)
    wanted[0, :, 1:, 2:] = pixels[0, :, :-1, :-2]
    wanted[1, :, :, :-3] = pixels[1, :, :, 3:]
    torch.testing.assert_close(moved, wanted, atol=1e-5, rtol=0)


def test_flip_exchanges_left_and_right() -> None:
    """Only the images that are told to may be mirrored, pixel for pixel."""
    pixels = images(2, (3, 6, 5))
    matrix = flip_matrix(torch.tensor([True, False]))
    moved = warp(pixels, matrix, interpolation="nearest", projective=False)
    assert torch.equal(moved, torch.stack((pixels[0].flip(-1), pixels[1])))


@settings(max_examples=30)
@given(st.floats(-10, 10), st.floats(-2, 2), st.lists(st.floats(0, 2), min_size=8, max_size=8))
def test_composed_equals_one_after_another_inside(
    degrees: float, shift: float, inward: list[float]
) -> None:
    """Two warps at once must show what they show in turn, away from the border."""
    pixels = smooth_images(1, 40, 36)
    first = one_affine((degrees, shift, -shift, 1.05, 4.0))
    second = perspective_matrix(torch.tensor(inward)[:, None], 40, 36)
    for a, b in ((first, second), (second, first)):
        in_turn = warp(warp(pixels, a), b)
        at_once = warp(pixels, compose(a, b))
        inside = (..., slice(12, -12), slice(12, -12))
        torch.testing.assert_close(at_once[inside], in_turn[inside], atol=0.015, rtol=0)


def test_composed_whole_shifts_are_exact() -> None:
    """Shifts and a flip at once must equal them in turn where nothing leaves the frame."""
    pixels = F.pad(images(3, (1, 10, 10)), (6, 6, 6, 6), value=0.5)
    first = shift_matrix(shifts(2, -3, 0), shifts(1, 1, -2))
    flip = flip_matrix(torch.tensor([True, False, True]))
    last = shift_matrix(shifts(-1, 3, 2), shifts(2, -2, 0))
    at_once = warp(pixels, compose(compose(first, flip), last), fill=0.5, interpolation="nearest")
    in_turn = pixels
    for matrix in (first, flip, last):
        in_turn = warp(in_turn, matrix, fill=0.5, interpolation="nearest")
    torch.testing.assert_close(at_once, in_turn, atol=1e-6, rtol=0)


def test_composed_keeps_what_leaves_the_frame_and_returns() -> None:
    """A shift and its inverse at once must be no shift, though in turn they would lose pixels."""
    pixels = images(1, (1, 8, 8))
    there, back = shift_matrix(shifts(5), shifts(0)), shift_matrix(shifts(-5), shifts(0))
    moved = warp(pixels, compose(there, back), interpolation="nearest", projective=False)
    assert torch.equal(moved, pixels)


def test_matrices_ignore_autocast() -> None:
    """Pixel places must not lose digits where the caller runs in a short float type."""
    pixels, matrix = images(1, (1, 28, 28)), one_affine((10.0, 1.0, 1.0, 1.1, 5.0))
    wanted = warp(pixels, compose(matrix, matrix))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(warp(pixels, compose(matrix, matrix)), wanted)
