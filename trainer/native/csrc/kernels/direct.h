// Dense convolution of one block of images, and the gradient of its weights.
//
// A block holds kLanes images, pixel by pixel: [y][x][channel][lane]. All lanes of a vector are
// multiplied with the same weight. So no number of channels and no image size wastes arithmetic,
// and at borders only products with pixels that exist are computed.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/geometry.h"
#include "simd.h"

namespace flyweight {

// Sums that the registers can hold beside a few operands, and output channels computed at once.
constexpr int kMostSums = kRegisters == 32 ? 28 : 12;
constexpr int kMostOutputs = kRegisters == 32 ? 16 : 12;

// Channels [first, first + count) of a map with `channels` of them.
struct Slice {
    int channels, first, count, width;

    ptrdiff_t pixel() const { return static_cast<ptrdiff_t>(channels) * kLanes; }
    ptrdiff_t row() const { return pixel() * width; }
};

// What the sums of an output start from: 0, the bias, or what the output holds already.
enum class Start { kZero, kBias, kPresent };

// What `convolve_patch` reads and writes: Pixels neighbours of a row, Outputs channels of each.
struct Patch {
    const float* input;
    float* output;
    const float* weights;
    const float* bias;
    const Tap *rows, *rows_end, *columns, *columns_end;
    ptrdiff_t input_row, input_pixel, input_step, output_pixel;
    int inputs, kernel_width;
    Start start;
};

template <int Outputs, int Pixels>
void convolve_patch(const Patch& at) {
    Lanes sums[Pixels][Outputs];
    for (int x = 0; x < Pixels; ++x)
        for (int o = 0; o < Outputs; ++o)
            sums[x][o] = at.start == Start::kPresent
                             ? load(at.output + x * at.output_pixel + o * kLanes)
                             : broadcast(at.start == Start::kBias ? at.bias[o] : 0.0f);
    for (const Tap* row = at.rows; row != at.rows_end; ++row) {
        const float* line = at.input + row->input * at.input_row;
        const float* row_weights = at.weights + row->kernel * at.kernel_width * at.inputs * Outputs;
        for (const Tap* column = at.columns; column != at.columns_end; ++column) {
            const float* input = line + column->input * at.input_pixel;
            const float* weights = row_weights + column->kernel * at.inputs * Outputs;
            for (int i = 0; i < at.inputs; ++i, input += kLanes, weights += Outputs) {
                Lanes values[Pixels];
                for (int x = 0; x < Pixels; ++x) values[x] = load(input + x * at.input_step);
                for (int o = 0; o < Outputs; ++o)
                    for (int x = 0; x < Pixels; ++x) sums[x][o] += values[x] * weights[o];
            }
        }
    }
    for (int x = 0; x < Pixels; ++x)
        for (int o = 0; o < Outputs; ++o)
            store(at.output + x * at.output_pixel + o * kLanes, sums[x][o]);
}

using PatchKernel = void (*)(const Patch&);

template <int Outputs>
PatchKernel patch_kernel(int pixels) {
    if constexpr (Outputs * 4 <= kMostSums)
        if (pixels == 4) return convolve_patch<Outputs, 4>;
    if constexpr (Outputs * 2 <= kMostSums)
        if (pixels >= 2) return convolve_patch<Outputs, 2>;
    return convolve_patch<Outputs, 1>;
}

inline int most_pixels(int outputs) {
    return outputs * 4 <= kMostSums ? 4 : outputs * 2 <= kMostSums ? 2 : 1;
}

inline PatchKernel patch_kernel(int outputs, int pixels) {
    switch (outputs) {
        case 1: return patch_kernel<1>(pixels);
        case 2: return patch_kernel<2>(pixels);
        case 3: return patch_kernel<3>(pixels);
        case 4: return patch_kernel<4>(pixels);
        case 5: return patch_kernel<5>(pixels);
        case 6: return patch_kernel<6>(pixels);
        case 7: return patch_kernel<7>(pixels);
        case 8: return patch_kernel<8>(pixels);
        case 9: return patch_kernel<9>(pixels);
        case 10: return patch_kernel<10>(pixels);
        case 11: return patch_kernel<11>(pixels);
        case 12: return patch_kernel<12>(pixels);
        case 13: return patch_kernel<13>(pixels);
        case 14: return patch_kernel<14>(pixels);
        case 15: return patch_kernel<15>(pixels);
        default: return patch_kernel<16>(pixels);
    }
}

// Convolves along two axes, from column `first_column` on. `weights` are packed: per group of
// output channels [ky][kx][input][output].
inline void convolve(const Axis& rows, const Axis& columns, int first_column, int kernel_height,
                     int kernel_width, const float* input, Slice from, float* output, Slice to,
                     const float* weights, const float* bias, Start start) {
    const std::vector<int> groups = groups_of(to.count, kMostOutputs);
    Patch patch{};
    patch.input_row = from.row();
    patch.input_pixel = from.pixel();
    patch.output_pixel = to.pixel();
    patch.inputs = from.count;
    patch.kernel_width = kernel_width;
    patch.start = start;
    patch.input = input + from.first * kLanes;
    for (int y = 0; y < rows.size(); ++y) {
        patch.rows = rows.begin(y);
        patch.rows_end = rows.end(y);
        int first = 0;
        for (int outputs : groups) {
            patch.weights = weights + first * kernel_height * kernel_width * from.count;
            patch.bias = bias ? bias + first : nullptr;
            for (const Run& run : columns.runs()) {
                patch.input_step = run.step * from.pixel();
                for (int x = std::max(run.begin, first_column); x < run.end;) {
                    int pixels = most_pixels(outputs);
                    while (pixels > run.end - x) pixels /= 2;
                    patch.columns = columns.begin(x);
                    patch.columns_end = columns.end(x);
                    patch.output =
                        output + y * to.row() + x * to.pixel() + (to.first + first) * kLanes;
                    patch_kernel(outputs, pixels)(patch);
                    x += pixels;
                }
            }
            first += outputs;
        }
    }
}

// What `add_products` reads and writes: it adds products over the pixels of a rectangle to one sum
// per pair of Inputs x Outputs channels and each of Columns neighbouring kernel elements, which
// share what they load.
struct Products {
    const float *input, *gradient;
    float* sums;
    ptrdiff_t input_row, input_step, input_column, gradient_row, gradient_step;
    ptrdiff_t sums_input, sums_column;
    int rows, columns;
};

template <int Inputs, int Outputs, int Columns>
void add_products(const Products& at) {
    Lanes sums[Columns][Inputs][Outputs];
    for (int k = 0; k < Columns; ++k)
        for (int i = 0; i < Inputs; ++i)
            for (int o = 0; o < Outputs; ++o)
                sums[k][i][o] = load(at.sums + k * at.sums_column + i * at.sums_input + o * kLanes);
    for (int y = 0; y < at.rows; ++y) {
        const float* input = at.input + y * at.input_row;
        const float* gradient = at.gradient + y * at.gradient_row;
        for (int x = 0; x < at.columns; ++x) {
            Lanes grads[Outputs];
            for (int o = 0; o < Outputs; ++o) grads[o] = load(gradient + o * kLanes);
            for (int k = 0; k < Columns; ++k)
                for (int i = 0; i < Inputs; ++i) {
                    Lanes value = load(input + k * at.input_column + i * kLanes);
                    keep_in_register(value);
                    for (int o = 0; o < Outputs; ++o) sums[k][i][o] += value * grads[o];
                }
            input += at.input_step;
            gradient += at.gradient_step;
        }
    }
    for (int k = 0; k < Columns; ++k)
        for (int i = 0; i < Inputs; ++i)
            for (int o = 0; o < Outputs; ++o)
                store(at.sums + k * at.sums_column + i * at.sums_input + o * kLanes, sums[k][i][o]);
}

using ProductKernel = void (*)(const Products&);

constexpr int kMostColumns = 3;

// Channels that a kernel for this number of columns reads at once.
constexpr int most_inputs(int columns) {
    return kRegisters == 32 ? 5 - columns : columns == 3 ? 1 : 2;
}
constexpr int most_outputs(int columns) {
    return kRegisters == 32 ? (columns == 1 ? 6 : 4) : columns == 1 ? 4 : 3;
}

template <int Columns, int Inputs>
ProductKernel product_kernel(int outputs) {
    constexpr int kMost = most_outputs(Columns);
    if (outputs == 1) return add_products<Inputs, 1, Columns>;
    if (outputs == 2) return add_products<Inputs, 2, Columns>;
    if (outputs == 3) return add_products<Inputs, 3, Columns>;
    if constexpr (kMost > 4)
        if (outputs == 5) return add_products<Inputs, 5, Columns>;
    if constexpr (kMost > 5)
        if (outputs == 6) return add_products<Inputs, 6, Columns>;
    return add_products<Inputs, 4, Columns>;
}

template <int Columns>
ProductKernel product_kernel(int inputs, int outputs) {
    constexpr int kMost = most_inputs(Columns);
    if constexpr (kMost > 3)
        if (inputs == 4) return product_kernel<Columns, 4>(outputs);
    if constexpr (kMost > 2)
        if (inputs == 3) return product_kernel<Columns, 3>(outputs);
    if constexpr (kMost > 1)
        if (inputs == 2) return product_kernel<Columns, 2>(outputs);
    return product_kernel<Columns, 1>(outputs);
}

inline ProductKernel product_kernel(int columns, int inputs, int outputs) {
    return columns == 1   ? product_kernel<1>(inputs, outputs)
           : columns == 2 ? product_kernel<2>(inputs, outputs)
                          : product_kernel<3>(inputs, outputs);
}

// Calls body(first input, first output, kernel) for groups that cover all pairs of channels.
template <class Body>
inline void for_channel_pairs(int columns, int inputs, int outputs, const Body& body) {
    int i = 0;
    for (int some_inputs : groups_of(inputs, most_inputs(columns))) {
        int o = 0;
        for (int some_outputs : groups_of(outputs, most_outputs(columns))) {
            body(i, o, product_kernel(columns, some_inputs, some_outputs));
            o += some_outputs;
        }
        i += some_inputs;
    }
}

}  // namespace flyweight
