// Winograd convolution: kernels of width 3 and stride 1 with half of the multiplications.
//
// A tile is four neighbouring outputs of a row. Computed directly it takes 12 multiplications of an
// input and a weight. With inputs, weights and outputs transformed to and from six points it takes
// 6. This is F(4,3) along the rows, after A. Lavin and S. Gray, "Fast Algorithms for Convolutional
// Neural Networks", arXiv:1509.09308. The points are 0, 1, -1, 2, -2 and infinity.
//
// The gradient of the weights is F(3,4) with the same points. It reads the same transformed inputs,
// and its products are summed over all images and rows before they are transformed back.
//
// README.md in this folder's parent writes the matrices out.
#pragma once

#include "kernels/direct.h"
#include "kernels/geometry.h"
#include "simd.h"

namespace flyweight {

// Outputs of a tile, and points that they are transformed to.
constexpr int kTileWidth = 4;
constexpr int kPoints = 6;
// Output channels that one call of `convolve_tile` computes.
constexpr int kTileChannels = kRegisters == 32 ? 5 : 2;

// Tiles that cover a row, the last of which may reach beyond its end.
inline int tiles_of(int columns) { return (columns + kTileWidth - 1) / kTileWidth; }

// Transforms six inputs that lie `step` floats apart. Those outside [from, to) lie outside the map
// and count as 0. `whole` promises that none does.
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

// Transforms four gradients that lie `step` floats apart. Those from `count` on lie outside the map
// and count as 0. `whole` promises that none does.
template <bool whole, class Emit>
inline void transform_gradients(const float* first, ptrdiff_t step, int count, const Emit& emit) {
    Lanes g[kTileWidth];
    for (int j = 0; j < kTileWidth; ++j)
        g[j] = whole || j < count ? load(first + j * step) : Lanes{};
    const Lanes even = g[0] + g[2], odd = g[1] + g[3];
    const Lanes far = g[0] + 4.0f * g[2], far_odd = 2.0f * g[1] + 8.0f * g[3];
    emit(0, g[0] * (1.0f / 4.0f));
    emit(1, (even + odd) * (-1.0f / 6.0f));
    emit(2, (even - odd) * (-1.0f / 6.0f));
    emit(3, (far + far_odd) * (1.0f / 24.0f));
    emit(4, (far - far_odd) * (1.0f / 24.0f));
    emit(5, g[3]);
}

// Transforms three weights of a row to six points, written `step` floats apart.
inline void transform_weights(float left, float middle, float right, float* to, ptrdiff_t step) {
    const float sides = left + right, far = left + 4.0f * right;
    to[0] = left / 4.0f;
    to[step] = -(sides + middle) / 6.0f;
    to[2 * step] = -(sides - middle) / 6.0f;
    to[3 * step] = (far + 2.0f * middle) / 24.0f;
    to[4 * step] = (far - 2.0f * middle) / 24.0f;
    to[5 * step] = right;
}

// Transforms sums at the six points back to the gradients of three weights.
inline void inverse_transform_weights(const Lanes (&m)[kPoints], Lanes (&to)[3]) {
    const Lanes near = m[1] + m[2], far = m[3] + m[4];
    to[0] = m[0] + near + far;
    to[1] = m[1] - m[2] + 2.0f * (m[3] - m[4]);
    to[2] = near + 4.0f * far + m[5];
}

// Transforms a row of a map to [tile][point][channel]. `shift` is the column of the first tile's
// first input.
inline void transform_input_row(const float* row, Slice from, int tiles, int shift, float* to) {
    for (int tile = 0; tile < tiles; ++tile, to += kPoints * from.count * kLanes) {
        const int column = tile * kTileWidth + shift;
        const int first = std::max(0, -column), last = std::min(kPoints, from.width - column);
        const float* at = row + column * from.pixel() + from.first * kLanes;
        const auto transform = [&](auto whole) {
            for (int c = 0; c < from.count; ++c)
                transform_inputs<decltype(whole)::value>(
                    at + c * kLanes, from.pixel(), first, last,
                    [&](int point, Lanes v) { store(to + (point * from.count + c) * kLanes, v); });
        };
        if (first == 0 && last == kPoints)
            transform(std::true_type{});
        else
            transform(std::false_type{});
    }
}

// Transforms a row of an output's gradient to [tile][point][channel].
inline void transform_gradient_row(const float* row, Slice from, int tiles, float* to) {
    for (int tile = 0; tile < tiles; ++tile, to += kPoints * from.count * kLanes) {
        const int column = tile * kTileWidth;
        const float* at = row + column * from.pixel() + from.first * kLanes;
        const auto transform = [&](auto whole) {
            for (int c = 0; c < from.count; ++c)
                transform_gradients<decltype(whole)::value>(
                    at + c * kLanes, from.pixel(), from.width - column,
                    [&](int point, Lanes v) { store(to + (point * from.count + c) * kLanes, v); });
        };
        if (column + kTileWidth <= from.width)
            transform(std::true_type{});
        else
            transform(std::false_type{});
    }
}

// A transformed row of the input, and the row of the kernel that it is multiplied with.
struct TransformedRow {
    const float* input;
    int kernel;
};

// What `convolve_tile` reads and writes.
struct TileArgs {
    const TransformedRow *rows, *rows_end;
    ptrdiff_t offset, output_pixel;
    int inputs;
    const float* weights;
    const float* bias;
    float* output;
    Start start;
};

template <int Outputs>
void convolve_tile(const TileArgs& at) {
    Lanes sums[kPoints][Outputs];
    for (int point = 0; point < kPoints; ++point)
        for (int o = 0; o < Outputs; ++o) sums[point][o] = Lanes{};
    const ptrdiff_t point_step = static_cast<ptrdiff_t>(at.inputs) * kLanes;
    for (const TransformedRow* row = at.rows; row != at.rows_end; ++row) {
        const float* input = row->input + at.offset;
        const float* weights = at.weights + row->kernel * at.inputs * kPoints * Outputs;
        for (int i = 0; i < at.inputs; ++i, input += kLanes, weights += kPoints * Outputs)
            for (int point = 0; point < kPoints; ++point) {
                Lanes value = load(input + point * point_step);
                keep_in_register(value);
                for (int o = 0; o < Outputs; ++o)
                    sums[point][o] += value * weights[point * Outputs + o];
            }
    }
    for (int o = 0; o < Outputs; ++o) {
        const Lanes near = sums[1][o] + sums[2][o], near_off = sums[1][o] - sums[2][o];
        const Lanes far = sums[3][o] + sums[4][o], far_off = sums[3][o] - sums[4][o];
        const Lanes values[kTileWidth] = {sums[0][o] + near + far, near_off + 2.0f * far_off,
                                          near + 4.0f * far,
                                          near_off + 8.0f * far_off + sums[5][o]};
        for (int x = 0; x < kTileWidth; ++x) {
            float* to = at.output + x * at.output_pixel + o * kLanes;
            const Lanes base = at.start == Start::kPresent ? load(to)
                               : at.start == Start::kBias  ? broadcast(at.bias[o])
                                                           : Lanes{};
            store(to, base + values[x]);
        }
    }
}

inline void convolve_tile(int outputs, const TileArgs& at) {
    switch (outputs) {
        case 1: return convolve_tile<1>(at);
        case 2: return convolve_tile<2>(at);
        case 3: return convolve_tile<3>(at);
        case 4: return convolve_tile<4>(at);
        default: return convolve_tile<5>(at);
    }
}

// Convolves all whole tiles of each row, and leaves the columns after the last whole tile as they
// are. `weights` are packed: per group of output channels [ky][input][point][output]. `ring` holds
// the transformed rows that the kernel covers, so it has room for `kernel_height` of them.
inline void convolve_winograd(const Axis& rows, int kernel_height, int shift, const float* input,
                              Slice from, float* output, Slice to, const float* weights,
                              const float* bias, Start start, float* ring) {
    const int tiles = to.width / kTileWidth;
    const std::vector<int> groups = groups_of(to.count, kTileChannels);
    const ptrdiff_t tile_size = static_cast<ptrdiff_t>(kPoints) * from.count * kLanes;
    const ptrdiff_t ring_row = tiles * tile_size;
    std::vector<TransformedRow> transformed_rows(kernel_height);
    TileArgs at{};
    at.rows = transformed_rows.data();
    at.inputs = from.count;
    at.output_pixel = to.pixel();
    at.start = start;
    int last_transformed = -1;
    for (int y = 0; y < rows.size(); ++y) {
        TransformedRow* transformed = transformed_rows.data();
        for (const Tap* row = rows.begin(y); row != rows.end(y); ++row, ++transformed) {
            float* values = ring + row->input % kernel_height * ring_row;
            *transformed = {values, row->kernel};
            if (row->input <= last_transformed) continue;
            last_transformed = row->input;
            transform_input_row(input + row->input * from.row(), from, tiles, shift, values);
        }
        at.rows_end = transformed;
        for (int tile = 0; tile < tiles; ++tile) {
            at.offset = tile * tile_size;
            int first = 0;
            for (int outputs : groups) {
                at.weights = weights + first * kernel_height * from.count * kPoints;
                at.bias = bias ? bias + first : nullptr;
                at.output = output + y * to.row() + tile * kTileWidth * to.pixel() +
                            (to.first + first) * kLanes;
                convolve_tile(outputs, at);
                first += outputs;
            }
        }
    }
}

}  // namespace flyweight
