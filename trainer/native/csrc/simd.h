// Vectors of floats whose lanes are images, and the arithmetic on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace flyweight {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kRegisters = 32;
#elif defined(__AVX__)
constexpr int kLanes = 8;
constexpr int kRegisters = 16;
#elif defined(__aarch64__)
constexpr int kLanes = 4;
constexpr int kRegisters = 32;
#else
constexpr int kLanes = 4;
constexpr int kRegisters = 16;
#endif

constexpr size_t kVectorBytes = kLanes * sizeof(float);

// One float per image, what a comparison of two gives, and the bits of each lane.
typedef float Lanes __attribute__((vector_size(kVectorBytes), may_alias));
typedef int32_t Mask __attribute__((vector_size(kVectorBytes), may_alias));
typedef uint32_t Words __attribute__((vector_size(kVectorBytes), may_alias));

inline Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }

inline void store(float* to, Lanes values) { *reinterpret_cast<Lanes*>(to) = values; }

// Returns a vector all of whose lanes are `value`.
inline Lanes broadcast(float value) { return value - Lanes{}; }

// Keeps a value that is used several times in a register. The compiler would rather load it again
// for each use, and then the loads are what limits the speed.
inline void keep_in_register(Lanes& value) {
#if defined(__x86_64__)
    asm("" : "+v"(value));
#elif defined(__aarch64__)
    asm("" : "+w"(value));
#endif
}

inline Lanes select(Mask mask, Lanes yes, Lanes no) {
    return reinterpret_cast<Lanes>((mask & reinterpret_cast<Mask>(yes)) |
                                   (~mask & reinterpret_cast<Mask>(no)));
}

template <int size>
struct Part {
    typedef float Values __attribute__((vector_size(size * sizeof(float)), may_alias));
};

// Adds halves until one value is left, in the same order on all machines with this kLanes.
template <int size>
inline float sum_part(typename Part<size>::Values values) {
    if constexpr (size == 2) {
        return values[0] + values[1];
    } else {
        typename Part<size / 2>::Values low, high;
        std::memcpy(&low, &values, sizeof low);
        std::memcpy(&high, reinterpret_cast<const char*>(&values) + sizeof low, sizeof high);
        return sum_part<size / 2>(low + high);
    }
}

inline float sum(Lanes values) { return sum_part<kLanes>(values); }

// Returns a vector whose first `count` lanes are 1 and whose others are 0.
inline Lanes first_lanes(int count) {
    Lanes values{};
    for (int lane = 0; lane < kLanes; ++lane) values[lane] = lane < count ? 1.0f : 0.0f;
    return values;
}

// exp(x) to about 2 units in the last place, after Cephes (S. Moshier), expf.
inline Lanes exponential(Lanes x) {
    x = select(x > 88.0f, broadcast(88.0f), select(x < -87.0f, broadcast(-87.0f), x));
    const Lanes shifter = broadcast(12582912.0f);
    const Lanes n = (x * 1.44269504088896341f + shifter) - shifter;
    x = x - n * 0.693359375f - n * -2.12194440e-4f;
    Lanes p = broadcast(1.9875691500e-4f);
    for (float c :
         {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
        p = p * x + c;
    p = p * x * x + x + 1.0f;
    const Words power = reinterpret_cast<Words>((__builtin_convertvector(n, Mask) + 127)) << 23;
    return p * reinterpret_cast<Lanes>(power);
}

inline Lanes sigmoid(Lanes x) { return 1.0f / (1.0f + exponential(-x)); }

// tanh(x) after Cephes, tanhf: near 0 a polynomial, elsewhere by the exponential.
inline Lanes hyperbolic_tangent(Lanes x) {
    const Lanes size = select(x < 0.0f, -x, x);
    const Lanes z = x * x;
    Lanes p = broadcast(-5.70498872745e-3f);
    for (float c : {2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f, -3.33332819422e-1f})
        p = p * z + c;
    const Lanes far = 1.0f - 2.0f / (exponential(size + size) + 1.0f);
    return select(size < 0.625f, p * z * x + x, select(x < 0.0f, -far, far));
}

// Calls body(integral_constant<size>, first channel) for near-equal groups of at most `most`
// channels; `most` is at most 4.
template <int most = 4, class Body>
inline void for_channel_groups(int channels, const Body& body) {
    static_assert(most <= 4);
    const int groups = (channels + most - 1) / most;
    for (int group = 0, first = 0; group < groups; ++group) {
        const int size = channels / groups + (group < channels % groups ? 1 : 0);
        switch (size) {
            case 1: body(std::integral_constant<int, 1>{}, first); break;
            case 2: body(std::integral_constant<int, 2>{}, first); break;
            case 3: body(std::integral_constant<int, 3>{}, first); break;
            default: body(std::integral_constant<int, 4>{}, first); break;
        }
        first += size;
    }
}

}  // namespace flyweight
