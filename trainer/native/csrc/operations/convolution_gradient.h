// The gradient of a convolution's weights and bias: sums per block, added up over the blocks in a
// fixed order.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernels/depthwise.h"
#include "operations/convolution_shape.h"
#include "operations/operation.h"

namespace flyweight {

// Rows that are transformed at a time for the gradient should stay in a cache of this size.
constexpr size_t kWeightGradientCacheBytes = 384 * 1024;

class ConvolutionGradient {
public:
    ConvolutionGradient(const ConvolutionShape& shape, Parameter weight, Parameter bias)
        : shape_(shape), weight_(weight), bias_(bias) {}

    void allocate(int blocks) {
        block_sums_ = Buffer(static_cast<size_t>(blocks) * shape_.weights());
        bias_block_sums_ = Buffer(static_cast<size_t>(blocks) * shape_.output.channels);
    }

    // Vectors of scratch memory that `add_block` needs.
    size_t scratch_vectors() const {
        if (!shape_.winograd) return shape_.weights();
        const size_t rows = static_cast<size_t>(rows_at_once()) + shape_.kernel.height - 1;
        return std::max(shape_.weights(), shape_.points() + row_vectors() * rows);
    }

    // Computes the sums of one block.
    void add_block(BlockContext context, float* scratch) {
        if (bias_.gradient) bias_gradient(context);
        if (shape_.winograd) {
            for (int group = 0; group < shape_.kernel.groups; ++group)
                weight_gradient_winograd(context, group, scratch);
            return;
        }
        float* sums = scratch;
        std::memset(sums, 0, shape_.weights() * kVectorBytes);
        const Kernel& kernel = shape_.kernel;
        for (int ky = 0; ky < kernel.height; ++ky) {
            const Span rows =
                span(shape_.input.height, shape_.output.height, ky * kernel.dilation_height,
                     kernel.stride_height, kernel.padding_height);
            if (rows.begin >= rows.end) continue;
            int kx = 0;
            for (int count : groups_of(kernel.width, kMostColumns)) {
                weight_gradient_columns(context, rows, ky, kx, count, sums);
                kx += count;
            }
        }
        const size_t weights = shape_.weights();
        float* block = block_sums_.data() + context.block * weights;
        for (size_t i = 0; i < weights; ++i) block[i] = sum(load(sums + i * kLanes));
    }

    // Adds the sums of all blocks to the parameters' gradients.
    void reduce(const Batch& batch) {
        const Kernel& kernel = shape_.kernel;
        const float* total = add_blocks(block_sums_, batch.blocks, shape_.weights());
        if (weight_.gradient && shape_.depthwise) {
            for (int element = 0; element < shape_.elements; ++element)
                for (int c = 0; c < kernel.groups; ++c)
                    weight_.gradient[shape_.weight_offset(c, element, 0, 0)] += *total++;
        } else if (weight_.gradient) {
            for (int group = 0; group < kernel.groups; ++group)
                for (int element = 0; element < shape_.elements; ++element)
                    for (int i = 0; i < shape_.inputs; ++i)
                        for (int o = 0; o < shape_.outputs; ++o)
                            weight_.gradient[shape_.weight_offset(group, element, i, o)] +=
                                *total++;
        }
        if (!bias_.gradient) return;
        total = add_blocks(bias_block_sums_, batch.blocks, shape_.output.channels);
        for (int o = 0; o < shape_.output.channels; ++o) bias_.gradient[o] += total[o];
    }

private:
    // Adds the sums of all blocks to those of the first.
    static const float* add_blocks(const Buffer& sums, int blocks, size_t count) {
        float* total = sums.data();
        for (int block = 1; block < blocks; ++block)
            for (size_t i = 0; i < count; ++i) total[i] += total[block * count + i];
        return total;
    }

    // Vectors of a transformed row of the input and of the output's gradient.
    size_t row_vectors() const {
        return static_cast<size_t>(tiles_of(shape_.output.width)) * kPoints *
               (shape_.inputs + shape_.outputs);
    }
    // How many such rows stay in the processor's cache.
    int rows_at_once() const {
        const size_t fitting = kWeightGradientCacheBytes / kVectorBytes / row_vectors();
        return std::clamp(static_cast<int>(fitting), 1, shape_.output.height);
    }

    void bias_gradient(BlockContext context) {
        const Map& output = shape_.output;
        const float* gradient = output.gradient_at(context);
        const ptrdiff_t step = static_cast<ptrdiff_t>(output.channels) * kLanes;
        float* block =
            bias_block_sums_.data() + static_cast<ptrdiff_t>(context.block) * output.channels;
        for (int o = 0; o < output.channels; ++o) {
            Lanes total{};
            for (int pixel = 0; pixel < output.pixels(); ++pixel)
                total += load(gradient + pixel * step + o * kLanes);
            block[o] = sum(total);
        }
    }

    // The gradient of a group's weights by Winograd's transforms, some rows at a time.
    void weight_gradient_winograd(BlockContext context, int group, float* sums) {
        const Map &input = shape_.input, &output = shape_.output;
        const Kernel& kernel = shape_.kernel;
        const Slice read = shape_.slice(input, group), written = shape_.slice(output, group);
        const int tiles = tiles_of(output.width), rows = rows_at_once();
        const ptrdiff_t point_row = static_cast<ptrdiff_t>(tiles) * kPoints * kLanes;
        const ptrdiff_t read_row = point_row * shape_.inputs;
        const ptrdiff_t written_row = point_row * shape_.outputs;
        float* gradients = sums + static_cast<ptrdiff_t>(shape_.group_points()) * kLanes;
        float* inputs = gradients + rows * written_row;
        std::memset(sums, 0, shape_.group_points() * kVectorBytes);
        for (int first = 0; first < output.height; first += rows) {
            const int last = std::min(first + rows, output.height);
            for (int y = first; y < last; ++y)
                transform_gradient_row(output.gradient_at(context) + y * written.row(), written,
                                       tiles, gradients + (y - first) * written_row);
            const int begin = std::max(first - kernel.padding_height, 0);
            const int end =
                std::min(last - 1 - kernel.padding_height + kernel.height, input.height);
            for (int y = begin; y < end; ++y)
                transform_input_row(input.at(context) + y * read.row(), read, tiles,
                                    -kernel.padding_width, inputs + (y - begin) * read_row);
            for (int ky = 0; ky < kernel.height; ++ky) {
                // Outputs of these rows that read an existing input row at ky.
                const int from = std::max(first, kernel.padding_height - ky);
                const int to = std::min(last, input.height + kernel.padding_height - ky);
                if (from >= to) continue;
                const int input_row = from - kernel.padding_height + ky - begin;
                add_tiles(inputs + input_row * read_row, gradients + (from - first) * written_row,
                          read_row, written_row, to - from, tiles,
                          sums + ky * kPoints * pair_sums());
            }
        }
        inverse_transform(sums, block_sums_.data() + context.block * shape_.weights() +
                                    group * shape_.group_weights());
    }

    // Floats of one kernel element's sums in a group: a vector for each pair of channels.
    ptrdiff_t pair_sums() const {
        return static_cast<ptrdiff_t>(shape_.inputs) * shape_.outputs * kLanes;
    }

    void add_tiles(const float* inputs, const float* gradients, ptrdiff_t input_row,
                   ptrdiff_t gradient_row, int rows, int tiles, float* sums) const {
        const int input_channels = shape_.inputs, output_channels = shape_.outputs;
        Products at{};
        at.input_row = input_row;
        at.gradient_row = gradient_row;
        at.input_step = static_cast<ptrdiff_t>(kPoints) * input_channels * kLanes;
        at.gradient_step = static_cast<ptrdiff_t>(kPoints) * output_channels * kLanes;
        at.sums_input = static_cast<ptrdiff_t>(output_channels) * kLanes;
        at.rows = rows;
        at.columns = tiles;
        for (int point = 0; point < kPoints; ++point)
            for_channel_pairs(
                1, input_channels, output_channels, [&](int i, int o, ProductKernel kernel) {
                    at.input = inputs + (point * input_channels + i) * kLanes;
                    at.gradient = gradients + (point * output_channels + o) * kLanes;
                    at.sums = sums + ((point * input_channels + i) * output_channels + o) * kLanes;
                    kernel(at);
                });
    }

    // From sums [ky][point][input][output][lane] to [ky][kx][input][output].
    void inverse_transform(const float* sums, float* block) const {
        const int pairs = shape_.inputs * shape_.outputs;
        for (int ky = 0; ky < shape_.kernel.height; ++ky)
            for (int pair = 0; pair < pairs; ++pair) {
                Lanes points[kPoints], elements[3];
                for (int point = 0; point < kPoints; ++point)
                    points[point] = load(sums + ((ky * kPoints + point) * pairs + pair) * kLanes);
                inverse_transform_weights(points, elements);
                for (int kx = 0; kx < 3; ++kx)
                    block[(ky * 3 + kx) * pairs + pair] = sum(elements[kx]);
            }
    }

    Span column_span(int kx) const {
        const Kernel& kernel = shape_.kernel;
        return span(shape_.input.width, shape_.output.width, kx * kernel.dilation_width,
                    kernel.stride_width, kernel.padding_width);
    }

    // The gradient of `count` neighbouring kernel elements: of all together at the columns where
    // each of them reads an existing input, and of each alone at the other columns.
    void weight_gradient_columns(BlockContext context, Span rows, int ky, int kx, int count,
                                 float* sums) {
        const Kernel& kernel = shape_.kernel;
        Span common = column_span(kx);
        for (int k = 1; k < count; ++k) {
            const Span next = column_span(kx + k);
            common.begin = std::max(common.begin, next.begin);
            common.end = std::min(common.end, next.end);
        }
        common.input = common.begin * kernel.stride_width - kernel.padding_width +
                       kx * kernel.dilation_width;
        const bool together = common.begin < common.end;
        if (together) weight_gradient_element(context, rows, common, ky, kx, count, sums);
        for (int k = kx; k < kx + count; ++k) {
            const Span own = column_span(k);
            const int cut = together ? common.begin : own.end;
            weight_gradient_element(context, rows, {own.begin, std::min(own.end, cut), own.input},
                                    ky, k, 1, sums);
            if (!together) continue;
            const int skipped = std::max(own.begin, common.end) - own.begin;
            weight_gradient_element(
                context, rows,
                {own.begin + skipped, own.end, own.input + skipped * kernel.stride_width}, ky, k, 1,
                sums);
        }
    }

    void weight_gradient_element(BlockContext context, Span rows, Span columns, int ky, int kx,
                                 int count, float* sums) {
        if (columns.begin >= columns.end) return;
        const int inputs = shape_.inputs, outputs = shape_.outputs;
        const Kernel& kernel = shape_.kernel;
        const int groups = kernel.groups;
        const Slice from = shape_.slice(shape_.input, 0), to = shape_.slice(shape_.output, 0);
        const float* input =
            shape_.input.at(context) + rows.input * from.row() + columns.input * from.pixel();
        const float* gradient =
            shape_.output.gradient_at(context) + rows.begin * to.row() + columns.begin * to.pixel();
        Products at{};
        at.input_row = kernel.stride_height * from.row();
        at.input_step = kernel.stride_width * from.pixel();
        at.input_column = kernel.dilation_width * from.pixel();
        at.gradient_row = to.row();
        at.gradient_step = to.pixel();
        at.rows = rows.end - rows.begin;
        at.columns = columns.end - columns.begin;
        const int element = ky * kernel.width + kx;
        if (shape_.depthwise) {
            at.input = input;
            at.gradient = gradient;
            at.sums = sums + static_cast<ptrdiff_t>(element) * groups * kLanes;
            at.sums_column = static_cast<ptrdiff_t>(groups) * kLanes;
            add_depthwise_products(count, at, groups);
            return;
        }
        at.sums_input = static_cast<ptrdiff_t>(outputs) * kLanes;
        at.sums_column = at.sums_input * inputs;
        for (int group = 0; group < groups; ++group) {
            float* group_sums =
                sums + (static_cast<ptrdiff_t>(group) * shape_.elements + element) * at.sums_column;
            for_channel_pairs(count, inputs, outputs, [&](int i, int o, ProductKernel add) {
                at.input = input + (group * inputs + i) * kLanes;
                at.gradient = gradient + (group * outputs + o) * kLanes;
                at.sums = group_sums + i * at.sums_input + o * kLanes;
                add(at);
            });
        }
    }

    const ConvolutionShape& shape_;
    Parameter weight_, bias_;
    // Per block: [group][ky][kx][input][output], depthwise [ky][kx][channel].
    Buffer block_sums_;
    // Per block: [output].
    Buffer bias_block_sums_;
};

}  // namespace flyweight
