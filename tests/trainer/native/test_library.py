from __future__ import annotations

import ctypes
import re
import shutil
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL, byref, c_float, c_int32, c_int64, c_void_p
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.trainer.drawn_networks import noise
from trainer.errors import NoKernels
from trainer.native import library, toolchain
from trainer.native.abi import (
    ABI_VERSION,
    FUNCTIONS,
    STRUCTURES,
    AdditionArgs,
    ConvolutionArgs,
    MapShape,
    NormActivationArgs,
    PixelsView,
    PoolingArgs,
    Status,
)
from trainer.native.library import (
    SOURCE,
    activation_names,
    load_kernels,
    named_activations,
    open_library,
)
from trainer.native.network import CompiledNetwork
from trainer.native.toolchain import build_library
from trainer.weights import FlatWeights

README = SOURCE.parent / "README.md"


@pytest.fixture(scope="module")
def kernels() -> CDLL:
    """The library."""
    return load_kernels()


@pytest.fixture
def handle(kernels: CDLL) -> c_void_p:
    """A network of two maps of (4, 6, 6) and one of (4, 1, 1), without operations."""
    made = c_void_p()
    assert kernels.flyweight_new(1, made) == Status.OK
    for shape in ((4, 6, 6), (4, 6, 6), (4, 1, 1)):
        assert kernels.flyweight_add_map(made, MapShape(*shape)) == Status.OK
    return made


@pytest.fixture(scope="module")
def imitation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with the functions of the kernels that says of itself what it is told to say."""
    folder = tmp_path_factory.mktemp("imitation")
    told = FUNCTIONS.keys() & {"flyweight_abi_version", "flyweight_struct_size"}
    sizes = {each.__name__: ctypes.sizeof(each) for each in STRUCTURES}
    cases = "".join(
        f'if (!std::strcmp(name, "{name}")) return {size} + (wrong == {index} ? 8 : 0);\n'
        for index, (name, size) in enumerate(sizes.items())
    )
    source = folder / "source" / "imitation.cpp"
    source.parent.mkdir()
    source.write_text(
        "#include <cstdint>\n#include <cstring>\n"
        f'extern "C" {{\nint32_t version = {ABI_VERSION};\nint32_t wrong = -1;\n'
        "int32_t flyweight_abi_version() { return version; }\n"
        f"int64_t flyweight_struct_size(const char* name) {{ {cases} return 0; }}\n"
        + "".join(f"int32_t {name}() {{ return 0; }}\n" for name in sorted(FUNCTIONS.keys() - told))
        + "}\n"
    )
    return build_library(source, folder / "built")


@contextmanager
def saying(path: Path, name: str, value: int) -> Iterator[None]:
    """The imitation with another version, or with a wrong size of one structure."""
    figure = c_int32.in_dll(CDLL(str(path)), name)
    usual, figure.value = figure.value, value
    try:
        yield
    finally:
        figure.value = usual


def test_a_library_of_the_same_interface_is_loaded(imitation: Path) -> None:
    """The imitation itself must be no reason to refuse a library."""
    assert open_library(imitation).flyweight_abi_version() == ABI_VERSION


@pytest.mark.parametrize("version", [ABI_VERSION - 1, ABI_VERSION + 1])
def test_another_version_is_refused(imitation: Path, version: int) -> None:
    """A library of another version must be refused, and both versions be named."""
    refused = pytest.raises(NoKernels, match=rf"version {version}, .* needs {ABI_VERSION}; delete")
    with saying(imitation, "version", version), refused:
        open_library(imitation)


@pytest.mark.parametrize("index", range(len(STRUCTURES)))
def test_another_size_of_a_structure_is_refused(imitation: Path, index: int) -> None:
    """Each structure of another size must be refused, and both sizes be named."""
    name, size = STRUCTURES[index].__name__, ctypes.sizeof(STRUCTURES[index])
    refused = pytest.raises(NoKernels, match=rf"{name} has {size + 8} bytes .* {size}; delete")
    with saying(imitation, "wrong", index), refused:
        open_library(imitation)


def test_a_library_without_the_functions_is_refused(tmp_path: Path) -> None:
    """Another library, or none, must be a reason for doing without kernels, not a crash."""
    source = tmp_path / "other" / "other.cpp"
    source.parent.mkdir()
    source.write_text("int other() { return 1; }\n")
    with pytest.raises(NoKernels, match=r"cannot be loaded: .*flyweight_abi_version"):
        open_library(build_library(source, tmp_path / "built"))
    with pytest.raises(NoKernels, match=r"cannot be loaded: .*missing"):
        open_library(tmp_path / "missing.so")


def test_what_failed_once_fails_again_with_the_same_reason(
    imitation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused library must not be tried for each network, and the reason stay the same."""
    calls = []
    monkeypatch.setattr(library, "build_library", lambda source: calls.append(source) or imitation)
    library._load.cache_clear()
    try:
        with saying(imitation, "version", ABI_VERSION + 1):
            for _ in range(2):
                with pytest.raises(NoKernels, match=f"version {ABI_VERSION + 1}"):
                    load_kernels()
        assert calls == [SOURCE]
    finally:
        library._load.cache_clear()


MAPS = [-(2**31), -1, 3, 2**31 - 1]


@pytest.mark.parametrize("number", MAPS)
@pytest.mark.parametrize("field", ["source", "target", "left", "right"])
def test_numbers_of_no_map_are_refused(
    kernels: CDLL, handle: c_void_p, field: str, number: int
) -> None:
    """An operation between maps that do not exist must be refused, and the number be named."""
    weight = torch.zeros(4, 4, 1, 1)
    convolution = ConvolutionArgs(0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 4, 1, 1)
    convolution.weight.values = weight.data_ptr()
    given = {
        "convolution": convolution,
        "norm_activation": NormActivationArgs(0, 1),
        "pooling": PoolingArgs(0, 2, 6, 6, 6, 6),
        "addition": AdditionArgs(0, 0, 1),
    }
    for name, args in given.items():
        if field not in dict(args._fields_):
            continue
        setattr(args, field, number)
        assert kernels[f"flyweight_add_{name}"](handle, byref(args)) == Status.INVALID_ARGUMENT
        assert kernels.flyweight_last_error() == f"there is no map {number} among 3".encode()
    kernels.flyweight_free(handle)


def test_null_pointers_are_refused(kernels: CDLL, handle: c_void_p) -> None:
    """No null pointer may be followed; the reason must name the argument."""
    loss, correct = c_float(), c_int64()
    view = PixelsView()
    calls = {
        "network": kernels.flyweight_finish(None, 1),
        "pixels": kernels.flyweight_forward(handle, None, 0, None),
        "logits_gradient": kernels.flyweight_backward(handle, None),
    }
    assert set(calls.values()) == {Status.INVALID_ARGUMENT}
    view.images = 1
    arguments = (None, 0, 0.0, byref(loss), byref(correct))
    status = kernels.flyweight_forward_backward(handle, view, *arguments)
    assert status == Status.INVALID_ARGUMENT
    assert kernels.flyweight_last_error() == b"pixels.values is null"
    view.values = ctypes.addressof(loss)
    status = kernels.flyweight_forward_backward(handle, view, *arguments)
    assert status == Status.INVALID_ARGUMENT
    assert kernels.flyweight_last_error() == b"labels is null"
    assert kernels.flyweight_free(handle) == Status.OK
    assert kernels.flyweight_free(None) == Status.OK


def test_a_network_that_is_not_finished_does_not_run(kernels: CDLL, handle: c_void_p) -> None:
    """Without memory for its maps a network must refuse to compute."""
    values = (c_float * 200)()
    view = PixelsView(ctypes.addressof(values), 144, 36, 6, 1, 1)
    assert kernels.flyweight_infer(handle, view, values) == Status.INVALID_ARGUMENT
    assert kernels.flyweight_last_error() == b"the network is not finished"
    kernels.flyweight_free(handle)


def module_of(name: str) -> nn.Module:
    """The module that prints itself so."""
    match = re.fullmatch(r"(\w+)\((?:(\w+)=([^,()]+))?\)", name)
    assert match is not None
    kind, argument, value = match.groups()
    made: nn.Module = getattr(nn, kind)(**({argument: literal_eval(value)} if argument else {}))
    return made


def assert_is_torchs(module: nn.Module) -> None:
    """Compares an activation's values and slopes to torch's, over all its bends."""
    pixels = torch.cat([torch.linspace(-9, 9, 1001), torch.tensor([-80.0, 80.0])])
    scale = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(scale.weight)
    network = nn.Sequential(scale, module, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    gradients = FlatWeights(network).make_gradient()
    made = CompiledNetwork(network, (1, 1, 1), gradients, len(pixels), 1)
    logits = made.forward(pixels[:, None, None, None], 0)
    wanted = module(pixels.clone())
    torch.testing.assert_close(logits[:, 0], wanted, rtol=1e-5, atol=1e-6)
    for index in range(0, len(pixels), 50):
        upstream = torch.zeros(len(pixels), 1)
        upstream[index] = 1.0
        gradients[scale.weight].zero_()
        made.backward(upstream)
        point = pixels[index : index + 1].clone().requires_grad_()
        (slope,) = torch.autograd.grad(module(point + 0.0), point)
        learned: Tensor = gradients[scale.weight].flatten()
        torch.testing.assert_close(learned, slope * pixels[index], rtol=1e-4, atol=1e-5)


def test_each_activation_is_torchs(kernels: CDLL) -> None:
    """Every activation of the list must be the module that it names, in value and slope."""
    none, *names = activation_names(kernels)
    assert none == "Identity()"
    assert sorted(named_activations()) == sorted((none, *names))
    assert len(set(names)) == len(names) >= 4
    for name in names:
        assert_is_torchs(module_of(name))


def test_an_activation_is_added_in_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The README's example, put where it says, must be all that a further activation takes."""
    (example,) = re.findall(r"```cpp\n(struct Relu6 .*?)```", README.read_text(), re.DOTALL)
    (old, new) = re.findall(r"```cpp\n(using Activations =.*?)\n```", README.read_text(), re.S)
    folder = tmp_path / "csrc"
    shutil.copytree(SOURCE.parent, folder)
    header = folder / "kernels" / "activations.h"
    text = header.read_text()
    assert old in text
    before = "template <class... Types>\nstruct TypeList {"
    assert before in text
    header.write_text(text.replace(before, f"{example}\n{before}").replace(old, new))
    # A quarter of the time that optimised code would take to compile.
    monkeypatch.setattr(toolchain, "_FLAGS", ("-O0", *toolchain._FLAGS[1:]))
    added = open_library(build_library(folder / SOURCE.name, tmp_path / "built"))
    assert activation_names(added) == (*activation_names(load_kernels()), "ReLU6()")
    monkeypatch.setattr("trainer.native.network.load_kernels", lambda: added)
    assert_is_torchs(nn.ReLU6())
    network = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    pixels = noise((20, 3, 5, 4), 1)
    made = CompiledNetwork(network, (3, 5, 4), FlatWeights(network).make_gradient(), 20, 2)
    torch.testing.assert_close(made.infer(pixels), network.eval()(pixels).detach())
