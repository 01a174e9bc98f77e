// Pooling of one block of images. The windows touch and do not overlap. Pixels at the bottom and
// right that no whole window covers are not read.
#pragma once

#include <cstring>

#include "simd.h"

namespace flyweight {

struct Windows {
    int channels, width, output_height, output_width, window_height, window_width;

    ptrdiff_t pixel() const { return static_cast<ptrdiff_t>(channels) * kLanes; }
    ptrdiff_t offset(int y, int x, int ky, int kx) const {
        return (static_cast<ptrdiff_t>(y * window_height + ky) * width + x * window_width + kx) *
               pixel();
    }
};

// Calls body(offset of the output vector, offset of the window's first input vector).
template <class Body>
inline void for_windows(const Windows& w, const Body& body) {
    ptrdiff_t output = 0;
    for (int y = 0; y < w.output_height; ++y)
        for (int x = 0; x < w.output_width; ++x) {
            const ptrdiff_t input = w.offset(y, x, 0, 0);
            for (int c = 0; c < w.channels; ++c, output += kLanes) body(output, input + c * kLanes);
        }
}

inline void max_pool(const Windows& w, const float* input, float* output) {
    for_windows(w, [&](ptrdiff_t out, ptrdiff_t in) {
        Lanes largest = load(input + in);
        for (int ky = 0; ky < w.window_height; ++ky)
            for (int kx = 0; kx < w.window_width; ++kx) {
                const Lanes value = load(input + in + w.offset(0, 0, ky, kx));
                // A NaN wins over every number.
                largest = select((value > largest) | (value != value), value, largest);
            }
        store(output + out, largest);
    });
}

// Zeroes the gradient of the pixels that no window covers.
inline void clear_edges(const Windows& w, int height, float* gradient) {
    const int rows = w.output_height * w.window_height, columns = w.output_width * w.window_width;
    const auto clear = [&](int y, int from) {
        std::memset(gradient + (static_cast<ptrdiff_t>(y) * w.width + from) * w.pixel(), 0,
                    (w.width - from) * w.pixel() * sizeof(float));
    };
    for (int y = 0; y < rows; ++y) clear(y, columns);
    for (int y = rows; y < height; ++y) clear(y, 0);
}

// Passes each window's gradient to the first of its largest values.
template <bool overwrite>
void max_pool_backward(const Windows& w, const float* input, const float* output,
                       const float* output_gradient, float* gradient) {
    for_windows(w, [&](ptrdiff_t out, ptrdiff_t in) {
        const Lanes largest = load(output + out);
        Lanes rest = load(output_gradient + out);
        for (int ky = 0; ky < w.window_height; ++ky)
            for (int kx = 0; kx < w.window_width; ++kx) {
                const ptrdiff_t at = in + w.offset(0, 0, ky, kx);
                const Mask here = load(input + at) == largest;
                const Lanes given = select(here, rest, Lanes{});
                store(gradient + at, overwrite ? given : load(gradient + at) + given);
                rest = select(here, Lanes{}, rest);
            }
    });
}

inline void average_pool(const Windows& w, const float* input, float* output) {
    const float share = 1.0f / static_cast<float>(w.window_height * w.window_width);
    for_windows(w, [&](ptrdiff_t out, ptrdiff_t in) {
        Lanes total{};
        for (int ky = 0; ky < w.window_height; ++ky)
            for (int kx = 0; kx < w.window_width; ++kx)
                total += load(input + in + w.offset(0, 0, ky, kx));
        store(output + out, total * share);
    });
}

template <bool overwrite>
void average_pool_backward(const Windows& w, const float* output_gradient, float* gradient) {
    const float share = 1.0f / static_cast<float>(w.window_height * w.window_width);
    for_windows(w, [&](ptrdiff_t out, ptrdiff_t in) {
        const Lanes part = load(output_gradient + out) * share;
        for (int ky = 0; ky < w.window_height; ++ky)
            for (int kx = 0; kx < w.window_width; ++kx) {
                const ptrdiff_t at = in + w.offset(0, 0, ky, kx);
                store(gradient + at, overwrite ? part : load(gradient + at) + part);
            }
    });
}

}  // namespace flyweight
