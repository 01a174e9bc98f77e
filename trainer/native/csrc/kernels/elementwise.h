// Activation, BatchNorm and dropout of one block of images, in one pass over the map each way.
//
// The order is: first activation, normalisation, second activation, dropout; each may be absent,
// and at least one activation is.
#pragma once

#include <cmath>
#include <vector>

#include "simd.h"

namespace flyweight {

enum class Activation { kNone, kRelu, kLeakyRelu, kSilu, kHardswish };

template <Activation kind>
inline Lanes activate(Lanes x) {
    // Comparisons stand so that what is no number stays none.
    if constexpr (kind == Activation::kRelu) return select(x < 0.0f, Lanes{}, x);
    if constexpr (kind == Activation::kLeakyRelu) return select(x < 0.0f, x * 0.01f, x);
    if constexpr (kind == Activation::kSilu) return x * sigmoid(x);
    if constexpr (kind == Activation::kHardswish) {
        const Lanes gate = x + 3.0f;
        return x * select(gate < 0.0f, Lanes{}, select(gate > 6.0f, all(6.0f), gate)) *
               (1.0f / 6.0f);
    }
    return x;
}

template <Activation kind>
inline Lanes slope(Lanes x) {
    if constexpr (kind == Activation::kRelu) return select(x > 0.0f, all(1.0f), Lanes{});
    if constexpr (kind == Activation::kLeakyRelu) return select(x > 0.0f, all(1.0f), all(0.01f));
    if constexpr (kind == Activation::kSilu) {
        const Lanes gate = sigmoid(x);
        return gate * (1.0f + x * (1.0f - gate));
    }
    if constexpr (kind == Activation::kHardswish)
        return select(x < -3.0f, Lanes{}, select(x > 3.0f, all(1.0f), x * (1.0f / 3.0f) + 0.5f));
    return all(1.0f);
}

// xoshiro128+ of D. Blackman and S. Vigna, one generator per lane, seeded by splitmix64.
class Dice {
public:
    Dice(uint64_t seed, uint64_t stream) {
        // Both are scattered first: neighbouring streams would otherwise share all but one lane.
        uint64_t state = scatter(scatter(seed) + stream);
        for (Words& words : state_)
            for (int lane = 0; lane < kLanes; ++lane)
                words[lane] = static_cast<uint32_t>(scatter(state += kGolden) >> 16);
    }

    Words roll() {
        const Words result = state_[0] + state_[3];
        const Words shifted = state_[1] << 9;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = (state_[3] << 11) | (state_[3] >> 21);
        return result;
    }

private:
    static constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ull;

    static uint64_t scatter(uint64_t z) {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return z ^ (z >> 31);
    }

    Words state_[4];
};

// What is done to the values of one channel.
struct Affine {
    float scale, shift;
};

// A dropped value is stored as -0.0, and no other is, so that the way back knows it.
constexpr uint32_t kDropped = 0x80000000u;

inline Mask is_dropped(Lanes value) {
    return reinterpret_cast<Mask>(reinterpret_cast<Words>(value) == kDropped);
}

template <Activation first, Activation second>
void apply(const float* input, float* output, int pixels, int channels, const Affine* affine) {
    for (int pixel = 0; pixel < pixels; ++pixel)
        for (int c = 0; c < channels; ++c, input += kLanes, output += kLanes)
            store(output, activate<second>(activate<first>(load(input)) * affine[c].scale +
                                           affine[c].shift));
}

template <Activation first, Activation second>
void apply_dropping(const float* input, float* output, int pixels, int channels,
                    const Affine* affine, float rate, Dice dice) {
    // Each roll decides for two vectors, by 16 bits each.
    const uint32_t threshold = static_cast<uint32_t>(std::lround(rate * 65536.0));
    const float kept = 1.0f / (1.0f - rate);
    const Lanes dropped = reinterpret_cast<Lanes>(Words{} + kDropped);
    const auto put = [&](int c, Words draw) {
        const Lanes value = activate<second>(activate<first>(load(input + c * kLanes)) *
                                                 affine[c].scale + affine[c].shift);
        store(output + c * kLanes,
              select(reinterpret_cast<Mask>(draw < threshold), dropped, value * kept + 0.0f));
    };
    for (int pixel = 0; pixel < pixels; ++pixel) {
        int c = 0;
        for (; c + 1 < channels; c += 2) {
            const Words roll = dice.roll();
            put(c, roll >> 16);
            put(c + 1, roll & 0xffffu);
        }
        if (c < channels) put(c, dice.roll() >> 16);
        input += channels * kLanes;
        output += channels * kLanes;
    }
}

// Means and sums of squared differences from them over a block's pixels and valid lanes.
template <Activation first>
void measure(const float* input, int pixels, int channels, Lanes valid, int lanes, float* means,
             float* squares) {
    const float count = static_cast<float>(pixels) * static_cast<float>(lanes);
    for_channel_groups(channels, [&](auto size, int c) {
        constexpr int kSize = decltype(size)::value;
        const ptrdiff_t step = static_cast<ptrdiff_t>(channels) * kLanes;
        Lanes sums[kSize] = {};
        const float* at = input + c * kLanes;
        for (int pixel = 0; pixel < pixels; ++pixel, at += step)
            for (int j = 0; j < kSize; ++j) sums[j] += activate<first>(load(at + j * kLanes));
        Lanes mean[kSize], spread[kSize] = {};
        for (int j = 0; j < kSize; ++j) {
            means[c + j] = sum(sums[j] * valid) / count;
            mean[j] = all(means[c + j]);
        }
        at = input + c * kLanes;
        for (int pixel = 0; pixel < pixels; ++pixel, at += step)
            for (int j = 0; j < kSize; ++j) {
                const Lanes off = activate<first>(load(at + j * kLanes)) - mean[j];
                spread[j] += off * off;
            }
        for (int j = 0; j < kSize; ++j) squares[c + j] = sum(spread[j] * valid);
    });
}

// The gradient before dropout and second activation, in place, and its sums and its sums with the
// normalised input.
template <Activation first, Activation second>
void sum_gradient(const float* input, const float* output, float* gradient, int pixels,
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
                const Lanes x = activate<first>(load(input + place));
                Lanes dy = load(gradient + place);
                if (rate > 0.0f)
                    dy = select(is_dropped(load(output + place)), Lanes{}, dy * kept);
                if constexpr (second != Activation::kNone)
                    dy *= slope<second>(x * affine[c + j].scale + affine[c + j].shift);
                if (rate > 0.0f || second != Activation::kNone) store(gradient + place, dy);
                plain[j] += dy;
                product[j] += dy * (x * normal[c + j].scale + normal[c + j].shift);
            }
        for (int j = 0; j < kSize; ++j) {
            sums[c + j] = sum(plain[j]);
            products[c + j] = sum(product[j]);
        }
    });
}

// From the gradient of a channel's normalised values to that of its input: a sum of three terms.
struct Back {
    float gradient, input, constant;
};

template <Activation first>
void pass_back(const float* input, float* gradient, int pixels, int channels, const Back* back,
               Lanes valid) {
    for (int pixel = 0; pixel < pixels; ++pixel)
        for (int c = 0; c < channels; ++c, input += kLanes, gradient += kLanes) {
            const Lanes x = load(input);
            Lanes dx = load(gradient) * back[c].gradient + activate<first>(x) * back[c].input +
                       back[c].constant;
            if constexpr (first != Activation::kNone) dx *= slope<first>(x);
            store(gradient, dx * valid);
        }
}

// The way back without normalisation.
template <Activation first>
void pass_back_plain(const float* input, const float* output, float* gradient, ptrdiff_t values,
                     float rate) {
    const float kept = 1.0f / (1.0f - rate);
    for (ptrdiff_t at = 0; at < values; at += kLanes) {
        Lanes dx = load(gradient + at);
        if (rate > 0.0f) dx = select(is_dropped(load(output + at)), Lanes{}, dx * kept);
        if constexpr (first != Activation::kNone) dx *= slope<first>(load(input + at));
        store(gradient + at, dx);
    }
}

}  // namespace flyweight
