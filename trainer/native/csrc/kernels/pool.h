// Pooling of one block of images: windows that do not overlap; what is left over at the far edges
// is not read.
#pragma once

#include "simd.h"

namespace flyweight {

struct Windows {
    int channels, width, output_height, output_width, height_of, width_of;

    ptrdiff_t pixel() const { return static_cast<ptrdiff_t>(channels) * kLanes; }
    ptrdiff_t place(int y, int x, int ky, int kx) const {
        return (static_cast<ptrdiff_t>(y * height_of + ky) * width + x * width_of + kx) * pixel();
    }
};

// Calls body(place of the output vector, place of the window's first input vector).
template <class Body>
inline void for_windows(const Windows& w, const Body& body) {
    ptrdiff_t output = 0;
    for (int y = 0; y < w.output_height; ++y)
        for (int x = 0; x < w.output_width; ++x) {
            const ptrdiff_t input = w.place(y, x, 0, 0);
            for (int c = 0; c < w.channels; ++c, output += kLanes) body(output, input + c * kLanes);
        }
}

inline void pool_largest(const Windows& w, const float* input, float* output) {
    for_windows(w, [&](ptrdiff_t out, ptrdiff_t in) {
        Lanes most = load(input + in);
        for (int ky = 0; ky < w.height_of; ++ky)
            for (int kx = 0; kx < w.width_of; ++kx) {
                const Lanes value = load(input + in + w.place(0, 0, ky, kx));
                // What is no number wins over every number.
                most = select((value > most) | (value != value), value, most);
            }
        store(output + out, most);
    });
}

// Zeroes what no window covers, at the far edges.
inline void clear_edges(const Windows& w, int height, float* gradient) {
    const int rows = w.output_height * w.height_of, columns = w.output_width * w.width_of;
    const auto clear = [&](int y, int from) {
        std::memset(gradient + (static_cast<ptrdiff_t>(y) * w.width + from) * w.pixel(), 0,
                    (w.width - from) * w.pixel() * sizeof(float));
    };
    for (int y = 0; y < rows; ++y) clear(y, columns);
    for (int y = rows; y < height; ++y) clear(y, 0);
}

// The gradient goes to the first of a window's largest values.
template <bool overwrite>
void unpool_largest(const Windows& w, const float* input, const float* output,
                    const float* output_gradient, float* gradient) {
    for_windows(w, [&](ptrdiff_t out, ptrdiff_t in) {
        const Lanes most = load(output + out);
        Lanes rest = load(output_gradient + out);
        for (int ky = 0; ky < w.height_of; ++ky)
            for (int kx = 0; kx < w.width_of; ++kx) {
                const ptrdiff_t at = in + w.place(0, 0, ky, kx);
                const Mask here = load(input + at) == most;
                const Lanes given = select(here, rest, Lanes{});
                store(gradient + at, overwrite ? given : load(gradient + at) + given);
                rest = select(here, Lanes{}, rest);
            }
    });
}

inline void pool_mean(const Windows& w, const float* input, float* output) {
    const float share = 1.0f / static_cast<float>(w.height_of * w.width_of);
    for_windows(w, [&](ptrdiff_t out, ptrdiff_t in) {
        Lanes total{};
        for (int ky = 0; ky < w.height_of; ++ky)
            for (int kx = 0; kx < w.width_of; ++kx)
                total += load(input + in + w.place(0, 0, ky, kx));
        store(output + out, total * share);
    });
}

template <bool overwrite>
void unpool_mean(const Windows& w, const float* output_gradient, float* gradient) {
    const float share = 1.0f / static_cast<float>(w.height_of * w.width_of);
    for_windows(w, [&](ptrdiff_t out, ptrdiff_t in) {
        const Lanes part = load(output_gradient + out) * share;
        for (int ky = 0; ky < w.height_of; ++ky)
            for (int kx = 0; kx < w.width_of; ++kx) {
                const ptrdiff_t at = in + w.place(0, 0, ky, kx);
                store(gradient + at, overwrite ? part : load(gradient + at) + part);
            }
    });
}

}  // namespace flyweight
