// A convolution: dense, grouped or depthwise. A linear layer is one whose kernel covers its map.
#pragma once

#include <algorithm>

#include "kernels/depthwise.h"
#include "kernels/direct.h"
#include "kernels/winograd.h"
#include "operations/convolution_gradient.h"
#include "operations/convolution_shape.h"
#include "operations/operation.h"

namespace flyweight {

class Convolution : public Operation {
public:
    Convolution(Map& input, Map& output, Kernel kernel, Parameter weight, Strides strides,
                Parameter bias, bool passes_gradient)
        : shape_(input, output, kernel, strides), gradient_(shape_, weight, bias), weight_(weight),
          bias_(bias), passes_gradient_(passes_gradient) {
        const auto axis = [&](auto make, bool vertical) {
            return make(vertical ? input.height : input.width,
                        vertical ? output.height : output.width,
                        vertical ? kernel.height : kernel.width,
                        vertical ? kernel.stride_height : kernel.stride_width,
                        vertical ? kernel.padding_height : kernel.padding_width,
                        vertical ? kernel.dilation_height : kernel.dilation_width);
        };
        rows_ = axis(Axis::forward, true);
        columns_ = axis(Axis::forward, false);
        rows_backward_ = axis(Axis::backward, true);
        columns_backward_ = axis(Axis::backward, false);
    }

    // The gradient refers to the shape.
    Convolution(const Convolution&) = delete;
    Convolution& operator=(const Convolution&) = delete;

    bool is_cheap() const override { return shape_.depthwise; }

    void allocate(int blocks, int threads) override {
        packed_ = Buffer(shape_.weights());
        packed_backward_ = Buffer(shape_.weights());
        packed_winograd_ = Buffer(shape_.winograd ? shape_.points() : 0);
        packed_winograd_backward_ = Buffer(shape_.winograd_backward ? shape_.points() : 0);
        gradient_.allocate(blocks);
        scratch_size_ = scratch_vectors() * kLanes;
        scratch_ = Buffer(static_cast<size_t>(threads) * scratch_size_);
    }

    void claim_gradients() override { overwrites_ = claim(shape_.input, passes_gradient_); }

    void prepare(bool training) override {
        pack(packed_.data(), true);
        if (shape_.winograd) pack_winograd(packed_winograd_.data(), true);
        if (!training || !passes_gradient_) return;
        pack(packed_backward_.data(), false);
        if (shape_.winograd_backward) pack_winograd(packed_winograd_backward_.data(), false);
    }

    void forward(const Batch&, BlockContext context) override { infer(context); }

    void infer(BlockContext context) override {
        const Kernel& kernel = shape_.kernel;
        const Map &input = shape_.input, &output = shape_.output;
        const float* bias = bias_.values;
        const Start start = bias ? Start::kBias : Start::kZero;
        const float *from = input.at(context), *weights = packed_.data();
        float* to = output.at(context);
        if (shape_.depthwise) {
            convolve_depthwise(rows_, columns_, kernel.width, from, shape_.slice(input, 0), to,
                               shape_.slice(output, 0), weights, bias, start);
            return;
        }
        for (int group = 0; group < kernel.groups; ++group) {
            const Slice read = shape_.slice(input, group), written = shape_.slice(output, group);
            const float* group_bias = bias ? bias + group * shape_.outputs : nullptr;
            if (shape_.winograd)
                convolve_winograd(rows_, kernel.height, -kernel.padding_width, from, read, to,
                                  written, packed_winograd_.data() + group * shape_.group_points(),
                                  group_bias, start, scratch(context));
            convolve(rows_, columns_, shape_.winograd ? whole_tiles(output) : 0, kernel.height,
                     kernel.width, from, read, to, written,
                     weights + group * shape_.group_weights(), group_bias, start);
        }
    }

    void backward(const Batch&, BlockContext context) override {
        gradient_.add_block(context, scratch(context));
        if (!passes_gradient_) return;
        const Kernel& kernel = shape_.kernel;
        const Map &input = shape_.input, &output = shape_.output;
        const Start start = overwrites_ ? Start::kZero : Start::kPresent;
        const float *from = output.gradient_at(context), *weights = packed_backward_.data();
        float* to = input.gradient_at(context);
        if (shape_.depthwise) {
            convolve_depthwise(rows_backward_, columns_backward_, kernel.width, from,
                               shape_.slice(output, 0), to, shape_.slice(input, 0), weights,
                               nullptr, start);
            return;
        }
        for (int group = 0; group < kernel.groups; ++group) {
            const Slice read = shape_.slice(output, group), written = shape_.slice(input, group);
            if (shape_.winograd_backward)
                convolve_winograd(rows_backward_, kernel.height, kernel.padding_width - 2, from,
                                  read, to, written,
                                  packed_winograd_backward_.data() + group * shape_.group_points(),
                                  nullptr, start, scratch(context));
            convolve(rows_backward_, columns_backward_,
                     shape_.winograd_backward ? whole_tiles(input) : 0, kernel.height, kernel.width,
                     from, read, to, written, weights + group * shape_.group_weights(), nullptr,
                     start);
        }
    }

    void reduce_parameter_gradients(const Batch& batch) override { gradient_.reduce(batch); }

private:
    // Columns that Winograd's kernels write; the direct ones write the others.
    static int whole_tiles(const Map& map) { return map.width / kTileWidth * kTileWidth; }

    float* scratch(BlockContext context) const {
        return scratch_.data() + context.thread * scratch_size_;
    }

    // The most that any of the kernels needs for one block, in vectors.
    size_t scratch_vectors() const {
        const size_t row = static_cast<size_t>(shape_.kernel.height) * kPoints;
        size_t vectors = gradient_.scratch_vectors();
        if (shape_.winograd)
            vectors = std::max(vectors, row * tiles_of(shape_.output.width) * shape_.inputs);
        if (shape_.winograd_backward)
            vectors = std::max(vectors, row * tiles_of(shape_.input.width) * shape_.outputs);
        return vectors;
    }

    // Packs the weights in the order in which the direct kernels read them: per group of written
    // channels [ky][kx][read][written]; depthwise [ky][kx][channel].
    void pack(float* to, bool forward) const {
        if (shape_.depthwise) {
            for (int element = 0; element < shape_.elements; ++element)
                for (int c = 0; c < shape_.kernel.groups; ++c)
                    *to++ = weight_.values[shape_.weight_offset(c, element, 0, 0)];
            return;
        }
        const int read = forward ? shape_.inputs : shape_.outputs;
        const int written = forward ? shape_.outputs : shape_.inputs;
        for (int group = 0; group < shape_.kernel.groups; ++group) {
            int first = 0;
            for (int size : groups_of(written, kMostOutputs)) {
                for (int element = 0; element < shape_.elements; ++element)
                    for (int r = 0; r < read; ++r)
                        for (int w = first; w < first + size; ++w)
                            *to++ = forward ? weight(group, element, r, w)
                                            : weight(group, element, w, r);
                first += size;
            }
        }
    }

    // Packs the transformed weights: per group of written channels [ky][read][point][written].
    void pack_winograd(float* to, bool forward) const {
        const int read = forward ? shape_.inputs : shape_.outputs;
        const int written = forward ? shape_.outputs : shape_.inputs;
        for (int group = 0; group < shape_.kernel.groups; ++group) {
            int first = 0;
            for (int size : groups_of(written, kTileChannels)) {
                for (int ky = 0; ky < shape_.kernel.height; ++ky)
                    for (int r = 0; r < read; ++r, to += kPoints * size)
                        for (int w = 0; w < size; ++w) {
                            const int i = forward ? r : first + w, o = forward ? first + w : r;
                            float row[3];
                            for (int kx = 0; kx < 3; ++kx)
                                row[forward ? kx : 2 - kx] = weight(group, ky * 3 + kx, i, o);
                            transform_weights(row[0], row[1], row[2], to + w, size);
                        }
                first += size;
            }
        }
    }

    float weight(int group, int element, int i, int o) const {
        return weight_.values[shape_.weight_offset(group, element, i, o)];
    }

    ConvolutionShape shape_;
    ConvolutionGradient gradient_;
    Parameter weight_, bias_;
    bool passes_gradient_;
    bool overwrites_ = false;
    Axis rows_, columns_, rows_backward_, columns_backward_;
    Buffer packed_, packed_backward_, packed_winograd_, packed_winograd_backward_, scratch_;
    size_t scratch_size_ = 0;
};

}  // namespace flyweight
