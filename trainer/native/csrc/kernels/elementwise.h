// Activation, BatchNorm and dropout of one block of images, fused: one pass over the map forward,
// and one or two backward.
//
// The order is: first activation, normalisation, second activation, dropout. Each part is optional,
// and one of the two activations is always the identity.
#pragma once

#include <cmath>

#include "kernels/activations.h"
#include "random.h"
#include "simd.h"

namespace flyweight {

// What a normalisation does to the values of one channel.
struct Affine {
    float scale, shift;
};

// A dropped value is stored as -0.0, and no other value is, so that backward recognises it.
constexpr uint32_t kDropped = 0x80000000u;

inline Mask is_dropped(Lanes value) {
    return reinterpret_cast<Mask>(reinterpret_cast<Words>(value) == kDropped);
}

template <class First, class Second>
void apply(const float* input, float* output, int pixels, int channels, const Affine* affine) {
    for (int pixel = 0; pixel < pixels; ++pixel)
        for (int c = 0; c < channels; ++c, input += kLanes, output += kLanes)
            store(output,
                  Second::value(First::value(load(input)) * affine[c].scale + affine[c].shift));
}

template <class First, class Second>
void apply_with_dropout(const float* input, float* output, int pixels, int channels,
                        const Affine* affine, float rate, Xoshiro128 random) {
    // Each draw of 32 bits decides for two vectors, by 16 bits each.
    const uint32_t threshold = static_cast<uint32_t>(std::lround(rate * 65536.0));
    const float kept = 1.0f / (1.0f - rate);
    const Lanes dropped = reinterpret_cast<Lanes>(Words{} + kDropped);
    const auto put = [&](int c, Words draw) {
        const Lanes value = Second::value(First::value(load(input + c * kLanes)) * affine[c].scale +
                                          affine[c].shift);
        store(output + c * kLanes,
              select(reinterpret_cast<Mask>(draw < threshold), dropped, value * kept + 0.0f));
    };
    for (int pixel = 0; pixel < pixels; ++pixel) {
        int c = 0;
        for (; c + 1 < channels; c += 2) {
            const Words draw = random.next();
            put(c, draw >> 16);
            put(c + 1, draw & 0xffffu);
        }
        if (c < channels) put(c, random.next() >> 16);
        input += channels * kLanes;
        output += channels * kLanes;
    }
}

// Drops whole channels of an image: a lane draws once for all of a channel's pixels.
template <class First, class Second>
void apply_with_channel_dropout(const float* input, float* output, int pixels, int channels,
                                const Affine* affine, float rate, Xoshiro128 random) {
    const uint32_t threshold = static_cast<uint32_t>(std::lround(rate * 65536.0));
    const float kept = 1.0f / (1.0f - rate);
    const Lanes dropped = reinterpret_cast<Lanes>(Words{} + kDropped);
    const ptrdiff_t step = static_cast<ptrdiff_t>(channels) * kLanes;
    for (int c = 0; c < channels; ++c) {
        const Mask drops = reinterpret_cast<Mask>((random.next() >> 16) < threshold);
        for (int pixel = 0; pixel < pixels; ++pixel) {
            const ptrdiff_t at = pixel * step + c * kLanes;
            const Lanes value = Second::value(First::value(load(input + at)) * affine[c].scale +
                                              affine[c].shift);
            store(output + at, select(drops, dropped, value * kept + 0.0f));
        }
    }
}

// Computes the means, and the sums of squared differences from them, over a block's pixels and the
// lanes that hold an image.
template <class First>
void block_statistics(const float* input, int pixels, int channels, Lanes valid, int lanes,
                      float* means, float* squares) {
    const float count = static_cast<float>(pixels) * static_cast<float>(lanes);
    for_channel_groups(channels, [&](auto size, int c) {
        constexpr int kSize = decltype(size)::value;
        const ptrdiff_t step = static_cast<ptrdiff_t>(channels) * kLanes;
        Lanes sums[kSize] = {};
        const float* at = input + c * kLanes;
        for (int pixel = 0; pixel < pixels; ++pixel, at += step)
            for (int j = 0; j < kSize; ++j) sums[j] += First::value(load(at + j * kLanes));
        Lanes mean[kSize], spread[kSize] = {};
        for (int j = 0; j < kSize; ++j) {
            means[c + j] = sum(sums[j] * valid) / count;
            mean[j] = broadcast(means[c + j]);
        }
        at = input + c * kLanes;
        for (int pixel = 0; pixel < pixels; ++pixel, at += step)
            for (int j = 0; j < kSize; ++j) {
                const Lanes off = First::value(load(at + j * kLanes)) - mean[j];
                spread[j] += off * off;
            }
        for (int j = 0; j < kSize; ++j) squares[c + j] = sum(spread[j] * valid);
    });
}

// Turns the output's gradient, in place, into that of the normalised values: through dropout and
// the second activation. Computes its sums per channel, and the sums of its products with the
// normalised input.
template <class First, class Second>
void block_gradient_sums(const float* input, const float* output, float* gradient, int pixels,
                         int channels, const Affine* affine, const Affine* normal, float rate,
                         float* sums, float* products) {
    const float kept = 1.0f / (1.0f - rate);
    for_channel_groups(channels, [&](auto size, int c) {
        constexpr int kSize = decltype(size)::value;
        const ptrdiff_t step = static_cast<ptrdiff_t>(channels) * kLanes;
        Lanes plain[kSize] = {}, product[kSize] = {};
        ptrdiff_t at = c * kLanes;
        for (int pixel = 0; pixel < pixels; ++pixel, at += step)
            for (int j = 0; j < kSize; ++j) {
                const ptrdiff_t place = at + j * kLanes;
                const Lanes x = First::value(load(input + place));
                Lanes dy = load(gradient + place);
                if (rate > 0.0f) dy = select(is_dropped(load(output + place)), Lanes{}, dy * kept);
                if constexpr (!kIsIdentity<Second>)
                    dy *= Second::slope(x * affine[c + j].scale + affine[c + j].shift);
                if (rate > 0.0f || !kIsIdentity<Second>) store(gradient + place, dy);
                plain[j] += dy;
                product[j] += dy * (x * normal[c + j].scale + normal[c + j].shift);
            }
        for (int j = 0; j < kSize; ++j) {
            sums[c + j] = sum(plain[j]);
            products[c + j] = sum(product[j]);
        }
    });
}

// The gradient of a channel's input is a sum of three terms: that of the normalised values, the
// input itself and a constant, each with its factor.
struct BackwardTerms {
    float gradient, input, constant;
};

// Turns the gradient of the normalised values, in place, into that of the input.
template <class First>
void backward_normalised(const float* input, float* gradient, int pixels, int channels,
                         const BackwardTerms* terms, Lanes valid) {
    for (int pixel = 0; pixel < pixels; ++pixel)
        for (int c = 0; c < channels; ++c, input += kLanes, gradient += kLanes) {
            const Lanes x = load(input);
            Lanes dx = load(gradient) * terms[c].gradient + First::value(x) * terms[c].input +
                       terms[c].constant;
            if constexpr (!kIsIdentity<First>) dx *= First::slope(x);
            store(gradient, dx * valid);
        }
}

// Turns the output's gradient, in place, into that of the input, where nothing is normalised.
template <class First>
void backward_plain(const float* input, const float* output, float* gradient, ptrdiff_t values,
                    float rate) {
    const float kept = 1.0f / (1.0f - rate);
    for (ptrdiff_t at = 0; at < values; at += kLanes) {
        Lanes dx = load(gradient + at);
        if (rate > 0.0f) dx = select(is_dropped(load(output + at)), Lanes{}, dx * kept);
        if constexpr (!kIsIdentity<First>) dx *= First::slope(load(input + at));
        store(gradient + at, dx);
    }
}

inline void add_maps(const float* left, const float* right, float* output, ptrdiff_t count) {
    for (ptrdiff_t at = 0; at < count; at += kLanes)
        store(output + at, load(left + at) + load(right + at));
}

// Writes a gradient over another one, or adds it to that.
inline void pass_gradient(const float* from, float* to, ptrdiff_t count, bool overwrite) {
    for (ptrdiff_t at = 0; at < count; at += kLanes)
        store(to + at, overwrite ? load(from + at) : load(to + at) + load(from + at));
}

}  // namespace flyweight
