// Depthwise convolution of one block of images, and the gradient of its weights.
#pragma once

#include "convolve.h"
#include "geometry.h"
#include "lanes.h"

namespace flyweight {

// Convolves each channel with its own kernel; `weights` are packed [ky][kx][channel].
inline void convolve_depthwise(const Axis& rows, const Axis& columns, int kernel_width,
                               const float* input, Slice from, float* output, Slice to,
                               const float* weights, const float* bias, Start start) {
    const int channels = from.channels;
    for (int y = 0; y < rows.size(); ++y)
        for (int x = 0; x < columns.size(); ++x) {
            float* pixel = output + y * to.row() + x * to.pixel();
            for_channel_groups(channels, [&](auto size, int c) {
                constexpr int kSize = decltype(size)::value;
                Lanes sums[kSize];
                for (int j = 0; j < kSize; ++j)
                    sums[j] = start == Start::kPresent ? load(pixel + (c + j) * kLanes)
                                                       : all(bias ? bias[c + j] : 0.0f);
                for (const Tap* row = rows.begin(y); row != rows.end(y); ++row)
                    for (const Tap* column = columns.begin(x); column != columns.end(x); ++column) {
                        const float* at = input + row->input * from.row() +
                                          column->input * from.pixel() + c * kLanes;
                        const float* w =
                            weights + (row->kernel * kernel_width + column->kernel) * channels + c;
                        for (int j = 0; j < kSize; ++j) sums[j] += load(at + j * kLanes) * w[j];
                    }
                for (int j = 0; j < kSize; ++j) store(pixel + (c + j) * kLanes, sums[j]);
            });
        }
}

// Sums of products of one kernel element over a rectangle: one per channel.
inline void add_depthwise_products(const Products& at, int channels) {
    for_channel_groups(channels, [&](auto size, int c) {
        constexpr int kSize = decltype(size)::value;
        Lanes sums[kSize];
        for (int j = 0; j < kSize; ++j) sums[j] = load(at.sums + (c + j) * kLanes);
        for (int y = 0; y < at.rows; ++y) {
            const float* input = at.input + y * at.input_row + c * kLanes;
            const float* gradient = at.gradient + y * at.gradient_row + c * kLanes;
            for (int x = 0; x < at.columns; ++x) {
                for (int j = 0; j < kSize; ++j)
                    sums[j] += load(input + j * kLanes) * load(gradient + j * kLanes);
                input += at.input_step;
                gradient += at.gradient_step;
            }
        }
        for (int j = 0; j < kSize; ++j) store(at.sums + (c + j) * kLanes, sums[j]);
    });
}

}  // namespace flyweight
