// A network: maps, and the operations between them.
#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "api.h"
#include "checks.h"
#include "kernels/cross_entropy.h"
#include "memory_plan.h"
#include "operations/operation.h"
#include "thread_pool.h"

namespace flyweight {

class Network {
public:
    explicit Network(int threads) : pool_(threads) {}

    // Whether this is the copy in a forked process. It can be used, but not freed.
    bool is_forked_copy() const { return pool_.is_forked_copy(); }

    void add_map(int channels, int height, int width) {
        require_unfinished();
        maps_.push_back(std::make_unique<Map>(channels, height, width));
    }

    // Throws std::invalid_argument if there is no map of this number.
    Map& map(int number) {
        require(0 <= number && number < map_count(), "there is no map " + std::to_string(number) +
                                                         " among " + std::to_string(map_count()));
        return *maps_[number];
    }

    int operation_count() const { return static_cast<int>(nodes_.size()); }

    // Adds an operation that reads maps which are written already, and writes another one.
    void add(std::unique_ptr<Operation> operation, std::vector<int> sources, int target) {
        require_unfinished();
        for (int source : sources)
            require(is_written(source),
                    "map " + std::to_string(source) + " is read before it is written");
        require(!is_written(target), "map " + std::to_string(target) + " is written twice");
        nodes_.push_back({std::move(operation), std::move(sources), target});
    }

    // Allocates what batches of up to `images` images need.
    void finish(int images) {
        require_unfinished();
        require_in_range("the number of images", images, 1, INT32_MAX - kLanes);
        require_complete();
        const int blocks = blocks_of(images);
        plan_ = std::make_unique<MemoryPlan>(maps_, nodes_);
        plan_->allocate(blocks, pool_.size());
        for (const Node& node : nodes_) node.operation->allocate(blocks, pool_.size());
        for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node)
            node->operation->claim_gradients();
        most_images_ = images;
    }

    void forward(const PixelsView& pixels, uint64_t seed, float* logits) {
        require_finished();
        require_in_range("the number of images", pixels.images, 1, most_images_);
        ran_forward_ = false;
        batch_ = {pixels.images, blocks_of(pixels.images), seed};
        for (const Node& node : nodes_) node.operation->prepare(true);
        const std::vector<Phase>& phases = plan_->forward;
        for (const Phase& phase : phases) {
            for_each_block(true, [&](const BlockContext& context) {
                if (&phase == &phases.front()) read_pixels(pixels, context);
                for (Operation* operation : phase.operations) operation->forward(batch_, context);
                if (phase.reduced) phase.reduced->accumulate_statistics(batch_, context);
                if (&phase == &phases.back()) write_logits(logits, context);
            });
            if (phase.reduced) phase.reduced->reduce_statistics(batch_);
        }
        ran_forward_ = true;
    }

    // Adds the gradients of the parameters, for the batch of the last forward.
    void backward(const float* logits_gradient) {
        require_finished();
        require(ran_forward_, "backward needs a forward in training mode before it");
        const std::vector<Phase>& phases = plan_->backward;
        for (const Phase& phase : phases) {
            for_each_block(true, [&](const BlockContext& context) {
                for (Operation* operation : phase.recomputed) operation->forward(batch_, context);
                if (&phase == &phases.front()) read_logits_gradient(logits_gradient, context);
                for (Operation* operation : phase.operations) operation->backward(batch_, context);
                if (phase.reduced) phase.reduced->accumulate_gradient_sums(batch_, context);
            });
            if (phase.reduced) phase.reduced->reduce_gradient_sums(batch_);
        }
        for (const Node& node : nodes_) node.operation->reduce_parameter_gradients(batch_);
    }

    // Runs forward, cross entropy and backward.
    LossResult forward_backward(const PixelsView& pixels, const int64_t* labels, uint64_t seed,
                                double smoothing) {
        require_finished();
        require_in_range("the number of images", pixels.images, 1, most_images_);
        const int classes = maps_.back()->channels;
        logits_.resize(static_cast<size_t>(pixels.images) * classes);
        logits_gradient_.resize(logits_.size());
        forward(pixels, seed, logits_.data());
        const LossResult result = cross_entropy(logits_.data(), labels, pixels.images, classes,
                                                smoothing, logits_gradient_.data());
        backward(logits_gradient_.data());
        return result;
    }

    // Runs the network in evaluation mode.
    void infer(const PixelsView& pixels, float* logits) {
        require_finished();
        require_in_range("the number of images", pixels.images, 0, INT32_MAX - kLanes);
        ran_forward_ = false;
        batch_ = {pixels.images, blocks_of(pixels.images), 0};
        for (const Node& node : nodes_) node.operation->prepare(false);
        for_each_block(false, [&](const BlockContext& context) {
            read_pixels(pixels, context);
            for (const Node& node : nodes_) node.operation->infer(context);
            write_logits(logits, context);
        });
    }

private:
    static int blocks_of(int images) { return (images + kLanes - 1) / kLanes; }

    int map_count() const { return static_cast<int>(maps_.size()); }

    bool is_written(int map) const {
        return map == 0 || std::any_of(nodes_.begin(), nodes_.end(),
                                       [&](const Node& node) { return node.target == map; });
    }

    bool is_read(int map) const {
        return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
            return std::find(node.sources.begin(), node.sources.end(), map) != node.sources.end();
        });
    }

    void require_unfinished() const { require(!plan_, "the network is finished already"); }
    void require_finished() const { require(most_images_ > 0, "the network is not finished"); }

    // Throws std::invalid_argument unless every map is written and read, and the last one, written
    // last, holds logits.
    void require_complete() const {
        require(!nodes_.empty(), "the network has no operations");
        const int last = map_count() - 1;
        for (int map = 0; map <= last; ++map) {
            require(is_written(map), "map " + std::to_string(map) + " is never written");
            require(map == last || is_read(map), "map " + std::to_string(map) + " is never read");
        }
        require(!is_read(last) && nodes_.back().target == last,
                "the last map is not what the last operation writes");
        require(maps_[last]->pixels() == 1,
                "the last map, of logits, is " + text(*maps_[last]) + ": expected one pixel");
    }

    template <class Body>
    void for_each_block(bool training, const Body& body) {
        pool_.run(batch_.blocks,
                  [&](int block, int thread) { body(BlockContext{block, thread, training}); });
    }

    // Copies a block of images into the first map; lanes without an image become 0.
    void read_pixels(const PixelsView& from, const BlockContext& context) {
        const Map& input = *maps_.front();
        const int lanes = batch_.lanes(context.block);
        float* to = input.at(context);
        const float* images =
            from.values + static_cast<int64_t>(context.block) * kLanes * from.image;
        for (int y = 0; y < input.height; ++y)
            for (int x = 0; x < input.width; ++x)
                for (int c = 0; c < input.channels; ++c, to += kLanes) {
                    const float* at = images + y * from.row + x * from.column + c * from.channel;
                    for (int lane = 0; lane < kLanes; ++lane)
                        to[lane] = lane < lanes ? at[lane * from.image] : 0.0f;
                }
    }

    void write_logits(float* logits, const BlockContext& context) {
        const Map& output = *maps_.back();
        const float* from = output.at(context);
        float* to = logits + static_cast<size_t>(context.block) * kLanes * output.channels;
        for (int lane = 0; lane < batch_.lanes(context.block); ++lane)
            for (int c = 0; c < output.channels; ++c) *to++ = from[c * kLanes + lane];
    }

    void read_logits_gradient(const float* gradient, const BlockContext& context) {
        const Map& output = *maps_.back();
        float* to = output.gradient_at(context);
        const float* from =
            gradient + static_cast<size_t>(context.block) * kLanes * output.channels;
        for (int lane = 0; lane < kLanes; ++lane)
            for (int c = 0; c < output.channels; ++c)
                to[c * kLanes + lane] = lane < batch_.lanes(context.block) ? *from++ : 0.0f;
    }

    ThreadPool pool_;
    // 0 until the network is finished.
    int most_images_ = 0;
    // Whether the maps hold the values of a batch in training.
    bool ran_forward_ = false;
    Batch batch_;
    std::vector<std::unique_ptr<Map>> maps_;
    std::vector<Node> nodes_;
    std::unique_ptr<MemoryPlan> plan_;
    std::vector<float> logits_, logits_gradient_;
};

}  // namespace flyweight
