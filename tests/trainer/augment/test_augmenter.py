from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import functional as reference

from trainer.augment import (
    STEP_KINDS,
    Affine,
    Augmenter,
    AugmentStep,
    Colour,
    Crop,
    Flip,
    Perspective,
    step_defaults,
    step_from_dict,
    step_to_dict,
)
from trainer.augment.fuse import Warp, fuse
from trainer.errors import RecipeError
from trainer.ranges import Choice, Flag, Range, Rule, rules_of

SHAPES = [(1, 28, 28), (3, 32, 32), (1, 20, 33)]
EVERYTHING: list[AugmentStep] = [
    Affine(degrees=10, translate=0.1, scale=0.1, shear=5),
    Perspective(distortion=0.4, probability=0.7),
    Colour(brightness=0.3, contrast=0.3),
    Crop(padding=3, fill=128),
    Flip(),
]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator on the CPU."""
    return torch.Generator().manual_seed(seed)


def images(count: int, shape: tuple[int, int, int] = (1, 28, 28)) -> Tensor:
    """Noise, always the same."""
    return torch.rand((count, *shape), generator=seeded(1))


def values_of(rule: Rule) -> st.SearchStrategy[Any]:
    """All that a key may hold."""
    match rule:
        case Range(low, high, whole):
            return st.integers(int(low), int(high)) if whole else st.floats(low, high)
        case Choice(options):
            return st.sampled_from(options)
        case Flag():
            return st.booleans()


def tables() -> st.SearchStrategy[dict[str, Any]]:
    """Steps as study files have them, any keys left out."""
    return st.sampled_from(list(STEP_KINDS)).flatmap(
        lambda kind: st.fixed_dictionaries(
            {"kind": st.just(kind)},
            optional={key: values_of(rule) for key, rule in rules_of(STEP_KINDS[kind]).items()},
        )
    )


steps = tables().map(step_from_dict)


@given(tables())
def test_tables_and_steps_are_the_same(table: dict[str, Any]) -> None:
    """A table read and written must come back with its defaults, and read as the same step."""
    step = step_from_dict(table)
    written = step_to_dict(step)
    assert next(iter(written)) == "kind"
    assert {**written, **table} == written
    assert set(written) == {"kind", *step_defaults(step.kind)}
    assert step_from_dict(written) == step


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_every_key_of_a_step_has_a_rule_and_a_default(kind: str) -> None:
    """A kind must be known by its class's name for it, and no key of it go unchecked."""
    cls: Any = STEP_KINDS[kind]
    assert cls.kind == kind
    fields = {f.name: f.default for f in dataclasses.fields(cls)}
    assert step_defaults(kind) == fields
    assert list(rules_of(cls)) == list(fields)
    assert step_defaults("rotation") == {}


def test_whole_numbers_are_floats_where_floats_are_asked_for() -> None:
    """An angle written without a point must be the same step in the same words."""
    step = step_from_dict({"kind": "affine", "degrees": 7})
    assert step == Affine(degrees=7.0)
    assert repr(step) == repr(Affine(degrees=7.0))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, ["augment kind", "missing", "affine"]),
        ("affine", ["augment", '"affine"', "table"]),
        ({"kind": 3}, ["augment kind: 3 is not known", "give one of affine"]),
        ({"kind": "afine"}, ['"afine"', 'did you mean "affine"?', "colour"]),
        ({"kind": "rotation"}, ['"rotation"', "give one of affine"]),
        ({"kind": "affine", "degree": 7}, ["affine.degree:", 'did you mean "degrees"?']),
        ({"kind": "affine", "degrees": 200}, ["affine.degrees: 200", "at most 180"]),
        ({"kind": "affine", "degrees": "7"}, ['degrees: "7"', "number", "0 to 180"]),
        ({"kind": "affine", "degrees": True}, ["degrees: true", "number"]),
        ({"kind": "affine", "degrees": math.nan}, ["degrees: nan", "number"]),
        ({"kind": "affine", "degrees": [7, 9]}, ["degrees: [7, 9]", "number"]),
        ({"kind": "affine", "scale": 1.0}, ["scale: 1.0", "at most 0.9"]),
        ({"kind": "affine", "interpolation": "cubic"}, ['"cubic"', "nearest, bilinear"]),
        ({"kind": "crop", "padding": 2.0}, ["padding: 2.0", "whole number", "0 to 64"]),
        ({"kind": "crop", "padding": -1}, ["padding: -1", "at least 0"]),
        ({"kind": "flip", "probability": 1.5}, ["probability: 1.5", "at most 1"]),
    ],
)
def test_refusals_name_what_and_where(table: Any, words: list[str]) -> None:
    """A refused table must say which value stands where and what would be right, in one line."""
    with pytest.raises(RecipeError) as refusal:
        step_from_dict(table)
    message = str(refusal.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_steps_made_in_code_are_checked_too() -> None:
    """A step must be as strict with a programmer as with a file."""
    with pytest.raises(RecipeError, match="distortion"):
        Perspective(distortion=1.5)


@settings(max_examples=60)
@given(st.lists(steps, max_size=4), st.sampled_from(SHAPES), st.integers(1, 5))
def test_any_steps_keep_shape_and_range(
    some: list[AugmentStep], shape: tuple[int, int, int], count: int
) -> None:
    """Whatever the steps, images must keep their shape and stay in 0 to 1."""
    pixels = images(count, shape)
    before = pixels.clone()
    changed = Augmenter(some, shape)(pixels, seeded())
    assert changed.shape == pixels.shape
    assert changed.dtype == torch.float32
    assert changed.isfinite().all()
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("shape", SHAPES)
def test_zero_strengths_change_nothing(shape: tuple[int, int, int]) -> None:
    """Steps without strength must return the very images and draw nothing."""
    idle: list[AugmentStep] = [Affine(), Perspective(), Colour(), Crop(), Flip(probability=0)]
    pixels, generator = images(4, shape), seeded()
    state = generator.get_state()
    assert Augmenter(idle, shape)(pixels, generator) is pixels
    assert Augmenter(idle, shape).draw(4, generator) == []
    assert torch.equal(generator.get_state(), state)


def test_tiny_strengths_change_little() -> None:
    """Strength must grow from the identity, for geometry and colour alike."""
    tiny: list[AugmentStep] = [
        Affine(degrees=1e-4, translate=1e-6, scale=1e-6, shear=1e-4),
        Perspective(distortion=1e-6, probability=1),
        Colour(brightness=1e-6, contrast=1e-6),
    ]
    pixels = images(8, (3, 32, 32))
    changed = Augmenter(tiny, (3, 32, 32))(pixels, seeded())
    torch.testing.assert_close(changed, pixels, atol=1e-3, rtol=0)


def test_a_seed_decides_everything() -> None:
    """The same seed must give the same images, another seed others, also after pickling."""
    augment, pixels = Augmenter(EVERYTHING, (3, 32, 32)), images(16, (3, 32, 32))
    once = augment(pixels, seeded(5))
    assert torch.equal(augment(pixels, seeded(5)), once)
    assert torch.equal(pickle.loads(pickle.dumps(augment))(pixels, seeded(5)), once)
    assert not torch.equal(augment(pixels, seeded(6)), once)


def test_global_randomness_is_left_alone() -> None:
    """Draws must come from the generator that was handed over and from no other."""
    state = torch.get_rng_state()
    Augmenter(EVERYTHING, (1, 28, 28))(images(4), seeded())
    assert torch.equal(torch.get_rng_state(), state)


def test_each_image_has_its_own_draw() -> None:
    """Copies of one image must come out all different."""
    pixels = images(1).expand(32, -1, -1, -1)
    changed = Augmenter([Affine(degrees=20)], (1, 28, 28))(pixels, seeded())
    flat = changed.flatten(1)
    assert torch.cdist(flat, flat).fill_diagonal_(1.0).min() > 0.1


def assert_uniform(drawn: Tensor, low: float, high: float) -> None:
    """Limits, mean and deviation must be those of a uniform distribution."""
    assert low - 1e-4 <= drawn.min() < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < drawn.max() <= high + 1e-4
    assert abs(drawn.mean().item() - (low + high) / 2) < 0.02 * (high - low)
    assert abs(drawn.std().item() - (high - low) / math.sqrt(12)) < 0.02 * (high - low)


@pytest.mark.parametrize(
    ("step", "ranges"),
    [
        (
            Affine(degrees=7, translate=0.1, scale=0.2, shear=5),
            [(-7, 7), (-4, 4), (-2, 2), (0.8, 1.2), (-5, 5)],
        ),
        (Perspective(distortion=0.4), [(0, 8), (0, 4)] * 4 + [(0, 1)]),
        (Colour(brightness=0.3, contrast=2), [(0.7, 1.3), (0, 3)]),
        (Crop(padding=2), [(-2.5, 2.5), (-2.5, 2.5)]),
        (Flip(), [(0, 1)]),
    ],
)
def test_draws_cover_their_ranges(step: AugmentStep, ranges: list[tuple[float, float]]) -> None:
    """Every strength must be uniform between its limits and independent of the others."""
    (drawn,) = Augmenter([step], (1, 20, 40)).draw(20_000, seeded())
    assert drawn.shape == (len(ranges), 20_000)
    for row, (low, high) in zip(drawn, ranges, strict=True):
        assert_uniform(row, low, high)
    correlations = torch.corrcoef(drawn).view(len(ranges), -1) - torch.eye(len(ranges))
    assert correlations.abs().max() < 0.05


def test_flips_and_perspectives_meet_their_probability() -> None:
    """The share of changed images must be the probability, the rest must be untouched."""
    pixels = images(1).expand(4000, -1, -1, -1)
    for step in (Flip(probability=0.3), Perspective(distortion=0.5, probability=0.3)):
        changed = Augmenter([step], (1, 28, 28))(pixels, seeded())
        distance = (changed - pixels).abs().amax(dim=(1, 2, 3))
        share = (distance > 1e-3).float().mean().item()
        assert abs(share - 0.3) < 0.03


def test_crops_shift_by_whole_pixels_evenly() -> None:
    """Each of the shifts within the padding must be met equally often, none beyond."""
    pixels = torch.zeros(9000, 1, 9, 9)
    pixels[:, :, 4, 4] = 1.0
    places = Augmenter([Crop(padding=1)], (1, 9, 9))(pixels, seeded()).sum(dim=0)[0]
    assert places.sum() == 9000
    assert places[3:6, 3:6].sum() == 9000
    assert places[3:6, 3:6].sub(1000).abs().max() < 150


def test_crops_never_leave_their_padding() -> None:
    """A draw at the open end of the range must not shift by one pixel more."""
    augment = Augmenter([Crop(padding=3)], (1, 28, 28))  # 3.5 rounds to the even 4
    pixels = images(2)
    ends = torch.tensor([[3.5, -3.5], [0.0, 0.0]])
    inner = torch.tensor([[3.0, -3.0], [0.0, 0.0]])
    assert torch.equal(augment.apply(pixels, [ends]), augment.apply(pixels, [inner]))


@settings(max_examples=40)
@given(st.sampled_from(SHAPES), st.floats(0, 2), st.floats(0, 2))
def test_colour_agrees_with_torchvision(
    shape: tuple[int, int, int], brightness: float, contrast: float
) -> None:
    """Given factors must give torchvision's brightness, then its contrast."""
    pixels = images(2, shape)
    augment = Augmenter([Colour(brightness=1, contrast=1)], shape)
    changed = augment.apply(pixels, [torch.tensor([[brightness] * 2, [contrast] * 2])])
    wanted = torch.stack(
        [
            reference.adjust_contrast(reference.adjust_brightness(image, brightness), contrast)
            for image in pixels
        ]
    )
    torch.testing.assert_close(changed, wanted, atol=1e-5, rtol=0)


def test_given_strengths_agree_with_torchvision() -> None:
    """Affine's rows must reach torchvision's parameters in the right order and units."""
    shape = (1, 20, 33)
    pixels = images(1, shape)
    augment = Augmenter([Affine(degrees=1)], shape)
    rows = torch.tensor([[12.0], [3.5], [-2.25], [1.2], [8.0]])
    shift: Any = [3.5, -2.25]  # whole numbers by its annotation only
    wanted = reference.affine(
        pixels, 12.0, shift, 1.2, [8.0, 0.0], reference.InterpolationMode.BILINEAR
    )
    torch.testing.assert_close(augment.apply(pixels, [rows]), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("step", [Affine(translate=0.5, fill=51), Crop(padding=9, fill=51)])
def test_fill_shows_at_the_border(step: AugmentStep) -> None:
    """Where an image was moved away its fill must show, as a pixel value over 255."""
    changed = Augmenter([step], (1, 28, 28))(torch.ones(64, 1, 28, 28), seeded())
    edge = torch.stack((changed[:, 0, 0, 0], changed[:, 0, -1, -1]))
    assert torch.isclose(edge, torch.tensor(0.2)).float().mean() > 0.5
    assert changed.min() > 0.19


def warps(*some: AugmentStep) -> list[int]:
    """The number of steps in each stage."""
    stages = Augmenter(some, (1, 28, 28)).stages
    return [len(stage.steps) if isinstance(stage, Warp) else 1 for stage in stages]


def test_neighbours_become_one_warp_where_it_is_the_same() -> None:
    """Fills and interpolations must agree, flips and crops have no interpolation to differ in."""
    affine, perspective = Affine(degrees=5), Perspective(distortion=0.2)
    assert warps(affine, perspective, Crop(2), Flip()) == [4]
    assert warps(Flip(), Crop(2, fill=9), Affine(degrees=5, fill=9), Flip()) == [4]
    assert warps(affine, Affine()) == [1]
    assert warps(affine, Colour(0.1), affine) == [1, 1, 1]
    assert warps(affine, Colour(), affine) == [2]
    assert warps(affine, Crop(2, fill=9), Flip()) == [1, 2]
    assert warps(affine, Perspective(distortion=0.2, interpolation="nearest")) == [1, 1]
    assert warps(Flip(), affine, Flip(), Crop(2, fill=9)) == [3, 1]


@settings(max_examples=20)
@given(st.permutations(range(4)), st.integers(0, 2**32))
def test_one_warp_equals_its_steps_in_turn(order: list[int], seed: int) -> None:
    """Fused steps must show what the same strengths show one after another, in their order."""
    shape = (1, 40, 36)
    y, x = torch.meshgrid(torch.arange(40), torch.arange(36), indexing="ij")
    pixels = (0.5 + 0.4 * torch.sin(x / 5 + y / 7)).expand(4, 1, -1, -1)
    pool: list[AugmentStep] = [
        Affine(degrees=8, translate=0.05, scale=0.05, shear=3),
        Perspective(distortion=0.1, probability=0.8),
        Crop(padding=2),
        Flip(),
    ]
    some = [pool[i] for i in order]
    fused = Augmenter(some, shape)
    strengths = fused.draw(4, seeded(seed))
    in_turn = pixels
    for step, drawn in zip(some, strengths, strict=True):
        in_turn = Augmenter([step], shape).apply(in_turn, [drawn])
    inside = (..., slice(13, -13), slice(13, -13))
    at_once = fused.apply(pixels, strengths)
    assert len(fused.stages) == 1
    torch.testing.assert_close(at_once[inside], in_turn[inside], atol=0.015, rtol=0)


def test_flips_and_crops_copy_pixels_unchanged() -> None:
    """Whole moves must not invent values, however many are joined."""
    pixels = images(64)
    changed = Augmenter([Crop(2), Flip(), Crop(3)], (1, 28, 28))(pixels, seeded())
    known = torch.cat((pixels.flatten(), torch.zeros(1)))
    assert torch.isin(changed, known).all()
    assert not torch.equal(changed, pixels)


def test_a_step_of_neither_sort_is_refused() -> None:
    """What is neither moved nor recoloured cannot be done, and must not be passed over."""

    class Nothing(AugmentStep):
        changes_something = True

        def strength_ranges(self, height: int, width: int) -> list[tuple[float, float]]:
            return []

    with pytest.raises(TypeError, match="GeometricStep"):
        fuse([object.__new__(Nothing)])


def test_images_of_another_shape_are_refused() -> None:
    """An augmenter must not quietly use translations of another size."""
    with pytest.raises(ValueError, match=r"\(1, 32, 32\).*\(1, 28, 28\)"):
        Augmenter([Flip()], (1, 28, 28))(images(2, (1, 32, 32)), seeded())


@pytest.mark.gpu
def test_a_device_is_never_waited_for(cuda: torch.device) -> None:
    """After the first call nothing may synchronise."""
    augment, pixels = Augmenter(EVERYTHING, (3, 32, 32)), images(16, (3, 32, 32))
    generator, on_device = torch.Generator(cuda).manual_seed(0), pixels.to(cuda)
    augment(on_device, generator)
    torch.cuda.set_sync_debug_mode("error")
    try:
        augment.apply(on_device, augment.draw(16, generator))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
def test_a_device_changes_images_as_the_cpu_does(accelerator: torch.device) -> None:
    """The same strengths must give the CPU's images."""
    augment, pixels = Augmenter(EVERYTHING, (3, 32, 32)), images(16, (3, 32, 32))
    strengths = augment.draw(16, torch.Generator(accelerator).manual_seed(0))
    changed = augment.apply(pixels.to(accelerator), strengths)
    wanted = augment.apply(pixels, [drawn.cpu() for drawn in strengths])
    torch.testing.assert_close(changed.cpu(), wanted, atol=1e-3, rtol=0)
