// BatchNorm with the activation beside it and dropout, as one operation.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/elementwise.h"
#include "operations/operation.h"

namespace flyweight {

// A BatchNorm's parameters, statistics and settings.
struct Normalisation {
    Parameter scale, shift;
    float *running_mean, *running_variance;
    int64_t* batches;
    float momentum, epsilon;
};

struct DropoutSettings {
    float rate;
    // Whether whole channels of an image are dropped; otherwise single values.
    bool channels;
};

// First activation, normalisation, second activation, dropout. Each part is optional, and at most
// one of the activations is not the identity.
class NormActivation : public Operation {
public:
    // `number` tells apart the dropout of the operations of one network.
    NormActivation(Map& input, Map& output, int first, const Normalisation* normalisation,
                   int second, DropoutSettings dropout, int number)
        : input_(input), output_(output), first_(first), second_(second),
          normalises_(normalisation != nullptr), dropout_(dropout), number_(number) {
        if (normalises_) normalisation_ = *normalisation;
        affine_.assign(input.channels, {1.0f, 0.0f});
        normal_ = affine_;
        backward_terms_.resize(input.channels);
    }

    bool works_in_place() const override { return true; }
    bool needs_batch_sums() const override { return normalises_; }

    void allocate(int blocks, int) override {
        const size_t count = static_cast<size_t>(blocks) * input_.channels;
        first_sums_ = Buffer(count);
        second_sums_ = Buffer(count);
    }

    void claim_gradients() override {
        in_place_ = input_.gradient_group == output_.gradient_group;
        overwrites_ = !in_place_ && claim(input_, true);
        if (in_place_) input_.claimed = true;
    }

    void prepare(bool training) override {
        if (training || !normalises_) return;
        const Normalisation& norm = normalisation_;
        for (int c = 0; c < input_.channels; ++c)
            set_channel(c, norm.running_mean[c], norm.running_variance[c]);
    }

    void accumulate_statistics(const Batch& batch, BlockContext context) override {
        const ptrdiff_t at = static_cast<ptrdiff_t>(context.block) * input_.channels;
        with_first([&](auto first) {
            const int lanes = batch.lanes(context.block);
            block_statistics<decltype(first)>(input_.at(context), input_.pixels(), input_.channels,
                                              first_lanes(lanes), lanes, first_sums_.data() + at,
                                              second_sums_.data() + at);
        });
    }

    // Merges the blocks' means and squares after T. Chan, G. Golub and R. LeVeque, "Updating
    // Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
    void reduce_statistics(const Batch& batch) override {
        Normalisation& norm = normalisation_;
        const int channels = input_.channels;
        for (int c = 0; c < channels; ++c) {
            double count = 0, mean = 0, squares = 0;
            for (int block = 0; block < batch.blocks; ++block) {
                const double more = static_cast<double>(batch.lanes(block)) * input_.pixels();
                const double off = first_sums_.data()[block * channels + c] - mean;
                squares += second_sums_.data()[block * channels + c] +
                           off * off * count * more / (count + more);
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

    void forward(const Batch& batch, BlockContext context) override {
        run(context, true, batch.seed);
    }
    void infer(BlockContext context) override { run(context, false, 0); }

    void accumulate_gradient_sums(const Batch&, BlockContext context) override {
        const ptrdiff_t at = static_cast<ptrdiff_t>(context.block) * input_.channels;
        with_both([&](auto first, auto second) {
            block_gradient_sums<decltype(first), decltype(second)>(
                input_.at(context), output_.at(context), output_.gradient_at(context),
                input_.pixels(), input_.channels, affine_.data(), normal_.data(),
                dropout_.rate,
                first_sums_.data() + at, second_sums_.data() + at);
        });
    }

    void reduce_gradient_sums(const Batch& batch) override {
        const int channels = input_.channels;
        const double count = static_cast<double>(batch.images) * input_.pixels();
        for (int c = 0; c < channels; ++c) {
            double plain = 0, product = 0;
            for (int block = 0; block < batch.blocks; ++block) {
                plain += first_sums_.data()[block * channels + c];
                product += second_sums_.data()[block * channels + c];
            }
            if (normalisation_.scale.gradient)
                normalisation_.scale.gradient[c] += static_cast<float>(product);
            if (normalisation_.shift.gradient)
                normalisation_.shift.gradient[c] += static_cast<float>(plain);
            const double scale = affine_[c].scale, slope = normal_[c].scale;
            backward_terms_[c] = {
                static_cast<float>(scale), static_cast<float>(-scale * slope * product / count),
                static_cast<float>(-scale * (plain + normal_[c].shift * product) / count)};
        }
    }

    void backward(const Batch& batch, BlockContext context) override {
        float* gradient = output_.gradient_at(context);
        with_first([&](auto first) {
            using First = decltype(first);
            if (normalises_)
                backward_normalised<First>(input_.at(context), gradient, input_.pixels(),
                                           input_.channels, backward_terms_.data(),
                                           first_lanes(batch.lanes(context.block)));
            else
                backward_plain<First>(input_.at(context), output_.at(context), gradient,
                                      input_.block(), dropout_.rate);
        });
        if (!in_place_)
            pass_gradient(gradient, input_.gradient_at(context), input_.block(), overwrites_);
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

    void run(BlockContext context, bool drops, uint64_t seed) {
        const float* from = input_.at(context);
        float* to = output_.at(context);
        with_both([&](auto first, auto second) {
            using First = decltype(first);
            using Second = decltype(second);
            if (!drops || !(dropout_.rate > 0.0f)) {
                apply<First, Second>(from, to, input_.pixels(), input_.channels, affine_.data());
                return;
            }
            const Xoshiro128 random(seed, (static_cast<uint64_t>(number_) << 32) + context.block);
            (dropout_.channels ? apply_with_channel_dropout<First, Second>
                               : apply_with_dropout<First, Second>)(
                from, to, input_.pixels(), input_.channels, affine_.data(), dropout_.rate, random);
        });
    }

    template <class Body>
    void with_first(const Body& body) const {
        with_activation(Activations{}, first_, body);
    }

    // One of the two is the identity, so not every pair of activations is compiled.
    template <class Body>
    void with_both(const Body& body) const {
        if (second_ == kNoActivation)
            with_activation(Activations{}, first_, [&](auto first) { body(first, Identity{}); });
        else
            with_activation(Activations{}, second_, [&](auto second) { body(Identity{}, second); });
    }

    Map &input_, &output_;
    int first_, second_;
    bool normalises_;
    DropoutSettings dropout_;
    int number_;
    bool in_place_ = false, overwrites_ = false;
    Normalisation normalisation_{};
    // Per channel: from the input to the output, and from the input to the normalised input.
    std::vector<Affine> affine_, normal_;
    std::vector<BackwardTerms> backward_terms_;
    // Per block and channel. Forward: means and squares. Backward: the gradient's two sums.
    Buffer first_sums_, second_sums_;
};

}  // namespace flyweight
