from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.errors import StudyFileError
from search.spec.recipe_space import DEFAULTS, RecipeSpace
from space.fields import Scalar
from trainer.augment import STEP_KINDS, step_from_dict
from trainer.optim.optimizers import OPTIMIZERS
from trainer.optim.schedules import SCHEDULES
from trainer.ranges import Choice, Range, rules_of
from trainer.recipe import Recipe

Answer = TypeVar("Answer", int, float, Scalar)


class DrawnTrial:
    """A trial that answers whatever hypothesis likes and remembers what it was asked."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.answers: dict[str, Scalar] = {}

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        steps = self.data.draw(st.integers(0, (high - low) // step))
        return self._answer(name, low + step * steps)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if step is None:
            return self._answer(name, self.data.draw(st.floats(low, high)))
        steps = self.data.draw(st.integers(0, int((high - low) / step)))
        return self._answer(name, min(high, low + step * steps))

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Scalar:
        return self._answer(name, self.data.draw(st.sampled_from(choices)))

    def _answer(self, name: str, answer: Answer) -> Answer:
        assert name not in self.answers
        self.answers[name] = answer
        return answer


def forms(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[object]:
    """A value, choices or a range of such numbers."""
    ends = st.tuples(numbers, numbers).map(sorted)
    return st.one_of(
        numbers,
        st.lists(numbers, min_size=1, max_size=4, unique=True),
        ends.map(lambda pair: {"low": pair[0], "high": pair[1]}),
        ends.map(lambda pair: {"low": pair[0], "high": pair[1], "log": pair[0] > 0}),
    )


def numbers(low: float, high: float, *, whole: bool) -> st.SearchStrategy[Any]:
    """Numbers from low to high."""
    return st.integers(int(low), int(high)) if whole else st.floats(low, high)


def names(known: Sequence[str]) -> st.SearchStrategy[object]:
    """One of the known words, or several of them."""
    return st.sampled_from(known) | st.lists(st.sampled_from(known), min_size=1, unique=True)


@st.composite
def steps(draw: st.DrawFn) -> dict[str, object]:
    """An augmentation step as a table, some of its keys searched."""
    kind = draw(st.sampled_from(sorted(STEP_KINDS)))
    optional = {
        key: names(rule.options)
        if isinstance(rule, Choice)
        else forms(numbers(rule.low, rule.high, whole=rule.whole))
        for key, rule in rules_of(STEP_KINDS[kind]).items()
    }
    return {"kind": kind, **draw(st.fixed_dictionaries({}, optional=optional))}


SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "epochs": st.integers(1, 100),
        "optimizer": names(list(OPTIMIZERS)),
        "schedule": names(list(SCHEDULES)),
        "normalise": st.booleans() | st.just([True, False]),
        "augment": st.lists(steps(), max_size=3),
        **{
            key: forms(numbers(rule.low, rule.high, whole=rule.whole))
            for key, rule in rules_of(Recipe).items()
            if isinstance(rule, Range) and key not in ("epochs", "seed")
        },
    },
)


def problems_of(section: dict[str, object]) -> dict[str, str]:
    """The messages with which a section is refused, by key."""
    with pytest.raises(StudyFileError) as caught:
        RecipeSpace.from_section(section)
    assert caught.value.path is None
    assert len(str(caught.value).splitlines()) == len(caught.value.problems) > 0
    return {problem.key: problem.message for problem in caught.value.problems}


@settings(max_examples=60)
@given(section=SECTIONS, data=st.data())
def test_any_answers_make_a_recipe(section: dict[str, object], data: st.DataObject) -> None:
    """Whatever a trial answers is a valid recipe that holds exactly these answers."""
    space = RecipeSpace.from_section(section)
    trial = DrawnTrial(data)
    recipe = space.suggest(trial, seed=7)
    assert recipe.seed == 7
    assert recipe.epochs == space.epochs
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    for name, answer in trial.answers.items():
        place, _, key = name.removeprefix("recipe.").rpartition(".")
        step = recipe.augment[int(place.removeprefix("augment")) - 1] if place else recipe
        assert getattr(step, key) == answer
    assert space.params_for(recipe) == trial.answers


def test_what_is_fixed_is_the_studys() -> None:
    """Of another recipe only what is searched counts; what it has not is left to the draw."""
    steps = [{"kind": "flip", "probability": [0.1, 0.5]}, {"kind": "affine", "degrees": [5, 7]}]
    section = {"optimizer": "sgd", "learning_rate": {"low": 0.01, "high": 0.1}, "augment": steps}
    space = RecipeSpace.from_section(section)
    affine = step_from_dict({"kind": "affine", "degrees": 7, "shear": 3})
    other = Recipe(optimizer="adam", learning_rate=0.05, epochs=99, augment=(affine,))
    answers = {"recipe.learning_rate": 0.05, "recipe.augment2.degrees": 7}
    assert space.params_for(other) == answers


def test_every_value_outside_its_field_is_named() -> None:
    """A recipe that cannot be drawn is refused with every key, its value and the field's."""
    fields = {"learning_rate": {"low": 0.01, "high": 0.1}, "batch_size": [32, 64]}
    with pytest.raises(StudyFileError) as refusal:
        RecipeSpace.from_section(fields).params_for(Recipe(learning_rate=0.2, batch_size=128))
    assert str(refusal.value).splitlines() == [
        "recipe.batch_size: 128 is not 32 or 64",
        "recipe.learning_rate: 0.2 is not 0.01 to 0.1",
    ]


@settings(max_examples=60)
@given(section=SECTIONS, data=st.data())
def test_every_trial_is_asked_for_the_same(section: dict[str, object], data: st.DataObject) -> None:
    """Two trials with other answers are asked for ``parameters``, in that order."""
    space = RecipeSpace.from_section(section)
    for _ in range(2):
        trial = DrawnTrial(data)
        space.suggest(trial, seed=0)
        assert list(trial.answers) == list(space.parameters)


GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["low", "high", "step", "log", "per", "kind"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=150)
@given(
    section=st.dictionaries(
        st.sampled_from([*DEFAULTS, "augment", "seed", "x"]), GARBAGE, max_size=3
    ),
    data=st.data(),
)
def test_garbage_is_refused_by_key_or_works(
    section: dict[str, object], data: st.DataObject
) -> None:
    """A section either makes recipes or has problems, each under a key of the recipe."""
    try:
        space = RecipeSpace.from_section(section)
    except StudyFileError:
        assert all(key.startswith("recipe.") for key in problems_of(section))
    else:
        space.suggest(DrawnTrial(data), seed=0)


def test_an_empty_section_is_the_default_recipe() -> None:
    """Absent keys take the defaults of Recipe, and a trial is asked for nothing."""
    space = RecipeSpace.from_section({})
    assert not space.parameters
    assert space.suggest(NeverAsked(), seed=3) == Recipe(seed=3)


class NeverAsked:
    """A trial that must not be asked."""

    def suggest_int(self, *_: object, **__: object) -> int:
        raise AssertionError

    def suggest_float(self, *_: object, **__: object) -> float:
        raise AssertionError

    def suggest_categorical(self, *_: object, **__: object) -> Scalar:
        raise AssertionError


BAD = [
    ({"learning_rat": 0.1}, "recipe.learning_rat", 'did you mean "learning_rate"'),
    ({"learning_rate": 0.0}, "recipe.learning_rate", "too small"),
    ({"learning_rate": "fast"}, "recipe.learning_rate", "number"),
    ({"learning_rate": float("nan")}, "recipe.learning_rate", "finite"),
    ({"learning_rate": {"low": 0, "high": 1, "log": True}}, "recipe.learning_rate", "too small"),
    ({"learning_rate": {"low": 0.1, "high": 0.2, "per": "conv"}}, "recipe.learning_rate", "per"),
    ({"batch_size": 64.0}, "recipe.batch_size", "write 64"),
    ({"batch_size": True}, "recipe.batch_size", "whole number"),
    ({"batch_size": []}, "recipe.batch_size", "at least one"),
    ({"batch_size": {"low": 64, "high": 32}}, "recipe.batch_size", "swap"),
    ({"epochs": [10, 20]}, "recipe.epochs", "one whole number"),
    ({"epochs": {"low": 10, "high": 20}}, "recipe.epochs", "one whole number"),
    ({"epochs": 0}, "recipe.epochs", "at least 1"),
    ({"seed": 1}, "recipe.seed", "study.seed"),
    ({"optimizer": "adamm"}, "recipe.optimizer", 'did you mean "adam"'),
    ({"schedule": 1}, "recipe.schedule", "one-cycle"),
    ({"nesterov": 1}, "recipe.nesterov", "true or false"),
    ({"normalise": 0}, "recipe.normalise", "true or false"),
    ({"nesterov": True}, "recipe.nesterov", 'optimizer = "sgd"'),
    ({"nesterov": [True, False], "optimizer": ["sgd", "adam"]}, "recipe.nesterov", '"adam"'),
    (
        {"nesterov": True, "optimizer": "sgd", "momentum": [0.0, 0.9]},
        "recipe.nesterov",
        "momentum above 0",
    ),
    ({"augment": {"kind": "flip"}}, "recipe.augment", "[[recipe.augment]]"),
    ({"augment": "flip"}, "recipe.augment", "[[recipe.augment]]"),
    ({"augment": ["flip"]}, "recipe.augment1", "[[recipe.augment]]"),
    ({"augment": [{}]}, "recipe.augment1.kind", "is required"),
    ({"augment": [{"kind": "flop"}]}, "recipe.augment1.kind", 'did you mean "flip"'),
    ({"augment": [{"kind": ["flip", "crop"]}]}, "recipe.augment1.kind", "is not a kind"),
    (
        {"augment": [{"kind": "flip"}, {"kind": "affine", "degree": 3}]},
        "recipe.augment2.degree",
        'did you mean "degrees"',
    ),
    ({"augment": [{"kind": "affine", "degrees": -3}]}, "recipe.augment1.degrees", "too small"),
    ({"augment": [{"kind": "crop", "padding": 1.5}]}, "recipe.augment1.padding", "whole"),
    (
        {"augment": [{"kind": "affine", "interpolation": "cubic"}]},
        "recipe.augment1.interpolation",
        "bilinear",
    ),
]


@pytest.mark.parametrize(("section", "key", "hint"), BAD)
def test_what_is_refused(section: dict[str, object], key: str, hint: str) -> None:
    """A bad section has exactly one problem, under its key, with the way out."""
    found = problems_of(section)
    assert list(found) == [key]
    assert hint in found[key]


def test_all_problems_come_at_once() -> None:
    """Problems of several keys and steps are reported together."""
    found = problems_of(
        {
            "epochs": 0,
            "decay": 2,
            "augment": [{"kind": "flip", "probability": 2}, {"kind": "?"}],
        }
    )
    assert set(found) == {
        "recipe.epochs",
        "recipe.decay",
        "recipe.augment1.probability",
        "recipe.augment2.kind",
    }
