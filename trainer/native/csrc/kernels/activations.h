// The activations, in one list.
//
// To add one, write its struct and append it to `Activations`; Python learns of it by `kModule`.
// Comparisons are written so that a NaN stays a NaN.
#pragma once

#include "simd.h"

namespace flyweight {

// Each has the value at x, the slope at x, and the torch module that it equals: the text that the
// module prints, without `inplace`.
struct Identity {
    static constexpr const char* kModule = "Identity()";
    static Lanes value(Lanes x) { return x; }
    static Lanes slope(Lanes) { return broadcast(1.0f); }
};

struct Relu {
    static constexpr const char* kModule = "ReLU()";
    static Lanes value(Lanes x) { return select(x < 0.0f, Lanes{}, x); }
    static Lanes slope(Lanes x) { return select(x > 0.0f, broadcast(1.0f), Lanes{}); }
};

struct LeakyRelu {
    static constexpr const char* kModule = "LeakyReLU(negative_slope=0.01)";
    static Lanes value(Lanes x) { return select(x < 0.0f, x * 0.01f, x); }
    static Lanes slope(Lanes x) { return select(x > 0.0f, broadcast(1.0f), broadcast(0.01f)); }
};

struct Silu {
    static constexpr const char* kModule = "SiLU()";
    static Lanes value(Lanes x) { return x * sigmoid(x); }
    static Lanes slope(Lanes x) {
        const Lanes gate = sigmoid(x);
        return gate * (1.0f + x * (1.0f - gate));
    }
};

struct Hardswish {
    static constexpr const char* kModule = "Hardswish()";
    static Lanes value(Lanes x) {
        const Lanes gate = x + 3.0f;
        return x * select(gate < 0.0f, Lanes{}, select(gate > 6.0f, broadcast(6.0f), gate)) *
               (1.0f / 6.0f);
    }
    static Lanes slope(Lanes x) {
        return select(x < -3.0f, Lanes{},
                      select(x > 3.0f, broadcast(1.0f), x * (1.0f / 3.0f) + 0.5f));
    }
};

struct Sigmoid {
    static constexpr const char* kModule = "Sigmoid()";
    static Lanes value(Lanes x) { return sigmoid(x); }
    static Lanes slope(Lanes x) {
        const Lanes y = sigmoid(x);
        return y * (1.0f - y);
    }
};

struct Tanh {
    static constexpr const char* kModule = "Tanh()";
    static Lanes value(Lanes x) { return hyperbolic_tangent(x); }
    static Lanes slope(Lanes x) {
        const Lanes y = hyperbolic_tangent(x);
        return (1.0f - y) * (1.0f + y);
    }
};

struct Elu {
    static constexpr const char* kModule = "ELU(alpha=1.0)";
    // exp(x) - 1 without the loss of digits near 0.
    static Lanes value(Lanes x) {
        const Lanes below = hyperbolic_tangent(x * 0.5f) * (exponential(x) + 1.0f);
        return select(x > 0.0f, x, below);
    }
    static Lanes slope(Lanes x) { return select(x > 0.0f, broadcast(1.0f), exponential(x)); }
};

// By the normal distribution function, to 1e-7 (Abramowitz & Stegun, 1964, 7.1.26).
struct Gelu {
    static constexpr const char* kModule = "GELU(approximate='none')";
    static Lanes value(Lanes x) { return x * below(x); }
    static Lanes slope(Lanes x) { return below(x) + x * 0.39894228f * bell(x); }

    static Lanes bell(Lanes x) { return exponential(x * x * -0.5f); }
    static Lanes below(Lanes x) {
        const Lanes t = 1.0f / (1.0f + 0.23164189f * select(x < 0.0f, -x, x));
        Lanes p = broadcast(1.061405429f);
        for (float c : {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f}) p = p * t + c;
        const Lanes tail = 0.5f * p * t * bell(x);
        return select(x < 0.0f, tail, 1.0f - tail);
    }
};

template <class... Types>
struct TypeList {
    static constexpr int kSize = sizeof...(Types);
};

// An activation's index is its place in this list. The first one means "no activation".
using Activations =
    TypeList<Identity, Relu, LeakyRelu, Silu, Hardswish, Sigmoid, Tanh, Elu, Gelu>;
constexpr int kNoActivation = 0;

template <class Activation>
constexpr bool kIsIdentity = std::is_same_v<Activation, Identity>;

// Calls body(activation) with a value of the type at `index`.
template <class... Types, class Body>
void with_activation(TypeList<Types...>, int index, const Body& body) {
    int at = 0;
    ((at++ == index ? body(Types{}) : void()), ...);
}

// Returns the torch module that the activation at `index` equals; null past the end of the list.
template <class... Types>
const char* activation_module(TypeList<Types...>, int index) {
    constexpr const char* kModules[] = {Types::kModule...};
    return index >= 0 && index < TypeList<Types...>::kSize ? kModules[index] : nullptr;
}

}  // namespace flyweight
