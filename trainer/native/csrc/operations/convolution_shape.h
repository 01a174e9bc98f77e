// What the forward, backward and gradient kernels of a convolution all need to know of it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "buffers.h"
#include "kernels/direct.h"
#include "kernels/winograd.h"

namespace flyweight {

// How far apart neighbours of a weight tensor lie: (output, input of its group, kernel element).
struct Strides {
    int64_t output, input, element;
};

struct Kernel {
    int height, width, stride_height, stride_width, padding_height, padding_width;
    int dilation_height, dilation_width, groups;
};

struct ConvolutionShape {
    ConvolutionShape(Map& input, Map& output, Kernel kernel, Strides strides)
        : input(input), output(output), kernel(kernel), strides(strides),
          inputs(input.channels / kernel.groups), outputs(output.channels / kernel.groups),
          elements(kernel.height * kernel.width),
          depthwise(kernel.groups == input.channels && kernel.groups == output.channels),
          winograd(fits_winograd(inputs, outputs, output.width)),
          winograd_backward(fits_winograd(outputs, inputs, input.width)) {}

    Map &input, &output;
    Kernel kernel;
    Strides strides;
    // Channels of one group, and weights of one pair of channels.
    int inputs, outputs, elements;
    bool depthwise;
    // Whether forward and the weights' gradient, and whether backward, use Winograd's kernels.
    bool winograd, winograd_backward;

    int group_weights() const { return elements * inputs * outputs; }
    size_t weights() const { return static_cast<size_t>(kernel.groups) * group_weights(); }
    // Weights transformed by Winograd's kernels.
    int group_points() const { return kernel.height * kPoints * inputs * outputs; }
    size_t points() const { return static_cast<size_t>(kernel.groups) * group_points(); }

    // Where a weight lies in the trainer's tensor.
    size_t weight_offset(int group, int element, int i, int o) const {
        return (group * outputs + o) * strides.output + i * strides.input +
               element * strides.element;
    }

    Slice slice(const Map& map, int group) const {
        const int count = map.channels / kernel.groups;
        return depthwise ? Slice{map.channels, 0, map.channels, map.width}
                         : Slice{map.channels, group * count, count, map.width};
    }

private:
    // The transforms pay where each transformed value is multiplied with several weights.
    bool fits_winograd(int read, int written, int width) const {
        return kernel.width == 3 && kernel.stride_height == 1 && kernel.stride_width == 1 &&
               kernel.dilation_height == 1 && kernel.dilation_width == 1 && !depthwise &&
               width >= kTileWidth && read >= 4 && written >= 4;
    }
};

}  // namespace flyweight
