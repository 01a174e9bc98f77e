// Depthwise convolution of one block of images, and the gradient of its weights.
#pragma once

#include <algorithm>

#include "kernels/direct.h"
#include "kernels/geometry.h"
#include "simd.h"

namespace flyweight {

// What `convolve_depthwise_patch` reads and writes.
struct DepthwisePatch {
    const float* input;
    float* output;
    const float* weights;
    const float* bias;
    const Tap *rows, *rows_end, *columns, *columns_end;
    ptrdiff_t input_row, input_pixel, input_step, output_pixel;
    int channels, kernel_width;
    Start start;
};

template <int Channels, int Pixels>
void convolve_depthwise_patch(const DepthwisePatch& at) {
    Lanes sums[Pixels][Channels];
    for (int x = 0; x < Pixels; ++x)
        for (int c = 0; c < Channels; ++c)
            sums[x][c] = at.start == Start::kPresent
                             ? load(at.output + x * at.output_pixel + c * kLanes)
                             : broadcast(at.start == Start::kBias ? at.bias[c] : 0.0f);
    for (const Tap* row = at.rows; row != at.rows_end; ++row)
        for (const Tap* column = at.columns; column != at.columns_end; ++column) {
            const float* input =
                at.input + row->input * at.input_row + column->input * at.input_pixel;
            const float* weights =
                at.weights + (row->kernel * at.kernel_width + column->kernel) * at.channels;
            for (int c = 0; c < Channels; ++c) {
                Lanes weight = broadcast(weights[c]);
                keep_in_register(weight);
                for (int x = 0; x < Pixels; ++x)
                    sums[x][c] += load(input + x * at.input_step + c * kLanes) * weight;
            }
        }
    for (int x = 0; x < Pixels; ++x)
        for (int c = 0; c < Channels; ++c)
            store(at.output + x * at.output_pixel + c * kLanes, sums[x][c]);
}

// Convolves each channel with a kernel of its own; `weights` are packed [ky][kx][channel].
inline void convolve_depthwise(const Axis& rows, const Axis& columns, int kernel_width,
                               const float* input, Slice from, float* output, Slice to,
                               const float* weights, const float* bias, Start start) {
    DepthwisePatch patch{};
    patch.input_row = from.row();
    patch.input_pixel = from.pixel();
    patch.output_pixel = to.pixel();
    patch.channels = from.channels;
    patch.kernel_width = kernel_width;
    patch.start = start;
    for (int y = 0; y < rows.size(); ++y) {
        patch.rows = rows.begin(y);
        patch.rows_end = rows.end(y);
        for_channel_groups<std::min(4, kMostSums / 4)>(from.channels, [&](auto size, int c) {
            constexpr int kChannels = decltype(size)::value;
            constexpr int kPixels = kChannels * 4 <= kMostSums ? 4 : 1;
            patch.input = input + c * kLanes;
            patch.weights = weights + c;
            patch.bias = bias ? bias + c : nullptr;
            for (const Run& run : columns.runs()) {
                patch.input_step = run.step * from.pixel();
                for (int x = run.begin; x < run.end;) {
                    patch.columns = columns.begin(x);
                    patch.columns_end = columns.end(x);
                    patch.output = output + y * to.row() + x * to.pixel() + c * kLanes;
                    if (x + kPixels <= run.end) {
                        convolve_depthwise_patch<kChannels, kPixels>(patch);
                        x += kPixels;
                    } else {
                        convolve_depthwise_patch<kChannels, 1>(patch);
                        ++x;
                    }
                }
            }
        });
    }
}

// Adds products over a rectangle to one sum per channel and each of Columns neighbouring kernel
// elements.
template <int Columns>
void add_depthwise_products(const Products& at, int channels) {
    for_channel_groups(channels, [&](auto size, int c) {
        constexpr int kChannels = decltype(size)::value;
        Lanes sums[Columns][kChannels];
        for (int k = 0; k < Columns; ++k)
            for (int j = 0; j < kChannels; ++j)
                sums[k][j] = load(at.sums + k * at.sums_column + (c + j) * kLanes);
        for (int y = 0; y < at.rows; ++y) {
            const float* input = at.input + y * at.input_row + c * kLanes;
            const float* gradient = at.gradient + y * at.gradient_row + c * kLanes;
            for (int x = 0; x < at.columns; ++x) {
                for (int j = 0; j < kChannels; ++j) {
                    const Lanes grad = load(gradient + j * kLanes);
                    for (int k = 0; k < Columns; ++k)
                        sums[k][j] += load(input + k * at.input_column + j * kLanes) * grad;
                }
                input += at.input_step;
                gradient += at.gradient_step;
            }
        }
        for (int k = 0; k < Columns; ++k)
            for (int j = 0; j < kChannels; ++j)
                store(at.sums + k * at.sums_column + (c + j) * kLanes, sums[k][j]);
    });
}

inline void add_depthwise_products(int columns, const Products& at, int channels) {
    switch (columns) {
        case 1: return add_depthwise_products<1>(at, channels);
        case 2: return add_depthwise_products<2>(at, channels);
        default: return add_depthwise_products<3>(at, channels);
    }
}

}  // namespace flyweight
