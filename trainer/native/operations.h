// The operations: convolution, normalisation with its neighbours, pooling and addition.
#pragma once

#include <cmath>
#include <vector>

#include "convolve.h"
#include "depthwise.h"
#include "elementwise.h"
#include "operation.h"
#include "pool.h"

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

class Convolution : public Operation {
public:
    Convolution(Map& input, Map& output, Kernel kernel, Parameter weight, Strides strides,
                Parameter bias, bool passes_gradient)
        : input_(input), output_(output), kernel_(kernel), weight_(weight), strides_(strides),
          bias_(bias),
          passes_gradient_(passes_gradient), inputs_(input.channels / kernel.groups),
          outputs_(output.channels / kernel.groups),
          depthwise_(kernel.groups == input.channels && kernel.groups == output.channels),
          elements_(kernel.height * kernel.width) {
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
        parts_ = Buffer(static_cast<size_t>(blocks) * weights());
        bias_parts_ = Buffer(static_cast<size_t>(blocks) * output_.channels);
        sums_ = Buffer(static_cast<size_t>(threads) * weights() * kLanes);
    }

    void prepare(bool training) override {
        pack(packed_.data(), true);
        if (training && passes_gradient_) pack(packed_back_.data(), false);
    }

    void forward(const Batch&, Place place) override { infer(place); }

    void infer(Place place) override {
        const float* bias = bias_.values;
        const Start start = bias ? Start::kBias : Start::kZero;
        const float *from = input_.at(place.slot), *weights = packed_.data();
        float* to = output_.at(place.slot);
        if (depthwise_) {
            convolve_depthwise(rows_, columns_, kernel_.width, from, slice(input_, 0), to,
                               slice(output_, 0), weights, bias, start);
            return;
        }
        for (int group = 0; group < kernel_.groups; ++group)
            convolve(rows_, columns_, kernel_.height, kernel_.width, from, slice(input_, group), to,
                     slice(output_, group), weights + group * group_weights(),
                     bias ? bias + group * outputs_ : nullptr, start);
    }

    void claim_gradients() override { overwrites_ = claim(input_, passes_gradient_); }

    void backward(const Batch&, Place place) override {
        learn(place);
        if (!passes_gradient_) return;
        const Start start = overwrites_ ? Start::kZero : Start::kPresent;
        const float *from = output_.gradient_at(place.slot), *weights = packed_back_.data();
        float* to = input_.gradient_at(place.slot);
        if (depthwise_) {
            convolve_depthwise(rows_back_, columns_back_, kernel_.width, from, slice(output_, 0),
                               to, slice(input_, 0), weights, nullptr, start);
            return;
        }
        for (int group = 0; group < kernel_.groups; ++group)
            convolve(rows_back_, columns_back_, kernel_.height, kernel_.width, from,
                     slice(output_, group), to, slice(input_, group),
                     weights + group * group_weights(), nullptr, start);
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

    void learn(Place place) {
        float* sums = sums_.data() + place.thread * weights() * kLanes;
        std::memset(sums, 0, weights() * kVectorBytes);
        for (int ky = 0; ky < kernel_.height; ++ky) {
            const Span rows = span(input_.height, output_.height, ky, kernel_.stride,
                                   kernel_.padding_height);
            if (rows.begin >= rows.end) continue;
            if (depthwise_) {
                for (int kx = 0; kx < kernel_.width; ++kx)
                    learn_element(place, rows, column_span(kx), ky, kx, 1, sums);
                continue;
            }
            int kx = 0;
            for (int count : groups_of(kernel_.width, kMostColumns)) {
                learn_columns(place, rows, ky, kx, count, sums);
                kx += count;
            }
        }
        float* part = parts_.data() + place.block * weights();
        for (size_t i = 0; i < weights(); ++i) part[i] = sum(load(sums + i * kLanes));
        if (bias_.gradient) learn_bias(place);
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
        const float* input = input_.at(place.slot) + rows.input * from.row() +
                             columns.input * from.pixel();
        const float* gradient = output_.gradient_at(place.slot) + rows.begin * to.row() +
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
            add_depthwise_products(at, kernel_.groups);
            return;
        }
        at.sums_input = static_cast<ptrdiff_t>(outputs_) * kLanes;
        at.sums_column = at.sums_input * inputs_;
        for (int group = 0; group < kernel_.groups; ++group) {
            float* group_sums = sums + (static_cast<ptrdiff_t>(group) * elements_ + element) *
                                           at.sums_column;
            int i = 0;
            for (int inputs : groups_of(inputs_, most_inputs(count))) {
                int o = 0;
                for (int outputs : groups_of(outputs_, most_outputs(count))) {
                    at.input = input + (group * inputs_ + i) * kLanes;
                    at.gradient = gradient + (group * outputs_ + o) * kLanes;
                    at.sums = group_sums + i * at.sums_input + o * kLanes;
                    product_kernel(count, inputs, outputs)(at);
                    o += outputs;
                }
                i += inputs;
            }
        }
    }

    void learn_bias(Place place) {
        const float* gradient = output_.gradient_at(place.slot);
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
    bool overwrites_ = false;
    Axis rows_, columns_, rows_back_, columns_back_;
    Buffer packed_, packed_back_, parts_, bias_parts_, sums_;
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
                input_.at(place.slot), input_.pixels(), input_.channels,
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
        in_place_ = input_.gradient == output_.gradient;
        overwrites_ = !in_place_ && claim(input_, true);
        if (in_place_) input_.claimed = true;
    }

    void sum_gradient(const Batch&, Place place) override {
        const int at = place.block * input_.channels;
        on_both([&](auto first, auto second) {
            flyweight::sum_gradient<decltype(first)::value, decltype(second)::value>(
                input_.at(place.slot), output_.at(place.slot), output_.gradient_at(place.slot),
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
        float* gradient = output_.gradient_at(place.slot);
        on_first([&](auto kind) {
            constexpr Activation kFirst = decltype(kind)::value;
            if (normalises_)
                pass_back<kFirst>(input_.at(place.slot), gradient, input_.pixels(),
                                  input_.channels, back_.data(),
                                  first_lanes(batch.lanes(place.block)));
            else
                pass_back_plain<kFirst>(input_.at(place.slot), output_.at(place.slot), gradient,
                                        input_.block(), dropout_);
        });
        if (!in_place_) hand_on(gradient, input_.gradient_at(place.slot), input_.block(), overwrites_);
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
        const float* from = input_.at(place.slot);
        float* to = output_.at(place.slot);
        on_both([&](auto first, auto second) {
            constexpr Activation kFirst = decltype(first)::value, kSecond = decltype(second)::value;
            if (rate > 0.0f)
                apply_dropping<kFirst, kSecond>(
                    from, to, input_.pixels(), input_.channels, affine_.data(), rate,
                    Dice(seed, static_cast<uint64_t>(number_) << 32 | static_cast<uint32_t>(place.block)));
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
        (largest_ ? pool_largest : pool_mean)(windows_, input_.at(place.slot),
                                              output_.at(place.slot));
    }

    void claim_gradients() override { overwrites_ = claim(input_, true); }

    void backward(const Batch&, Place place) override {
        float* gradient = input_.gradient_at(place.slot);
        const float* from = output_.gradient_at(place.slot);
        if (overwrites_) std::memset(gradient, 0, input_.block() * sizeof(float));
        if (largest_)
            unpool_largest(windows_, input_.at(place.slot), output_.at(place.slot), from, gradient);
        else
            unpool_mean(windows_, from, gradient);
    }

private:
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
        const float *left = left_.at(place.slot), *right = right_.at(place.slot);
        float* output = output_.at(place.slot);
        for (ptrdiff_t at = 0; at < output_.block(); at += kLanes)
            store(output + at, load(left + at) + load(right + at));
    }

    void claim_gradients() override {
        overwrites_left_ = claim(left_, true);
        overwrites_right_ = claim(right_, true);
    }

    void backward(const Batch&, Place place) override {
        const float* from = output_.gradient_at(place.slot);
        const ptrdiff_t count = output_.block();
        Elementwise::hand_on(from, left_.gradient_at(place.slot), count, overwrites_left_);
        Elementwise::hand_on(from, right_.gradient_at(place.slot), count, overwrites_right_);
    }

private:
    Map &left_, &right_, &output_;
    bool overwrites_left_ = false, overwrites_right_ = false;
};

}  // namespace flyweight
