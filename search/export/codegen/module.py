"""Write a network as the plain torch source that a person would write.

Only numbers, words of fixed tables and one checked class name go into the source, so that no study
file can inject code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import isfinite

from search.errors import ExportError
from search.export.codegen.blocks import Block, SourcePlan, plan_source
from search.export.codegen.forward import forward_statements
from search.export.codegen.layers import WITHOUT, Call, module_calls
from space.architecture import Architecture
from space.cost import cost
from space.layers.words import Shape, format_shape
from trainer.data import Normalisation

__all__ = ["network_source"]

_WIDTH = 88  # of a line, as ruff and black have it unless told otherwise
_CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
_TAKEN = ("False", "None", "Tensor", "True")


def network_source(
    architecture: Architecture, class_name: str, normalisation: Normalisation
) -> str:
    """Write the source of a module that needs torch alone.

    Its class takes images (n, channels, height, width), floats in [0, 1], normalises them and gives
    logits (n, classes): those of the built architecture on normalised images, once it holds the
    same weights under the names of `search.export.codegen.layers.weight_names`.

    Args:
        architecture: one that fits together.
        class_name: letters and digits (ASCII), a capital first, such as ``Mnist8kNet``.
        normalisation: a mean and a deviation to each channel.

    Raises:
        ExportError: the class name or the normalisation cannot be used; the message says why.
        ShapeError: the architecture does not fit together.
    """
    if not _CLASS_NAME.fullmatch(class_name) or class_name in _TAKEN:
        raise ExportError(
            f"{class_name!r} is not a class name; use letters and digits, as in SmallNet"
        )
    _check(normalisation, architecture.input_shape)
    plan = plan_source(architecture)
    forward = list(_forward(plan, architecture.input_shape))
    torch_imports = ["import torch", "from torch import Tensor, nn"]
    if any("functional." in line for line in forward):
        torch_imports.append("from torch.nn import functional")
    lines = [
        f'"""{_summary(architecture)}"""',
        "",
        *torch_imports,
        "",
        "# Of each channel of the training images, in [0, 1].",
        *_tuple("MEAN", normalisation.mean),
        *_tuple("STD", normalisation.std),
        "",
        "",
        *_helpers(plan),
        *_class(architecture, class_name, plan),
        *forward,
    ]
    return "\n".join(lines) + "\n"


def _check(normalisation: Normalisation, shape: Shape) -> None:
    for name, values in (("mean", normalisation.mean), ("std", normalisation.std)):
        if len(values) != shape[0]:
            raise ExportError(
                f"the normalisation has {len(values)} values of {name}, but "
                f"images of {format_shape(shape)} need {shape[0]}"
            )
        if not all(isfinite(value) and (name == "mean" or value > 0) for value in values):
            raise ExportError(
                f"the normalisation has {name} {values}; every mean must be finite, every std "
                "finite and above 0"
            )


def _summary(architecture: Architecture) -> str:
    shape, parameters = format_shape(architecture.input_shape), cost(architecture).parameters
    return (
        f"A network of {parameters:,} parameters: {shape} images to {architecture.classes} logits."
    )


def _tuple(name: str, values: Iterable[float]) -> Iterable[str]:
    texts = [repr(float(value)) for value in values]
    line = f"{name} = ({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    if len(line) <= _WIDTH:
        return [line]
    return [f"{name} = (", *(f"    {text}," for text in texts), ")"]


def _helpers(plan: SourcePlan) -> Iterator[str]:
    """Write the functions that the class needs."""
    calls = [call for block in plan.blocks for call in module_calls(block)]
    if any(call.function == WITHOUT for call in calls):
        yield f"def {WITHOUT}(module: nn.Module, parameter: str) -> nn.Module:"
        yield '    """Take a parameter out of a module."""'
        yield "    module.register_parameter(parameter, None)"
        yield from ("    return module", "", "")


def _class(architecture: Architecture, class_name: str, plan: SourcePlan) -> Iterator[str]:
    images = ", ".join(map(str, ("n", *architecture.input_shape)))
    logits = f"n, {architecture.classes}"
    yield f"class {class_name}(nn.Module):"
    yield f'    """Images ({images}), floats in [0, 1], to logits ({logits})."""'
    yield from ("", "    mean: Tensor", "    std: Tensor", "")
    yield "    def __init__(self) -> None:"
    yield "        super().__init__()"
    yield "        mean, std = torch.tensor(MEAN), torch.tensor(STD)"
    for name in ("mean", "std"):
        value = f"{name}.view(-1, 1, 1)"
        yield f'        self.register_buffer("{name}", {value}, persistent=False)'
    for block in plan.blocks:
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    calls = module_calls(block)
    if len(calls) == 1:
        yield from _call(f"        self.{block.name} = ", calls[0])
        return
    yield f"        self.{block.name} = nn.Sequential("
    for call in calls:
        yield from _call(" " * 12, call, ",")
    yield "        )"


def _call(before: str, call: Call, after: str = "") -> Iterable[str]:
    line = f"{before}{call}{after}"
    if len(line) <= _WIDTH:
        return [_commented(line, call.output)]
    indent = " " * (len(before) - len(before.lstrip()))
    arguments = [f"{indent}    {', '.join(call.arguments)}"]
    if len(arguments[0]) > _WIDTH:
        arguments = [f"{indent}    {argument}," for argument in call.arguments]
    return [f"{before}{call.function}(", *arguments, f"{indent}){after}"]


def _forward(plan: SourcePlan, shape: Shape) -> Iterator[str]:
    yield from ("", "    def forward(self, images: Tensor) -> Tensor:")
    yield '        """Normalise images and give their logits."""'
    yield f"        if list(images.shape[1:]) != {list(shape)}:"
    needed = ", ".join(map(str, ("n", *shape)))
    yield f'            raise ValueError("images must have the shape ({needed})")'
    yield "        x = (images - self.mean) / self.std"
    known: Shape | None = shape
    for statement in forward_statements(plan):
        line = "        " + "    " * statement.level + statement.text
        yield _commented(line, None if statement.shape == known else statement.shape)
        known = statement.shape or known


def _commented(line: str, shape: Shape | None) -> str:
    """Add the shape that a line gives, where it is known and there is room."""
    if shape is None:
        return line
    commented = f"{line}  # {format_shape(shape)}"
    return commented if len(commented) <= _WIDTH else line
