// What is checked of the arguments that come from outside. Each check throws std::invalid_argument.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "api.h"
#include "buffers.h"
#include "kernels/activations.h"

namespace flyweight {

// Bounds within which no index of the kernels overflows: values of one image's map, and weights.
constexpr int64_t kMostValues = (int64_t{1} << 27) - 1;
constexpr int64_t kMostWeights = int64_t{1} << 24;
constexpr int32_t kMostThreads = 4096;

inline void require(bool holds, const std::string& message) {
    if (!holds) throw std::invalid_argument(message);
}

template <class Pointer>
Pointer required(Pointer pointer, const char* name) {
    if (!pointer) throw std::invalid_argument(std::string(name) + " is null");
    return pointer;
}

inline std::string text(const Map& map) {
    return std::to_string(map.channels) + "x" + std::to_string(map.height) + "x" +
           std::to_string(map.width);
}

inline void require_in_range(const char* name, int64_t value, int64_t least, int64_t most) {
    require(least <= value && value <= most, std::string(name) + " is " + std::to_string(value) +
                                                 ": expected " + std::to_string(least) + " to " +
                                                 std::to_string(most));
}

inline void check(const MapShape& shape) {
    for (int64_t size : {shape.channels, shape.height, shape.width})
        require_in_range("a size of a map", size, 1, kMostValues);
    const int64_t pixels = int64_t{shape.height} * shape.width;
    require(pixels <= kMostValues / shape.channels,
            "a map of more than " + std::to_string(kMostValues) + " values per image");
}

inline void check_axis(const char* name, int64_t input, int64_t output, int64_t kernel,
                       int64_t stride, int64_t padding, int64_t dilation) {
    const int64_t room = input + 2 * padding - dilation * (kernel - 1) - 1;
    require(room >= 0 && output == room / stride + 1,
            std::string("a window of ") + name + " " + std::to_string(kernel) + ", stride " +
                std::to_string(stride) + ", padding " + std::to_string(padding) + " and dilation " +
                std::to_string(dilation) + " does not turn " + std::to_string(input) + " into " +
                std::to_string(output));
}

inline void check(const ConvolutionArgs& args, const Map& input, const Map& output) {
    required(args.weight.values, "the weight");
    require_in_range("the kernel's height", args.height, 1, kMostWeights);
    require_in_range("the kernel's width", args.width, 1, kMostWeights);
    require_in_range("the vertical stride", args.stride_height, 1, kMostValues);
    require_in_range("the horizontal stride", args.stride_width, 1, kMostValues);
    require_in_range("the vertical dilation", args.dilation_height, 1, kMostWeights);
    require_in_range("the horizontal dilation", args.dilation_width, 1, kMostWeights);
    require_in_range("the vertical padding", args.padding_height, 0, kMostValues);
    require_in_range("the horizontal padding", args.padding_width, 0, kMostValues);
    require_in_range("groups", args.groups, 1, input.channels);
    require(input.channels % args.groups == 0 && output.channels % args.groups == 0,
            std::to_string(args.groups) + " groups do not divide " +
                std::to_string(input.channels) + " and " + std::to_string(output.channels) +
                " channels");
    check_axis("height", input.height, output.height, args.height, args.stride_height,
               args.padding_height, args.dilation_height);
    check_axis("width", input.width, output.width, args.width, args.stride_width,
               args.padding_width, args.dilation_width);
    const int64_t per_output =
        int64_t{args.height} * args.width <= kMostWeights
            ? int64_t{args.height} * args.width * (input.channels / args.groups)
            : kMostWeights + 1;
    require(per_output <= kMostWeights / output.channels,
            "a convolution of more than " + std::to_string(kMostWeights) + " weights");
}

inline void check(const NormActivationArgs& args, const Map& input, const Map& output) {
    require(input.has_shape_of(output),
            "an activation turns a map of " + text(input) + " into one of " + text(output));
    require_in_range("the first activation", args.first_activation, 0, Activations::kSize - 1);
    require_in_range("the second activation", args.second_activation, 0, Activations::kSize - 1);
    require(args.first_activation == kNoActivation || args.second_activation == kNoActivation,
            "two activations in one operation");
    require(args.dropout >= 0.0f && args.dropout < 1.0f,
            "dropout is " + std::to_string(args.dropout) + ": expected 0 to below 1");
    if (!args.normalises) return;
    required(args.running_mean, "the running mean");
    required(args.running_variance, "the running variance");
    required(args.batches, "the number of batches");
}

inline void check(const PoolingArgs& args, const Map& input, const Map& output) {
    require_in_range("the window's height", args.height, 1, kMostValues);
    require_in_range("the window's width", args.width, 1, kMostValues);
    require_in_range("the vertical stride", args.stride_height, 1, kMostValues);
    require_in_range("the horizontal stride", args.stride_width, 1, kMostValues);
    require_in_range("the vertical padding", args.padding_height, 0, args.height / 2);
    require_in_range("the horizontal padding", args.padding_width, 0, args.width / 2);
    require(output.channels == input.channels,
            "pooling turns a map of " + text(input) + " into one of " + text(output));
    check_axis("height", input.height, output.height, args.height, args.stride_height,
               args.padding_height, 1);
    check_axis("width", input.width, output.width, args.width, args.stride_width,
               args.padding_width, 1);
}

inline void check(const AdditionArgs&, const Map& left, const Map& right, const Map& output) {
    require(left.has_shape_of(right) && left.has_shape_of(output),
            "maps of " + text(left) + " and " + text(right) + " do not add up to " + text(output));
}

}  // namespace flyweight
