from __future__ import annotations

import time
from xml.etree import ElementTree

import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from search.pictures.confusion import confusion_counts, confusion_picture
from tests.search.pictures.test_svg import SVG

answers = st.integers(2, 120).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(-1, n - 1)), min_size=1, max_size=60),
    )
)


@given(answers)
def test_the_counts_are_those_of_a_library(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    """scikit-learn counts the same; images without an answer are left out by both."""
    count, pairs = drawn
    labels, classes = (torch.tensor(each) for each in zip(*pairs, strict=True))
    found = confusion_counts(labels, classes, count)
    answered = classes >= 0
    if answered.any():
        wanted = confusion_matrix(labels[answered], classes[answered], labels=range(count))
        assert found.tolist() == wanted.tolist()
    else:
        assert not found.any()


@given(answers)
def test_it_stays_inside_the_picture(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    """However many classes and however long their names, nothing lies outside of the drawing."""
    count, pairs = drawn
    labels, classes = (torch.tensor(each) for each in zip(*pairs, strict=True))
    names = [f"class <{i}> {'x' * (i % 30)}" for i in range(count)]
    drawing = confusion_picture(confusion_counts(labels, classes, count), names, "a & b")
    root = ElementTree.fromstring(drawing.file_text())
    for each in root.iter(f"{SVG}rect"):
        x, y = float(each.get("x", 0)), float(each.get("y", 0))
        assert x + float(each.attrib["width"]) <= drawing.width
        assert y + float(each.attrib["height"]) <= drawing.height


def test_thousands_of_classes_take_no_time() -> None:
    """The work follows the images and not the square of the classes."""
    count = 2_000
    labels = torch.arange(count)
    classes = labels.clone()
    classes[::2] = 0
    names = [f"c{i}" for i in range(count)]
    started = time.process_time()
    drawing = confusion_picture(confusion_counts(labels, classes, count), names)
    assert time.process_time() - started < 2
    assert drawing.file_text().count("<rect") == count // 2 - 1 + 2
