// Random bits for dropout.
#pragma once

#include <cstdint>

#include "simd.h"

namespace flyweight {

// xoshiro128+ of D. Blackman and S. Vigna, one generator per lane, seeded by splitmix64.
class Xoshiro128 {
public:
    Xoshiro128(uint64_t seed, uint64_t stream) {
        // Both are scattered first: neighbouring streams would otherwise share all but one lane.
        uint64_t state = scatter(scatter(seed) + stream);
        for (Words& words : state_)
            for (int lane = 0; lane < kLanes; ++lane)
                words[lane] = static_cast<uint32_t>(scatter(state += kGolden) >> 16);
    }

    // Returns 32 random bits per lane.
    Words next() {
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

}  // namespace flyweight
