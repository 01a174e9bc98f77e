"""Build and load the library of compiled kernels, and check its interface."""

from __future__ import annotations

import re
from ctypes import CDLL, sizeof
from functools import cache
from itertools import count
from pathlib import Path

from trainer.errors import NoKernels
from trainer.native.abi import ABI_VERSION, FUNCTIONS, STRUCTURES
from trainer.native.toolchain import build_library

__all__ = [
    "SOURCE",
    "activation_names",
    "kernels_build",
    "load_kernels",
    "named_activations",
    "open_library",
]

SOURCE = Path(__file__).parent / "csrc" / "api.cpp"
_ACTIVATIONS = SOURCE.parent / "kernels" / "activations.h"


def load_kernels() -> CDLL:
    """Return the library; build it first if this machine has no build yet.

    Raises:
        NoKernels: if it cannot be built or loaded.
    """
    library = _load()
    if isinstance(library, NoKernels):
        raise NoKernels(str(library))
    return library


def kernels_build() -> str:
    """Return the name of this machine's build, which is another for other code or processors.

    Raises:
        NoKernels: if it cannot be built or loaded.
    """
    return Path(load_kernels()._name).stem


def open_library(path: Path) -> CDLL:
    """Load a library and check that it has the interface of :mod:`trainer.native.abi`.

    Args:
        path: of the shared library.

    Raises:
        NoKernels: if it cannot be loaded, or has another version or other structures.
    """
    try:
        library = CDLL(str(path))
        for name, (arguments, result) in FUNCTIONS.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, result
    except (OSError, AttributeError) as error:
        raise NoKernels(f"the compiled kernels cannot be loaded: {error}; delete {path}") from None
    _check_interface(library, path)
    return library


def activation_names(library: CDLL) -> tuple[str, ...]:
    """Return the torch modules that the library's activations equal, by their numbers.

    Each is the text that the module prints, without ``inplace``; number 0 is no activation.
    """
    names: list[str] = []
    for index in count():
        name = library.flyweight_activation_name(index)
        if name is None:
            break
        names.append(name.decode())
    return tuple(names)


def named_activations() -> tuple[str, ...]:
    """Return what :func:`activation_names` would, in any order, without building the library."""
    return tuple(re.findall(r'kModule = "([^"]+)"', _ACTIVATIONS.read_text()))


def _check_interface(library: CDLL, path: Path) -> None:
    version = library.flyweight_abi_version()
    if version != ABI_VERSION:
        raise NoKernels(
            f"the compiled kernels have interface version {version}, but this package needs "
            f"{ABI_VERSION}; delete {path}"
        )
    for structure in STRUCTURES:
        size, wanted = library.flyweight_struct_size(structure.__name__.encode()), sizeof(structure)
        if size != wanted:
            raise NoKernels(
                f"{structure.__name__} has {size} bytes in the compiled kernels, but this package "
                f"needs {wanted}; delete {path}"
            )


@cache
def _load() -> CDLL | NoKernels:
    try:
        return open_library(build_library(SOURCE))
    except NoKernels as error:
        return error
