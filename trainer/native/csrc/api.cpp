// A network as a list of operations, and the C functions that the trainer calls.

#include <algorithm>
#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

#include "thread_pool.h"
#include "kernels/cross_entropy.h"
#include "operations/operations.h"
#include "memory_plan.h"

namespace flyweight {

// Floats (image, channel, row, column) wherever they lie.
struct Pixels {
    const float* values;
    int64_t image, channel, row, column;
};

class Network {
public:
    explicit Network(int threads) : crew_(threads) {}

    // Whether this is the copy in a forked process, which can be used, but not freed.
    bool is_copy() const { return crew_.is_copy(); }

    int add_map(int channels, int height, int width) {
        maps_.push_back(std::make_unique<Map>(channels, height, width));
        return static_cast<int>(maps_.size()) - 1;
    }

    Map& map(int number) { return *maps_.at(number); }
    int count() const { return static_cast<int>(nodes_.size()); }

    void add(std::unique_ptr<Operation> operation, std::vector<int> from, int to) {
        nodes_.push_back({std::move(operation), std::move(from), to});
    }

    void finish(int images) {
        most_images_ = images;
        const int blocks = (images + kLanes - 1) / kLanes;
        schedule_ = std::make_unique<Schedule>(maps_, nodes_);
        schedule_->allocate(blocks, crew_.size());
        for (const Node& node : nodes_) node.operation->reserve(blocks, crew_.size());
        for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node)
            node->operation->claim_gradients();
    }

    void forward(const Pixels& pixels, int images, uint64_t seed, float* logits) {
        if (images > most_images_) throw std::length_error("more images than there is room for");
        went_forward_ = true;
        batch_ = {images, (images + kLanes - 1) / kLanes, seed};
        for (const Node& node : nodes_) node.operation->prepare(true);
        const std::vector<Phase>& phases = schedule_->forward;
        for (const Phase& phase : phases) {
            each_block(true, [&](const Place& place) {
                if (&phase == &phases.front()) take(pixels, place);
                for (Operation* operation : phase.work) operation->forward(batch_, place);
                if (phase.last) phase.last->measure(batch_, place);
                if (&phase == &phases.back()) give(logits, place);
            });
            if (phase.last) phase.last->settle_measures(batch_);
        }
    }

    void backward(const float* logits_gradient) {
        if (!went_forward_) throw std::logic_error("there is no way back from inference");
        const std::vector<Phase>& phases = schedule_->backward;
        for (const Phase& phase : phases) {
            each_block(true, [&](const Place& place) {
                for (Operation* operation : phase.again) operation->forward(batch_, place);
                if (&phase == &phases.front()) take_gradient(logits_gradient, place);
                for (Operation* operation : phase.work) operation->backward(batch_, place);
                if (phase.last) phase.last->sum_gradient(batch_, place);
            });
            if (phase.last) phase.last->settle_sums(batch_);
        }
        for (const Node& node : nodes_) node.operation->settle_gradient(batch_);
    }

    // Forward, loss and backward.
    Judgement learn(const Pixels& pixels, const int64_t* labels, int images, uint64_t seed,
                    double smoothing) {
        const int classes = maps_.back()->channels;
        logits_.resize(static_cast<size_t>(images) * classes);
        logits_gradient_.resize(logits_.size());
        forward(pixels, images, seed, logits_.data());
        const Judgement judgement = judge(logits_.data(), labels, images, classes, smoothing,
                                          logits_gradient_.data());
        backward(logits_gradient_.data());
        return judgement;
    }

    void infer(const Pixels& pixels, int images, float* logits) {
        went_forward_ = false;
        batch_ = {images, (images + kLanes - 1) / kLanes, 0};
        for (const Node& node : nodes_) node.operation->prepare(false);
        each_block(false, [&](const Place& place) {
            take(pixels, place);
            for (const Node& node : nodes_) node.operation->infer(place);
            give(logits, place);
        });
    }

private:
    template <class Body>
    void each_block(bool training, const Body& body) {
        crew_.run(batch_.blocks, [&](int block, int thread) {
            body(Place{block, thread, training});
        });
    }

    void take(const Pixels& from, const Place& place) {
        const Map& input = *maps_.front();
        const int lanes = batch_.lanes(place.block);
        float* to = input.at(place);
        const float* images = from.values + static_cast<int64_t>(place.block) * kLanes * from.image;
        for (int y = 0; y < input.height; ++y)
            for (int x = 0; x < input.width; ++x)
                for (int c = 0; c < input.channels; ++c, to += kLanes) {
                    const float* at = images + y * from.row + x * from.column + c * from.channel;
                    for (int lane = 0; lane < kLanes; ++lane)
                        to[lane] = lane < lanes ? at[lane * from.image] : 0.0f;
                }
    }

    void give(float* logits, const Place& place) {
        const Map& output = *maps_.back();
        const float* from = output.at(place);
        float* to = logits + static_cast<size_t>(place.block) * kLanes * output.channels;
        for (int lane = 0; lane < batch_.lanes(place.block); ++lane)
            for (int c = 0; c < output.channels; ++c) *to++ = from[c * kLanes + lane];
    }

    void take_gradient(const float* logits, const Place& place) {
        const Map& output = *maps_.back();
        float* to = output.gradient_at(place);
        const float* from = logits + static_cast<size_t>(place.block) * kLanes * output.channels;
        for (int lane = 0; lane < kLanes; ++lane)
            for (int c = 0; c < output.channels; ++c)
                to[c * kLanes + lane] = lane < batch_.lanes(place.block) ? *from++ : 0.0f;
    }

    Crew crew_;
    int most_images_ = 0;
    // Whether the maps are those of a batch in training.
    bool went_forward_ = false;
    Batch batch_;
    std::vector<std::unique_ptr<Map>> maps_;
    std::vector<Node> nodes_;
    std::unique_ptr<Schedule> schedule_;
    std::vector<float> logits_, logits_gradient_;
};

// Runs what may throw; an exception must not cross into C.
template <class Body>
int guarded(const Body& body) {
    try {
        body();
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    } catch (const std::out_of_range&) {
        return 3;
    } catch (const std::exception&) {
        return 2;
    }
}

}  // namespace flyweight

using flyweight::Activation;
using flyweight::Network;

extern "C" {

int flyweight_lanes() { return flyweight::kLanes; }

Network* flyweight_new(int threads) {
    Network* network = nullptr;
    flyweight::guarded([&] { network = new Network(threads); });
    return network;
}

void flyweight_free(Network* network) {
    if (!network->is_copy()) delete network;
}

int flyweight_map(Network* network, int channels, int height, int width) {
    return network->add_map(channels, height, width);
}

void flyweight_convolution(Network* network, int from, int to, int height, int width, int stride,
                           int padding_height, int padding_width, int groups, const float* weight,
                           float* weight_gradient, int64_t output_stride, int64_t input_stride,
                           int64_t element_stride, const float* bias, float* bias_gradient) {
    const flyweight::Kernel kernel{height, width, stride, padding_height, padding_width, groups};
    network->add(std::make_unique<flyweight::Convolution>(
                     network->map(from), network->map(to), kernel,
                     flyweight::Parameter{weight, weight_gradient},
                     flyweight::Strides{output_stride, input_stride, element_stride},
                     flyweight::Parameter{bias, bias_gradient}, from != 0),
                 {from}, to);
}

void flyweight_elementwise(Network* network, int from, int to, int first, int second, float dropout,
                           int normalises, const float* scale, float* scale_gradient,
                           const float* shift, float* shift_gradient, float* running_mean,
                           float* running_variance, int64_t* batches, float momentum,
                           float epsilon) {
    const flyweight::Normalisation norm{{scale, scale_gradient}, {shift, shift_gradient},
                                        running_mean,            running_variance,
                                        batches,                 momentum,
                                        epsilon};
    network->add(std::make_unique<flyweight::Elementwise>(
                     network->map(from), network->map(to), static_cast<Activation>(first),
                     normalises ? &norm : nullptr, static_cast<Activation>(second), dropout,
                     network->count()),
                 {from}, to);
}

void flyweight_pool(Network* network, int from, int to, int height, int width, int largest) {
    network->add(std::make_unique<flyweight::Pool>(network->map(from), network->map(to), height,
                                                   width, largest != 0),
                 {from}, to);
}

void flyweight_addition(Network* network, int left, int right, int to) {
    network->add(std::make_unique<flyweight::Addition>(network->map(left), network->map(right),
                                                       network->map(to)),
                 {left, right}, to);
}

int flyweight_finish(Network* network, int images) {
    return flyweight::guarded([&] { network->finish(images); });
}

int flyweight_forward(Network* network, const float* pixels, int64_t image, int64_t channel,
                      int64_t row, int64_t column, int images, uint64_t seed, float* logits) {
    return flyweight::guarded(
        [&] { network->forward({pixels, image, channel, row, column}, images, seed, logits); });
}

int flyweight_backward(Network* network, const float* logits_gradient) {
    return flyweight::guarded([&] { network->backward(logits_gradient); });
}

int flyweight_learn(Network* network, const float* pixels, int64_t image, int64_t channel,
                    int64_t row, int64_t column, int images, uint64_t seed, const int64_t* labels,
                    double smoothing, float* loss, int64_t* right) {
    return flyweight::guarded([&] {
        const flyweight::Judgement judgement = network->learn(
            {pixels, image, channel, row, column}, labels, images, seed, smoothing);
        *loss = static_cast<float>(judgement.loss);
        *right = judgement.right;
    });
}

int flyweight_infer(Network* network, const float* pixels, int64_t image, int64_t channel,
                    int64_t row, int64_t column, int images, float* logits) {
    return flyweight::guarded(
        [&] { network->infer({pixels, image, channel, row, column}, images, logits); });
}
}
