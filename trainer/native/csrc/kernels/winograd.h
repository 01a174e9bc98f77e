// Convolutions of width 3 and stride 1 with half of the products.
//
// Four neighbouring outputs of a row need 12 products of inputs and weights; with inputs, weights
// and outputs transformed to and from six points it takes 6 (S. Winograd; for convolutional layers
// A. Lavin and S. Gray, arXiv:1509.09308, F(4,3) along the rows). The points are 0, 1, -1, 2, -2
// and infinity. The gradient of the weights is F(3,4) with the same points: the transformed inputs
// are the same, and the products are summed over all images and rows before they are transformed.
#pragma once

#include "kernels/direct.h"
#include "kernels/geometry.h"
#include "simd.h"

namespace flyweight {

constexpr int kQuad = 4;
constexpr int kPoints = 6;
constexpr int kQuadOutputs = kRegisters == 32 ? 5 : 2;

inline int quads_of(int columns) { return (columns + kQuad - 1) / kQuad; }

// Six inputs at a distance of `step`, of which [from, to) exist and the others are 0; `whole`
// promises that all exist.
template <bool whole, class Emit>
inline void transform_inputs(const float* first, ptrdiff_t step, int from, int to,
                             const Emit& emit) {
    Lanes d[kPoints];
    for (int j = 0; j < kPoints; ++j)
        d[j] = whole || (from <= j && j < to) ? load(first + j * step) : Lanes{};
    const Lanes even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
    const Lanes far = d[4] - d[2], twice = 2.0f * (d[3] - d[1]);
    emit(0, 4.0f * d[0] - 5.0f * d[2] + d[4]);
    emit(1, even + odd);
    emit(2, even - odd);
    emit(3, far + twice);
    emit(4, far - twice);
    emit(5, 4.0f * d[1] - 5.0f * d[3] + d[5]);
}

// Four gradients at a distance of `step`, of which the first `count` exist and the others are 0;
// `whole` promises that all exist.
template <bool whole, class Emit>
inline void transform_gradients(const float* first, ptrdiff_t step, int count, const Emit& emit) {
    Lanes g[kQuad];
    for (int j = 0; j < kQuad; ++j) g[j] = whole || j < count ? load(first + j * step) : Lanes{};
    const Lanes even = g[0] + g[2], odd = g[1] + g[3];
    const Lanes far = g[0] + 4.0f * g[2], far_odd = 2.0f * g[1] + 8.0f * g[3];
    emit(0, g[0] * (1.0f / 4.0f));
    emit(1, (even + odd) * (-1.0f / 6.0f));
    emit(2, (even - odd) * (-1.0f / 6.0f));
    emit(3, (far + far_odd) * (1.0f / 24.0f));
    emit(4, (far - far_odd) * (1.0f / 24.0f));
    emit(5, g[3]);
}

// Three weights of a row, to six points `step` floats apart.
inline void transform_weights(float left, float middle, float right, float* to, ptrdiff_t step) {
    const float sides = left + right, far = left + 4.0f * right;
    to[0] = left / 4.0f;
    to[step] = -(sides + middle) / 6.0f;
    to[2 * step] = -(sides - middle) / 6.0f;
    to[3 * step] = (far + 2.0f * middle) / 24.0f;
    to[4 * step] = (far - 2.0f * middle) / 24.0f;
    to[5 * step] = right;
}

// Sums at the six points to the gradients of three weights.
inline void gather_weights(const Lanes (&m)[kPoints], Lanes (&to)[3]) {
    const Lanes near = m[1] + m[2], far = m[3] + m[4];
    to[0] = m[0] + near + far;
    to[1] = m[1] - m[2] + 2.0f * (m[3] - m[4]);
    to[2] = near + 4.0f * far + m[5];
}

// A row of a map as [quad][point][channel]; `shift` is the column of the first quad's first input.
inline void transform_input_row(const float* row, Slice from, int quads, int shift, float* to) {
    for (int quad = 0; quad < quads; ++quad, to += kPoints * from.count * kLanes) {
        const int column = quad * kQuad + shift;
        const int first = std::max(0, -column), last = std::min(kPoints, from.width - column);
        const float* at = row + column * from.pixel() + from.first * kLanes;
        const auto transform = [&](auto whole) {
            for (int c = 0; c < from.count; ++c)
                transform_inputs<decltype(whole)::value>(
                    at + c * kLanes, from.pixel(), first, last, [&](int point, Lanes v) {
                        store(to + (point * from.count + c) * kLanes, v);
                    });
        };
        if (first == 0 && last == kPoints)
            transform(std::true_type{});
        else
            transform(std::false_type{});
    }
}

// A row of a gradient as [quad][point][channel].
inline void transform_gradient_row(const float* row, Slice from, int quads, float* to) {
    for (int quad = 0; quad < quads; ++quad, to += kPoints * from.count * kLanes) {
        const int column = quad * kQuad;
        const float* at = row + column * from.pixel() + from.first * kLanes;
        const auto transform = [&](auto whole) {
            for (int c = 0; c < from.count; ++c)
                transform_gradients<decltype(whole)::value>(
                    at + c * kLanes, from.pixel(), from.width - column, [&](int point, Lanes v) {
                        store(to + (point * from.count + c) * kLanes, v);
                    });
        };
        if (column + kQuad <= from.width)
            transform(std::true_type{});
        else
            transform(std::false_type{});
    }
}

// A transformed row of the input and the row of the kernel that it meets.
struct Line {
    const float* input;
    int kernel;
};

struct Quad {
    const Line *lines, *lines_end;
    ptrdiff_t offset, output_pixel;
    int inputs;
    const float* weights;
    const float* bias;
    float* output;
    Start start;
};

template <int Outputs>
void convolve_quad(const Quad& at) {
    Lanes sums[kPoints][Outputs];
    for (int point = 0; point < kPoints; ++point)
        for (int o = 0; o < Outputs; ++o) sums[point][o] = Lanes{};
    const ptrdiff_t point_step = static_cast<ptrdiff_t>(at.inputs) * kLanes;
    for (const Line* line = at.lines; line != at.lines_end; ++line) {
        const float* input = line->input + at.offset;
        const float* weights = at.weights + line->kernel * at.inputs * kPoints * Outputs;
        for (int i = 0; i < at.inputs; ++i, input += kLanes, weights += kPoints * Outputs)
            for (int point = 0; point < kPoints; ++point) {
                Lanes value = load(input + point * point_step);
                hold(value);
                for (int o = 0; o < Outputs; ++o)
                    sums[point][o] += value * weights[point * Outputs + o];
            }
    }
    for (int o = 0; o < Outputs; ++o) {
        const Lanes near = sums[1][o] + sums[2][o], near_off = sums[1][o] - sums[2][o];
        const Lanes far = sums[3][o] + sums[4][o], far_off = sums[3][o] - sums[4][o];
        const Lanes values[kQuad] = {sums[0][o] + near + far, near_off + 2.0f * far_off,
                                     near + 4.0f * far, near_off + 8.0f * far_off + sums[5][o]};
        for (int x = 0; x < kQuad; ++x) {
            float* to = at.output + x * at.output_pixel + o * kLanes;
            const Lanes base = at.start == Start::kPresent ? load(to)
                               : at.start == Start::kBias  ? all(at.bias[o])
                                                           : Lanes{};
            store(to, base + values[x]);
        }
    }
}

inline void convolve_quad(int outputs, const Quad& at) {
    switch (outputs) {
        case 1: return convolve_quad<1>(at);
        case 2: return convolve_quad<2>(at);
        case 3: return convolve_quad<3>(at);
        case 4: return convolve_quad<4>(at);
        default: return convolve_quad<5>(at);
    }
}

// Convolves all whole quads of columns; those that are left over are not written. `weights` are
// packed: per group of outputs [ky][input][point][output]. `ring` has room for as many transformed
// rows as the kernel is high.
inline void convolve_quads(const Axis& rows, int kernel_height, int shift, const float* input,
                           Slice from, float* output, Slice to, const float* weights,
                           const float* bias, Start start, float* ring) {
    const int quads = to.width / kQuad;
    const std::vector<int> groups = groups_of(to.count, kQuadOutputs);
    const ptrdiff_t quad_size = static_cast<ptrdiff_t>(kPoints) * from.count * kLanes;
    const ptrdiff_t ring_row = quads * quad_size;
    std::vector<Line> lines(kernel_height);
    Quad at{};
    at.lines = lines.data();
    at.inputs = from.count;
    at.output_pixel = to.pixel();
    at.start = start;
    int transformed = -1;
    for (int y = 0; y < rows.size(); ++y) {
        Line* line = lines.data();
        for (const Tap* row = rows.begin(y); row != rows.end(y); ++row, ++line) {
            float* transformed_row = ring + row->input % kernel_height * ring_row;
            *line = {transformed_row, row->kernel};
            if (row->input <= transformed) continue;
            transformed = row->input;
            transform_input_row(input + transformed * from.row(), from, quads, shift,
                                transformed_row);
        }
        at.lines_end = line;
        for (int quad = 0; quad < quads; ++quad) {
            at.offset = quad * quad_size;
            int first = 0;
            for (int outputs : groups) {
                at.weights = weights + first * kernel_height * from.count * kPoints;
                at.bias = bias ? bias + first : nullptr;
                at.output = output + y * to.row() + quad * kQuad * to.pixel() +
                            (to.first + first) * kLanes;
                convolve_quad(outputs, at);
                first += outputs;
            }
        }
    }
}

}  // namespace flyweight
