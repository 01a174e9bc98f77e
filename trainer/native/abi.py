"""The C interface of the kernels, as ctypes sees it: a mirror of ``csrc/api.h``."""

from __future__ import annotations

from ctypes import (
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_float,
    c_int32,
    c_int64,
    c_uint64,
    c_void_p,
)
from enum import IntEnum

__all__ = [
    "ABI_VERSION",
    "FUNCTIONS",
    "STRUCTURES",
    "AdditionArgs",
    "ConvolutionArgs",
    "MapShape",
    "NormActivationArgs",
    "ParameterView",
    "PixelsView",
    "PoolingArgs",
    "Status",
]

ABI_VERSION = 2
"""Version of the interface; the library must have the same."""


class Status(IntEnum):
    """The status codes that functions of the library return."""

    OK = 0
    NO_MEMORY = 1
    INVALID_ARGUMENT = 2
    NO_SUCH_CLASS = 3
    FAILURE = 4


class PixelsView(Structure):
    """A batch of images with its strides, in floats."""

    _fields_ = [
        ("values", c_void_p),
        ("image", c_int64),
        ("channel", c_int64),
        ("row", c_int64),
        ("column", c_int64),
        ("images", c_int32),
    ]


class ParameterView(Structure):
    """The addresses of a parameter and its gradient; null if there is none."""

    _fields_ = [("values", c_void_p), ("gradient", c_void_p)]


class MapShape(Structure):
    """The shape of a map."""

    _fields_ = [("channels", c_int32), ("height", c_int32), ("width", c_int32)]


class ConvolutionArgs(Structure):
    """A convolution between two maps."""

    _fields_ = [
        ("source", c_int32),
        ("target", c_int32),
        ("height", c_int32),
        ("width", c_int32),
        ("stride_height", c_int32),
        ("stride_width", c_int32),
        ("padding_height", c_int32),
        ("padding_width", c_int32),
        ("dilation_height", c_int32),
        ("dilation_width", c_int32),
        ("groups", c_int32),
        ("output_stride", c_int64),
        ("input_stride", c_int64),
        ("element_stride", c_int64),
        ("weight", ParameterView),
        ("bias", ParameterView),
    ]


class NormActivationArgs(Structure):
    """An activation, a normalisation, an activation and dropout."""

    _fields_ = [
        ("source", c_int32),
        ("target", c_int32),
        ("first_activation", c_int32),
        ("second_activation", c_int32),
        ("dropout", c_float),
        ("drops_channels", c_int32),
        ("normalises", c_int32),
        ("scale", ParameterView),
        ("shift", ParameterView),
        ("running_mean", c_void_p),
        ("running_variance", c_void_p),
        ("batches", c_void_p),
        ("momentum", c_float),
        ("epsilon", c_float),
    ]


class PoolingArgs(Structure):
    """Max pooling, or average pooling, between two maps."""

    _fields_ = [
        ("source", c_int32),
        ("target", c_int32),
        ("height", c_int32),
        ("width", c_int32),
        ("stride_height", c_int32),
        ("stride_width", c_int32),
        ("padding_height", c_int32),
        ("padding_width", c_int32),
        ("takes_largest", c_int32),
    ]


class AdditionArgs(Structure):
    """The sum of two maps."""

    _fields_ = [("left", c_int32), ("right", c_int32), ("target", c_int32)]


STRUCTURES: tuple[type[Structure], ...] = (
    PixelsView,
    ParameterView,
    MapShape,
    ConvolutionArgs,
    NormActivationArgs,
    PoolingArgs,
    AdditionArgs,
)
"""The structures whose sizes must equal the library's."""

FUNCTIONS: dict[str, tuple[list[type], type]] = {
    "flyweight_abi_version": ([], c_int32),
    "flyweight_struct_size": ([c_char_p], c_int64),
    "flyweight_last_error": ([], c_char_p),
    "flyweight_activation_name": ([c_int32], c_char_p),
    "flyweight_new": ([c_int32, POINTER(c_void_p)], c_int32),
    "flyweight_free": ([c_void_p], c_int32),
    "flyweight_add_map": ([c_void_p, POINTER(MapShape)], c_int32),
    "flyweight_add_convolution": ([c_void_p, POINTER(ConvolutionArgs)], c_int32),
    "flyweight_add_norm_activation": ([c_void_p, POINTER(NormActivationArgs)], c_int32),
    "flyweight_add_pooling": ([c_void_p, POINTER(PoolingArgs)], c_int32),
    "flyweight_add_addition": ([c_void_p, POINTER(AdditionArgs)], c_int32),
    "flyweight_finish": ([c_void_p, c_int32], c_int32),
    "flyweight_forward": ([c_void_p, POINTER(PixelsView), c_uint64, c_void_p], c_int32),
    "flyweight_backward": ([c_void_p, c_void_p], c_int32),
    "flyweight_forward_backward": (
        [c_void_p, POINTER(PixelsView), c_void_p, c_uint64, c_double, c_void_p, c_void_p],
        c_int32,
    ),
    "flyweight_infer": ([c_void_p, POINTER(PixelsView), c_void_p], c_int32),
}
"""The arguments and the result of each function."""
