// The operations: convolution, normalisation with its neighbours, pooling and addition.
#pragma once

#include <cmath>
#include <vector>

#include "kernels/direct.h"
#include "kernels/depthwise.h"
#include "kernels/elementwise.h"
#include "operations/operation.h"
#include "kernels/pool.h"
#include "kernels/winograd.h"

namespace flyweight {

// Parameters and their gradients: pointers into the trainer's vectors, or none.
struct Parameter {
    const float* values = nullptr;
    float* gradient = nullptr;
};

// How far apart a weight's neighbours lie: (output, input of its group, kernel element).
struct Strides {
    int64_t output, input, element;
};

struct Kernel {
    int height, width, stride, padding_height, padding_width, groups;
};

// How a map's gradient is written: true the first time.
inline bool claim(Map& map, bool wanted) {
    if (!wanted || map.claimed) return false;
    map.claimed = true;
    return true;
}

// What is transformed at a time to learn a kernel should stay in a cache of this size.
constexpr size_t kLearnedBytes = 384 * 1024;

class Convolution : public Operation {
public:
    Convolution(Map& input, Map& output, Kernel kernel, Parameter weight, Strides strides,
                Parameter bias, bool passes_gradient)
        : input_(input), output_(output), kernel_(kernel), weight_(weight), strides_(strides),
          bias_(bias),
          passes_gradient_(passes_gradient), inputs_(input.channels / kernel.groups),
          outputs_(output.channels / kernel.groups),
          depthwise_(kernel.groups == input.channels && kernel.groups == output.channels),
          elements_(kernel.height * kernel.width),
          quads_(fits_quads(inputs_, outputs_, output.width)),
          quads_back_(fits_quads(outputs_, inputs_, input.width)) {
        const auto axis = [&](auto make, bool vertical) {
            return make(vertical ? input.height : input.width,
                        vertical ? output.height : output.width,
                        vertical ? kernel.height : kernel.width, kernel.stride,
                        vertical ? kernel.padding_height : kernel.padding_width);
        };
        rows_ = axis(Axis::forward, true);
        columns_ = axis(Axis::forward, false);
        rows_back_ = axis(Axis::backward, true);
        columns_back_ = axis(Axis::backward, false);
    }

    void reserve(int blocks, int threads) override {
        packed_ = Buffer(weights());
        packed_back_ = Buffer(weights());
        packed_quads_ = Buffer(quads_ ? quad_weights() : 0);
        packed_quads_back_ = Buffer(quads_back_ ? quad_weights() : 0);
        parts_ = Buffer(static_cast<size_t>(blocks) * weights());
        bias_parts_ = Buffer(static_cast<size_t>(blocks) * output_.channels);
        scratch_size_ = scratch_size();
        scratch_ = Buffer(static_cast<size_t>(threads) * scratch_size_);
    }

    void prepare(bool training) override {
        pack(packed_.data(), true);
        if (quads_) pack_quads(packed_quads_.data(), true);
        if (!training || !passes_gradient_) return;
        pack(packed_back_.data(), false);
        if (quads_back_) pack_quads(packed_quads_back_.data(), false);
    }

    bool is_costly() const override { return !depthwise_; }

    void forward(const Batch&, Place place) override { infer(place); }

    void infer(Place place) override {
        const float* bias = bias_.values;
        const Start start = bias ? Start::kBias : Start::kZero;
        const float *from = input_.at(place), *weights = packed_.data();
        float* to = output_.at(place);
        if (depthwise_) {
            convolve_depthwise(rows_, columns_, kernel_.width, from, slice(input_, 0), to,
                               slice(output_, 0), weights, bias, start);
            return;
        }
        for (int group = 0; group < kernel_.groups; ++group) {
            const Slice read = slice(input_, group), written = slice(output_, group);
            const float* group_bias = bias ? bias + group * outputs_ : nullptr;
            if (quads_)
                convolve_quads(rows_, kernel_.height, -kernel_.padding_width, from, read, to,
                               written, packed_quads_.data() + group * group_quad_weights(),
                               group_bias, start, scratch(place));
            convolve(rows_, columns_, quads_ ? whole_quads(output_) : 0, kernel_.height,
                     kernel_.width, from, read, to, written, weights + group * group_weights(),
                     group_bias, start);
        }
    }

    void claim_gradients() override { overwrites_ = claim(input_, passes_gradient_); }

    void backward(const Batch&, Place place) override {
        learn(place);
        if (!passes_gradient_) return;
        const Start start = overwrites_ ? Start::kZero : Start::kPresent;
        const float *from = output_.gradient_at(place), *weights = packed_back_.data();
        float* to = input_.gradient_at(place);
        if (depthwise_) {
            convolve_depthwise(rows_back_, columns_back_, kernel_.width, from, slice(output_, 0),
                               to, slice(input_, 0), weights, nullptr, start);
            return;
        }
        for (int group = 0; group < kernel_.groups; ++group) {
            const Slice read = slice(output_, group), written = slice(input_, group);
            if (quads_back_)
                convolve_quads(rows_back_, kernel_.height, kernel_.padding_width - 2, from, read,
                               to, written,
                               packed_quads_back_.data() + group * group_quad_weights(), nullptr,
                               start, scratch(place));
            convolve(rows_back_, columns_back_, quads_back_ ? whole_quads(input_) : 0,
                     kernel_.height, kernel_.width, from, read, to, written,
                     weights + group * group_weights(), nullptr, start);
        }
    }

    void settle_gradient(const Batch& batch) override {
        const float* total = add_blocks(parts_, batch.blocks, weights());
        if (weight_.gradient && depthwise_) {
            for (int element = 0; element < elements_; ++element)
                for (int c = 0; c < kernel_.groups; ++c)
                    weight_.gradient[place_of(c, element, 0, 0)] += *total++;
        } else if (weight_.gradient) {
            for (int group = 0; group < kernel_.groups; ++group)
                for (int element = 0; element < elements_; ++element)
                    for (int i = 0; i < inputs_; ++i)
                        for (int o = 0; o < outputs_; ++o)
                            weight_.gradient[place_of(group, element, i, o)] += *total++;
        }
        if (!bias_.gradient) return;
        total = add_blocks(bias_parts_, batch.blocks, output_.channels);
        for (int o = 0; o < output_.channels; ++o) bias_.gradient[o] += total[o];
    }

private:
    // Adds the blocks' parts up in the first one's place.
    static const float* add_blocks(const Buffer& parts, int blocks, size_t count) {
        float* total = parts.data();
        for (int block = 1; block < blocks; ++block)
            for (size_t i = 0; i < count; ++i) total[i] += total[block * count + i];
        return total;
    }

    // Transforming pays where each transformed value meets several weights.
    bool fits_quads(int read, int written, int width) const {
        return kernel_.width == 3 && kernel_.stride == 1 && !depthwise_ && width >= kQuad &&
               read >= 4 && written >= 4;
    }

    // Floats of the sums of one kernel element of a group.
    ptrdiff_t sums_size() const { return static_cast<ptrdiff_t>(inputs_) * outputs_ * kLanes; }

    static int whole_quads(const Map& map) { return map.width / kQuad * kQuad; }

    int group_quad_weights() const { return kernel_.height * kPoints * inputs_ * outputs_; }
    size_t quad_weights() const {
        return static_cast<size_t>(kernel_.groups) * group_quad_weights();
    }

    float* scratch(Place place) const { return scratch_.data() + place.thread * scratch_size_; }

    // The largest of what one block needs at a time, in floats.
    size_t scratch_size() const {
        size_t vectors = weights();
        const size_t row = static_cast<size_t>(kernel_.height) * kPoints;
        if (quads_) {
            vectors = std::max(vectors, row * quads_of(output_.width) * inputs_);
            const size_t rows = static_cast<size_t>(learned_rows()) + kernel_.height - 1;
            vectors = std::max(vectors, quad_weights() + learned_row_size() * rows);
        }
        if (quads_back_) vectors = std::max(vectors, row * quads_of(input_.width) * outputs_);
        return vectors * kLanes;
    }

    // Vectors of a transformed row of the input and of the gradient, and how many rows of them
    // stay in the processor's cache.
    size_t learned_row_size() const {
        return static_cast<size_t>(quads_of(output_.width)) * kPoints * (inputs_ + outputs_);
    }
    int learned_rows() const {
        const size_t fitting = kLearnedBytes / kVectorBytes / learned_row_size();
        return std::clamp(static_cast<int>(fitting), 1, output_.height);
    }

    size_t weights() const { return static_cast<size_t>(kernel_.groups) * group_weights(); }
    int group_weights() const { return elements_ * inputs_ * outputs_; }

    size_t place_of(int group, int element, int i, int o) const {
        return (group * outputs_ + o) * strides_.output + i * strides_.input +
               element * strides_.element;
    }

    Slice slice(const Map& map, int group) const {
        const int count = map.channels / kernel_.groups;
        return depthwise_ ? Slice{map.channels, 0, map.channels, map.width}
                          : Slice{map.channels, group * count, count, map.width};
    }

    // Per group of written channels [ky][kx][read][written]; depthwise [ky][kx][channel].
    void pack(float* to, bool forward) const {
        if (depthwise_) {
            for (int element = 0; element < elements_; ++element)
                for (int c = 0; c < kernel_.groups; ++c)
                    *to++ = weight_.values[place_of(c, element, 0, 0)];
            return;
        }
        const int read = forward ? inputs_ : outputs_, written = forward ? outputs_ : inputs_;
        for (int group = 0; group < kernel_.groups; ++group) {
            int first = 0;
            for (int size : groups_of(written, kMostOutputs)) {
                for (int element = 0; element < elements_; ++element)
                    for (int r = 0; r < read; ++r)
                        for (int w = first; w < first + size; ++w)
                            *to++ = weight_.values[forward ? place_of(group, element, r, w)
                                                           : place_of(group, element, w, r)];
                first += size;
            }
        }
    }

    // As `pack`, per group of written channels [ky][read][point][written].
    void pack_quads(float* to, bool forward) const {
        const int read = forward ? inputs_ : outputs_, written = forward ? outputs_ : inputs_;
        for (int group = 0; group < kernel_.groups; ++group) {
            int first = 0;
            for (int size : groups_of(written, kQuadOutputs)) {
                for (int ky = 0; ky < kernel_.height; ++ky)
                    for (int r = 0; r < read; ++r, to += kPoints * size)
                        for (int w = 0; w < size; ++w) {
                            const int i = forward ? r : first + w, o = forward ? first + w : r;
                            float row[3];
                            for (int kx = 0; kx < 3; ++kx)
                                row[forward ? kx : 2 - kx] =
                                    weight_.values[place_of(group, ky * 3 + kx, i, o)];
                            transform_weights(row[0], row[1], row[2], to + w, size);
                        }
                first += size;
            }
        }
    }

    void learn(Place place) {
        if (bias_.gradient) learn_bias(place);
        if (quads_) {
            for (int group = 0; group < kernel_.groups; ++group) learn_quads(place, group);
            return;
        }
        float* sums = scratch(place);
        std::memset(sums, 0, weights() * kVectorBytes);
        for (int ky = 0; ky < kernel_.height; ++ky) {
            const Span rows = span(input_.height, output_.height, ky, kernel_.stride,
                                   kernel_.padding_height);
            if (rows.begin >= rows.end) continue;
            int kx = 0;
            for (int count : groups_of(kernel_.width, kMostColumns)) {
                learn_columns(place, rows, ky, kx, count, sums);
                kx += count;
            }
        }
        float* part = parts_.data() + place.block * weights();
        for (size_t i = 0; i < weights(); ++i) part[i] = sum(load(sums + i * kLanes));
    }

    // The gradient of a group's weights by transformed rows, some of them at a time.
    void learn_quads(Place place, int group) {
        const Slice read = slice(input_, group), written = slice(output_, group);
        const int quads = quads_of(output_.width), rows = learned_rows();
        const ptrdiff_t read_row = static_cast<ptrdiff_t>(quads) * kPoints * inputs_ * kLanes;
        const ptrdiff_t written_row = static_cast<ptrdiff_t>(quads) * kPoints * outputs_ * kLanes;
        float* sums = scratch(place);
        float* gradients = sums + static_cast<ptrdiff_t>(group_quad_weights()) * kLanes;
        float* inputs = gradients + rows * written_row;
        std::memset(sums, 0, group_quad_weights() * kVectorBytes);
        for (int first = 0; first < output_.height; first += rows) {
            const int last = std::min(first + rows, output_.height);
            for (int y = first; y < last; ++y)
                transform_gradient_row(output_.gradient_at(place) + y * written.row(), written,
                                       quads, gradients + (y - first) * written_row);
            const int top = first - kernel_.padding_height;
            const int begin = std::max(top, 0);
            const int end = std::min(last - 1 - kernel_.padding_height + kernel_.height,
                                     input_.height);
            for (int y = begin; y < end; ++y)
                transform_input_row(input_.at(place) + y * read.row(), read, quads,
                                    -kernel_.padding_width, inputs + (y - begin) * read_row);
            for (int ky = 0; ky < kernel_.height; ++ky) {
                // Outputs of these rows whose input row at ky exists.
                const int from = std::max(first, kernel_.padding_height - ky);
                const int to = std::min(last, input_.height + kernel_.padding_height - ky);
                if (from >= to) continue;
                const int input_row = from - kernel_.padding_height + ky - begin;
                add_quads(inputs + input_row * read_row, gradients + (from - first) * written_row,
                          read_row, written_row, to - from, quads,
                          sums + ky * kPoints * sums_size());
            }
        }
        gather(sums, parts_.data() + place.block * weights() + group * group_weights());
    }

    void add_quads(const float* inputs, const float* gradients, ptrdiff_t input_row,
                   ptrdiff_t gradient_row, int rows, int quads, float* sums) const {
        Products at{};
        at.input_row = input_row;
        at.gradient_row = gradient_row;
        at.input_step = static_cast<ptrdiff_t>(kPoints) * inputs_ * kLanes;
        at.gradient_step = static_cast<ptrdiff_t>(kPoints) * outputs_ * kLanes;
        at.sums_input = static_cast<ptrdiff_t>(outputs_) * kLanes;
        at.rows = rows;
        at.columns = quads;
        for (int point = 0; point < kPoints; ++point)
            for_product_tiles(1, inputs_, outputs_, [&](int i, int o, ProductKernel kernel) {
                at.input = inputs + (point * inputs_ + i) * kLanes;
                at.gradient = gradients + (point * outputs_ + o) * kLanes;
                at.sums = sums + ((point * inputs_ + i) * outputs_ + o) * kLanes;
                kernel(at);
            });
    }

    // From sums [ky][point][input][output][lane] to [ky][kx][input][output].
    void gather(const float* sums, float* part) const {
        const int pairs = inputs_ * outputs_;
        for (int ky = 0; ky < kernel_.height; ++ky)
            for (int pair = 0; pair < pairs; ++pair) {
                Lanes points[kPoints], elements[3];
                for (int point = 0; point < kPoints; ++point)
                    points[point] = load(sums + ((ky * kPoints + point) * pairs + pair) * kLanes);
                gather_weights(points, elements);
                for (int kx = 0; kx < 3; ++kx)
                    part[(ky * 3 + kx) * pairs + pair] = sum(elements[kx]);
            }
    }

    // Calls body(first input, first output, kernel) for all pairs of channels.
    template <class Body>
    static void for_product_tiles(int columns, int inputs, int outputs, const Body& body) {
        int i = 0;
        for (int some_inputs : groups_of(inputs, most_inputs(columns))) {
            int o = 0;
            for (int some_outputs : groups_of(outputs, most_outputs(columns))) {
                body(i, o, product_kernel(columns, some_inputs, some_outputs));
                o += some_outputs;
            }
            i += some_inputs;
        }
    }

    Span column_span(int kx) const {
        return span(input_.width, output_.width, kx, kernel_.stride, kernel_.padding_width);
    }

    // Neighbouring elements together where all of them meet the map, each alone elsewhere.
    void learn_columns(Place place, Span rows, int ky, int kx, int count, float* sums) {
        Span common = column_span(kx);
        for (int k = 1; k < count; ++k) {
            const Span next = column_span(kx + k);
            common.begin = std::max(common.begin, next.begin);
            common.end = std::min(common.end, next.end);
        }
        common.input = common.begin * kernel_.stride - kernel_.padding_width + kx;
        const bool together = common.begin < common.end;
        if (together) learn_element(place, rows, common, ky, kx, count, sums);
        for (int k = kx; k < kx + count; ++k) {
            const Span own = column_span(k);
            const int cut = together ? common.begin : own.end;
            learn_element(place, rows, {own.begin, std::min(own.end, cut), own.input}, ky, k, 1,
                          sums);
            if (!together) continue;
            const int skipped = std::max(own.begin, common.end) - own.begin;
            learn_element(place, rows,
                          {own.begin + skipped, own.end, own.input + skipped * kernel_.stride}, ky,
                          k, 1, sums);
        }
    }

    void learn_element(Place place, Span rows, Span columns, int ky, int kx, int count,
                       float* sums) {
        if (columns.begin >= columns.end) return;
        const Slice from = slice(input_, 0), to = slice(output_, 0);
        const float* input = input_.at(place) + rows.input * from.row() +
                             columns.input * from.pixel();
        const float* gradient = output_.gradient_at(place) + rows.begin * to.row() +
                                columns.begin * to.pixel();
        Products at{};
        at.input_row = kernel_.stride * from.row();
        at.input_step = kernel_.stride * from.pixel();
        at.input_column = from.pixel();
        at.gradient_row = to.row();
        at.gradient_step = to.pixel();
        at.rows = rows.end - rows.begin;
        at.columns = columns.end - columns.begin;
        const int element = ky * kernel_.width + kx;
        if (depthwise_) {
            at.input = input;
            at.gradient = gradient;
            at.sums = sums + static_cast<ptrdiff_t>(element) * kernel_.groups * kLanes;
            at.sums_column = static_cast<ptrdiff_t>(kernel_.groups) * kLanes;
            add_depthwise_products(count, at, kernel_.groups);
            return;
        }
        at.sums_input = static_cast<ptrdiff_t>(outputs_) * kLanes;
        at.sums_column = at.sums_input * inputs_;
        for (int group = 0; group < kernel_.groups; ++group) {
            float* group_sums = sums + (static_cast<ptrdiff_t>(group) * elements_ + element) *
                                           at.sums_column;
            for_product_tiles(count, inputs_, outputs_, [&](int i, int o, ProductKernel kernel) {
                at.input = input + (group * inputs_ + i) * kLanes;
                at.gradient = gradient + (group * outputs_ + o) * kLanes;
                at.sums = group_sums + i * at.sums_input + o * kLanes;
                kernel(at);
            });
        }
    }

    void learn_bias(Place place) {
        const float* gradient = output_.gradient_at(place);
        float* part = bias_parts_.data() + place.block * output_.channels;
        for (int o = 0; o < output_.channels; ++o) {
            Lanes total{};
            for (int pixel = 0; pixel < output_.pixels(); ++pixel)
                total += load(gradient + (pixel * output_.channels + o) * kLanes);
            part[o] = sum(total);
        }
    }

    Map &input_, &output_;
    Kernel kernel_;
    Parameter weight_;
    Strides strides_;
    Parameter bias_;
    bool passes_gradient_;
    int inputs_, outputs_;
    bool depthwise_;
    int elements_;
    // Whether the way forward (and with it the weights' gradient) and the way back go by quads.
    bool quads_, quads_back_;
    bool overwrites_ = false;
    Axis rows_, columns_, rows_back_, columns_back_;
    Buffer packed_, packed_back_, packed_quads_, packed_quads_back_, parts_, bias_parts_, scratch_;
    size_t scratch_size_ = 0;
};

struct Normalisation {
    Parameter scale, shift;
    float *running_mean, *running_variance;
    int64_t* batches;
    float momentum, epsilon;
};

// First activation, normalisation, second activation, dropout.
class Elementwise : public Operation {
public:
    Elementwise(Map& input, Map& output, Activation first, const Normalisation* normalisation,
                Activation second, float dropout, int number)
        : input_(input), output_(output), first_(first), second_(second),
          normalises_(normalisation != nullptr), dropout_(dropout), number_(number) {
        if (normalises_) normalisation_ = *normalisation;
        affine_.assign(input.channels, {1.0f, 0.0f});
        normal_ = affine_;
        back_.resize(input.channels);
    }

    bool works_in_place() const override { return true; }
    bool sums_batch() const override { return normalises_; }

    void reserve(int blocks, int) override {
        const size_t count = static_cast<size_t>(blocks) * input_.channels;
        means_ = Buffer(count);
        squares_ = Buffer(count);
    }

    void prepare(bool training) override {
        if (training || !normalises_) return;
        const Normalisation& norm = normalisation_;
        for (int c = 0; c < input_.channels; ++c)
            set_channel(c, norm.running_mean[c], norm.running_variance[c]);
    }

    void measure(const Batch& batch, Place place) override {
        const int at = place.block * input_.channels;
        on_first([&](auto kind) {
            flyweight::measure<decltype(kind)::value>(
                input_.at(place), input_.pixels(), input_.channels,
                first_lanes(batch.lanes(place.block)), batch.lanes(place.block),
                means_.data() + at, squares_.data() + at);
        });
    }

    // Merges the blocks as T. Chan, G. Golub and R. LeVeque do.
    void settle_measures(const Batch& batch) override {
        Normalisation& norm = normalisation_;
        const int channels = input_.channels;
        for (int c = 0; c < channels; ++c) {
            double count = 0, mean = 0, squares = 0;
            for (int block = 0; block < batch.blocks; ++block) {
                const double more = static_cast<double>(batch.lanes(block)) * input_.pixels();
                const double off = means_.data()[block * channels + c] - mean;
                squares += squares_.data()[block * channels + c] + off * off * count * more /
                                                                       (count + more);
                mean += off * more / (count + more);
                count += more;
            }
            const double variance = squares / count;
            set_channel(c, mean, variance);
            const double keep = 1.0 - norm.momentum, unbiased = squares / std::max(count - 1, 1.0);
            norm.running_mean[c] =
                static_cast<float>(keep * norm.running_mean[c] + norm.momentum * mean);
            norm.running_variance[c] =
                static_cast<float>(keep * norm.running_variance[c] + norm.momentum * unbiased);
        }
        ++*norm.batches;
    }

    void forward(const Batch& batch, Place place) override { run(place, dropout_, batch.seed); }
    void infer(Place place) override { run(place, 0.0f, 0); }

    void claim_gradients() override {
        in_place_ = input_.gradient_group == output_.gradient_group;
        overwrites_ = !in_place_ && claim(input_, true);
        if (in_place_) input_.claimed = true;
    }

    void sum_gradient(const Batch&, Place place) override {
        const int at = place.block * input_.channels;
        on_both([&](auto first, auto second) {
            flyweight::sum_gradient<decltype(first)::value, decltype(second)::value>(
                input_.at(place), output_.at(place), output_.gradient_at(place),
                input_.pixels(), input_.channels, affine_.data(), normal_.data(), dropout_,
                means_.data() + at, squares_.data() + at);
        });
    }

    void settle_sums(const Batch& batch) override {
        const int channels = input_.channels;
        const double count = static_cast<double>(batch.images) * input_.pixels();
        for (int c = 0; c < channels; ++c) {
            double plain = 0, product = 0;
            for (int block = 0; block < batch.blocks; ++block) {
                plain += means_.data()[block * channels + c];
                product += squares_.data()[block * channels + c];
            }
            if (normalisation_.scale.gradient)
                normalisation_.scale.gradient[c] += static_cast<float>(product);
            if (normalisation_.shift.gradient)
                normalisation_.shift.gradient[c] += static_cast<float>(plain);
            const double scale = affine_[c].scale, slope = normal_[c].scale;
            back_[c] = {static_cast<float>(scale),
                        static_cast<float>(-scale * slope * product / count),
                        static_cast<float>(-scale * (plain + normal_[c].shift * product) / count)};
        }
    }

    void backward(const Batch& batch, Place place) override {
        float* gradient = output_.gradient_at(place);
        on_first([&](auto kind) {
            constexpr Activation kFirst = decltype(kind)::value;
            if (normalises_)
                pass_back<kFirst>(input_.at(place), gradient, input_.pixels(),
                                  input_.channels, back_.data(),
                                  first_lanes(batch.lanes(place.block)));
            else
                pass_back_plain<kFirst>(input_.at(place), output_.at(place), gradient,
                                        input_.block(), dropout_);
        });
        if (!in_place_) hand_on(gradient, input_.gradient_at(place), input_.block(), overwrites_);
    }

    static void hand_on(const float* from, float* to, ptrdiff_t count, bool overwrite) {
        for (ptrdiff_t at = 0; at < count; at += kLanes)
            store(to + at, overwrite ? load(from + at) : load(to + at) + load(from + at));
    }

private:
    void set_channel(int c, double mean, double variance) {
        const Normalisation& norm = normalisation_;
        const double slope = 1.0 / std::sqrt(variance + norm.epsilon);
        const double scale = norm.scale.values ? norm.scale.values[c] : 1.0;
        const double shift = norm.shift.values ? norm.shift.values[c] : 0.0;
        normal_[c] = {static_cast<float>(slope), static_cast<float>(-mean * slope)};
        affine_[c] = {static_cast<float>(scale * slope),
                      static_cast<float>(shift - mean * scale * slope)};
    }

    void run(Place place, float rate, uint64_t seed) {
        const float* from = input_.at(place);
        float* to = output_.at(place);
        on_both([&](auto first, auto second) {
            constexpr Activation kFirst = decltype(first)::value, kSecond = decltype(second)::value;
            if (rate > 0.0f)
                apply_dropping<kFirst, kSecond>(
                    from, to, input_.pixels(), input_.channels, affine_.data(), rate,
                    Dice(seed, (static_cast<uint64_t>(number_) << 32) + place.block));
            else
                apply<kFirst, kSecond>(from, to, input_.pixels(), input_.channels, affine_.data());
        });
    }

    template <class Body>
    static void on(Activation kind, const Body& body) {
        switch (kind) {
            case Activation::kNone:
                return body(std::integral_constant<Activation, Activation::kNone>{});
            case Activation::kRelu:
                return body(std::integral_constant<Activation, Activation::kRelu>{});
            case Activation::kLeakyRelu:
                return body(std::integral_constant<Activation, Activation::kLeakyRelu>{});
            case Activation::kSilu:
                return body(std::integral_constant<Activation, Activation::kSilu>{});
            case Activation::kHardswish:
                return body(std::integral_constant<Activation, Activation::kHardswish>{});
        }
    }

    template <class Body>
    void on_first(const Body& body) const {
        on(first_, body);
    }

    // At most one of the two is an activation.
    template <class Body>
    void on_both(const Body& body) const {
        using None = std::integral_constant<Activation, Activation::kNone>;
        if (second_ == Activation::kNone)
            on(first_, [&](auto kind) { body(kind, None{}); });
        else
            on(second_, [&](auto kind) { body(None{}, kind); });
    }

    Map &input_, &output_;
    Activation first_, second_;
    bool normalises_;
    float dropout_;
    int number_;
    bool in_place_ = false, overwrites_ = false;
    Normalisation normalisation_{};
    std::vector<Affine> affine_, normal_;
    std::vector<Back> back_;
    // Per block and channel: on the way forward means and squares, on the way back the two sums.
    Buffer means_, squares_;
};

class Pool : public Operation {
public:
    Pool(Map& input, Map& output, int height, int width, bool largest)
        : input_(input), output_(output), largest_(largest),
          windows_{input.channels, input.width, output.height, output.width, height, width} {}

    void reserve(int, int) override {}
    void prepare(bool) override {}
    void forward(const Batch&, Place place) override { infer(place); }

    void infer(Place place) override {
        (largest_ ? pool_largest : pool_mean)(windows_, input_.at(place),
                                              output_.at(place));
    }

    void claim_gradients() override { overwrites_ = claim(input_, true); }

    void backward(const Batch&, Place place) override {
        float* gradient = input_.gradient_at(place);
        const float* from = output_.gradient_at(place);
        if (overwrites_) {
            clear_edges(windows_, input_.height, gradient);
            unpool<true>(place, from, gradient);
        } else {
            unpool<false>(place, from, gradient);
        }
    }

private:
    template <bool overwrite>
    void unpool(Place place, const float* from, float* gradient) const {
        if (largest_)
            unpool_largest<overwrite>(windows_, input_.at(place), output_.at(place), from,
                                      gradient);
        else
            unpool_mean<overwrite>(windows_, from, gradient);
    }

    Map &input_, &output_;
    bool largest_;
    Windows windows_;
    bool overwrites_ = false;
};

class Addition : public Operation {
public:
    Addition(Map& left, Map& right, Map& output) : left_(left), right_(right), output_(output) {}

    void reserve(int, int) override {}
    void prepare(bool) override {}
    void forward(const Batch&, Place place) override { infer(place); }

    void infer(Place place) override {
        const float *left = left_.at(place), *right = right_.at(place);
        float* output = output_.at(place);
        for (ptrdiff_t at = 0; at < output_.block(); at += kLanes)
            store(output + at, load(left + at) + load(right + at));
    }

    void claim_gradients() override {
        overwrites_left_ = claim(left_, true);
        overwrites_right_ = claim(right_, true);
    }

    void backward(const Batch&, Place place) override {
        const float* from = output_.gradient_at(place);
        const ptrdiff_t count = output_.block();
        Elementwise::hand_on(from, left_.gradient_at(place), count, overwrites_left_);
        Elementwise::hand_on(from, right_.gradient_at(place), count, overwrites_right_);
    }

private:
    Map &left_, &right_, &output_;
    bool overwrites_left_ = false, overwrites_right_ = false;
};

}  // namespace flyweight
