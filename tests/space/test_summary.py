from __future__ import annotations

from itertools import pairwise

import torch
from hypothesis import example, given
from torch import Tensor, nn

from space.architecture import Architecture
from space.cost import cost
from space.network import build
from space.summary import summary
from tests.space.strategies import BLOCKS, architectures
from tests.space.test_cost import relaxed


@relaxed
@given(architectures())
@example(BLOCKS)
def test_the_lines_add_up_to_the_cost(architecture: Architecture) -> None:
    """Parameters and multiplications are sums, and what a line gives is what the next one takes."""
    lines, price = summary(architecture), cost(architecture)
    assert sum(each.parameters for each in lines) == price.parameters
    assert sum(each.macs for each in lines) == price.macs
    assert max(each.activation_bytes for each in lines) == price.activation_bytes
    assert max(lines[-1].receptive_field) == price.receptive_field
    assert lines[0].before == architecture.input_shape
    assert lines[-1].after == (architecture.classes, 1, 1)
    assert all(one.after == other.before for one, other in pairwise(lines))


@relaxed
@given(architectures())
@example(BLOCKS)
def test_the_parameters_of_a_line_are_those_of_its_modules(architecture: Architecture) -> None:
    """A line counts what the network holds under its name, the norms of an again line its own."""
    counted = [0] * len(architecture.layers)
    for name, parameter in build(architecture).named_parameters():
        counted[int(name.removeprefix("line").partition(".")[0]) - 1] += parameter.numel()
    found = [0] * len(architecture.layers)
    for each in summary(architecture):
        found[each.line] += each.parameters
    assert found == counted


def test_a_repetition_is_a_line_of_its_own() -> None:
    """A line that is applied again is listed again: without parameters, with multiplications."""
    text = "conv3 4 pad1 relu\nconv3 4 pad1 bn relu\nagain1\ngap\nlinear 10"
    lines = summary(Architecture.parse(text, input_shape=(1, 8, 8)))
    assert [each.line for each in lines] == [0, 1, 2, 3, 4]
    assert [each.repeats for each in lines] == [False, False, True, False, False]
    assert lines[2].text == lines[1].text
    assert (lines[1].parameters, lines[2].parameters) == (4 * 4 * 9 + 8, 0)
    assert lines[1].macs == lines[2].macs == 8 * 8 * 4 * 4 * 9


def test_the_receptive_field_is_what_the_real_network_sees() -> None:
    """The gradient of one output reaches as many rows and columns as are said, line by line."""
    text = "conv3 4\nmaxpool2\nconv5 4 pad2\nconv3 4 stride2\nconv1x3 3\ngap\nlinear 2"
    architecture = Architecture.parse(text, input_shape=(1, 64, 64))
    network = build(architecture).double()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 1.0)
    for each in summary(architecture)[:-2]:
        image = torch.rand(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
        maps = _map_after(network, image, each.line)
        _, _, height, width = maps.shape
        # A max pool passes its gradient to one pixel, so many images are looked at.
        seen = torch.zeros(64, 64, dtype=torch.bool)
        for _ in range(60):
            fresh = torch.rand(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
            _map_after(network, fresh, each.line)[0, 0, height // 2, width // 2].backward()
            assert fresh.grad is not None
            seen |= fresh.grad[0, 0] != 0
        rows, columns = seen.any(1), seen.any(0)
        assert (int(rows.sum()), int(columns.sum())) == each.receptive_field


def _map_after(network: nn.Module, image: Tensor, line: int) -> Tensor:
    """Return the map that a line of the network gives."""
    found: list[Tensor] = []
    modules = [
        module for name, module in network.named_modules() if name.startswith(f"line{line + 1}.")
    ]
    handle = modules[-1].register_forward_hook(lambda *given: found.append(given[2]))
    network(image)
    handle.remove()
    return found[0]
