// Pooling of one block of images. Pixels that no window covers are not read; padding is no pixel of
// a maximum, and zeros in a mean.
#pragma once

#include <algorithm>
#include <cstring>

#include "simd.h"

namespace flyweight {

struct Windows {
    int channels, height, width, output_height, output_width, window_height, window_width;
    int stride_height, stride_width, padding_height, padding_width;

    ptrdiff_t pixel() const { return static_cast<ptrdiff_t>(channels) * kLanes; }
    ptrdiff_t offset(int y, int x) const {
        return (static_cast<ptrdiff_t>(y) * width + x) * pixel();
    }
    // Whether the windows cover all that a rectangle from the first pixel holds.
    bool touch() const {
        return stride_height == window_height && stride_width == window_width &&
               padding_height == 0 && padding_width == 0;
    }
};

// The pixels of one window that exist: [top, bottom) x [left, right).
struct Window {
    int top, bottom, left, right;
};

// Calls body(offset of the output's first channel, window).
template <class Body>
inline void for_windows(const Windows& w, const Body& body) {
    ptrdiff_t output = 0;
    for (int y = 0; y < w.output_height; ++y) {
        const int top = y * w.stride_height - w.padding_height;
        for (int x = 0; x < w.output_width; ++x, output += w.pixel()) {
            const int left = x * w.stride_width - w.padding_width;
            body(output, Window{std::max(top, 0), std::min(top + w.window_height, w.height),
                                std::max(left, 0), std::min(left + w.window_width, w.width)});
        }
    }
}

inline void max_pool(const Windows& w, const float* input, float* output) {
    for_windows(w, [&](ptrdiff_t out, Window window) {
        for (int c = 0; c < w.channels; ++c, out += kLanes) {
            const float* from = input + c * kLanes;
            Lanes largest = load(from + w.offset(window.top, window.left));
            for (int y = window.top; y < window.bottom; ++y)
                for (int x = window.left; x < window.right; ++x) {
                    const Lanes value = load(from + w.offset(y, x));
                    // A NaN wins over every number.
                    largest = select((value > largest) | (value != value), value, largest);
                }
            store(output + out, largest);
        }
    });
}

// Zeroes the gradient that the windows do not overwrite: that of pixels in no window, or all of it
// where windows share pixels.
inline void clear_rest(const Windows& w, float* gradient) {
    const auto clear = [&](int y, int from) {
        std::memset(gradient + w.offset(y, from), 0, (w.width - from) * w.pixel() * sizeof(float));
    };
    const int rows = w.touch() ? w.output_height * w.window_height : 0;
    const int columns = w.touch() ? w.output_width * w.window_width : 0;
    for (int y = 0; y < rows; ++y) clear(y, columns);
    for (int y = rows; y < w.height; ++y) clear(y, 0);
}

// Passes each window's gradient to the first of its largest values.
template <bool overwrite>
void max_pool_backward(const Windows& w, const float* input, const float* output,
                       const float* output_gradient, float* gradient) {
    for_windows(w, [&](ptrdiff_t out, Window window) {
        for (int c = 0; c < w.channels; ++c, out += kLanes) {
            const Lanes largest = load(output + out);
            Lanes rest = load(output_gradient + out);
            for (int y = window.top; y < window.bottom; ++y)
                for (int x = window.left; x < window.right; ++x) {
                    const ptrdiff_t at = w.offset(y, x) + c * kLanes;
                    const Mask here = load(input + at) == largest;
                    const Lanes given = select(here, rest, Lanes{});
                    store(gradient + at, overwrite ? given : load(gradient + at) + given);
                    rest = select(here, Lanes{}, rest);
                }
        }
    });
}

inline void average_pool(const Windows& w, const float* input, float* output) {
    const float share = 1.0f / static_cast<float>(w.window_height * w.window_width);
    for_windows(w, [&](ptrdiff_t out, Window window) {
        for (int c = 0; c < w.channels; ++c, out += kLanes) {
            const float* from = input + c * kLanes;
            Lanes total{};
            for (int y = window.top; y < window.bottom; ++y)
                for (int x = window.left; x < window.right; ++x)
                    total += load(from + w.offset(y, x));
            store(output + out, total * share);
        }
    });
}

template <bool overwrite>
void average_pool_backward(const Windows& w, const float* output_gradient, float* gradient) {
    const float share = 1.0f / static_cast<float>(w.window_height * w.window_width);
    for_windows(w, [&](ptrdiff_t out, Window window) {
        for (int c = 0; c < w.channels; ++c, out += kLanes) {
            const Lanes part = load(output_gradient + out) * share;
            for (int y = window.top; y < window.bottom; ++y)
                for (int x = window.left; x < window.right; ++x) {
                    const ptrdiff_t at = w.offset(y, x) + c * kLanes;
                    store(gradient + at, overwrite ? part : load(gradient + at) + part);
                }
        }
    });
}

}  // namespace flyweight
