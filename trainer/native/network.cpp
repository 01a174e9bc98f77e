// A network as a list of operations, and the C functions that the trainer calls.

#include <algorithm>
#include <exception>
#include <memory>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "operations.h"

namespace flyweight {

// Floats (image, channel, row, column) wherever they lie.
struct Pixels {
    const float* values;
    int64_t image, channel, row, column;
};

class Network {
public:
    Network(int threads) : threads_(std::max(1, threads)) {}

    int add_map(int channels, int height, int width) {
        maps_.push_back(std::make_unique<Map>(channels, height, width));
        return static_cast<int>(maps_.size()) - 1;
    }

    Map& map(int number) { return *maps_.at(number); }
    Map& read(int number) {
        ++map(number).readers;
        return map(number);
    }

    void add(std::unique_ptr<Operation> operation, int from, int to, bool elementwise) {
        operations_.push_back(std::move(operation));
        links_.push_back({from, to, elementwise});
    }

    int count() const { return static_cast<int>(operations_.size()); }

    void finish(int images) {
        const int blocks = (images + kLanes - 1) / kLanes;
        const int slots = std::max(blocks, threads_);
        for (auto& map : maps_)
            map->values = std::make_shared<Buffer>(static_cast<size_t>(slots) * map->block());
        // An elementwise operation passes the gradient back in place where nobody else reads it.
        for (auto map = maps_.rbegin(); map != maps_.rend(); ++map) {
            for (const Link& link : links_)
                if (link.elementwise && &this->map(link.from) == map->get() && (*map)->readers == 1)
                    (*map)->gradient = this->map(link.to).gradient;
            if (!(*map)->gradient)
                (*map)->gradient =
                    std::make_shared<Buffer>(static_cast<size_t>(blocks) * (*map)->block());
        }
        for (auto& operation : operations_) operation->reserve(blocks, threads_);
        for (auto at = operations_.rbegin(); at != operations_.rend(); ++at)
            (*at)->claim_gradients();
        plan();
    }

    void forward(const Pixels& pixels, int images, uint64_t seed, float* logits) {
        batch_ = {images, (images + kLanes - 1) / kLanes, seed};
        for (auto& operation : operations_) operation->prepare(true);
        for (const Phase& phase : forward_) {
            each_block([&](Place place) {
                if (&phase == &forward_.front()) take(pixels, place.block, place.slot);
                for (Operation* operation : phase.work) operation->forward(batch_, place);
                if (phase.last) phase.last->measure(batch_, place);
                if (&phase == &forward_.back()) give(logits, place.block, place.slot);
            });
            if (phase.last) phase.last->settle_measures(batch_);
        }
    }

    void backward(const float* logits_gradient) {
        for (const Phase& phase : backward_) {
            each_block([&](Place place) {
                if (&phase == &backward_.front()) take_gradient(logits_gradient, place.block);
                for (Operation* operation : phase.work) operation->backward(batch_, place);
                if (phase.last) phase.last->sum_gradient(batch_, place);
            });
            if (phase.last) phase.last->settle_sums(batch_);
        }
        for (auto& operation : operations_) operation->settle_gradient(batch_);
    }

    void infer(const Pixels& pixels, int images, float* logits) {
        batch_ = {images, (images + kLanes - 1) / kLanes, 0};
        for (auto& operation : operations_) operation->prepare(false);
        each_block([&](Place place) {
            place.slot = place.thread;
            take(pixels, place.block, place.slot);
            for (auto& operation : operations_) operation->infer(place);
            give(logits, place.block, place.slot);
        });
    }

private:
    struct Link {
        int from, to;
        bool elementwise;
    };

    // What can be done block by block, and the operation whose sums end it.
    struct Phase {
        std::vector<Operation*> work;
        Operation* last = nullptr;
    };

    void plan() {
        forward_.assign(1, {});
        for (auto& operation : operations_) {
            if (operation->sums_batch()) {
                forward_.back().last = operation.get();
                forward_.emplace_back();
            }
            forward_.back().work.push_back(operation.get());
        }
        backward_.assign(1, {});
        for (auto at = operations_.rbegin(); at != operations_.rend(); ++at) {
            if ((*at)->sums_batch()) {
                backward_.back().last = at->get();
                backward_.emplace_back();
            }
            backward_.back().work.push_back(at->get());
        }
    }

    template <class Body>
    void each_block(const Body& body) {
#pragma omp parallel for schedule(static) num_threads(threads_) if (threads_ > 1)
        for (int block = 0; block < batch_.blocks; ++block) {
#ifdef _OPENMP
            const int thread = omp_get_thread_num();
#else
            const int thread = 0;
#endif
            body(Place{block, block, thread});
        }
    }

    void take(const Pixels& from, int block, int slot) {
        const Map& input = *maps_.front();
        const int lanes = batch_.lanes(block);
        float* to = input.at(slot);
        const float* images = from.values + static_cast<int64_t>(block) * kLanes * from.image;
        for (int y = 0; y < input.height; ++y)
            for (int x = 0; x < input.width; ++x)
                for (int c = 0; c < input.channels; ++c, to += kLanes) {
                    const float* at = images + y * from.row + x * from.column + c * from.channel;
                    for (int lane = 0; lane < kLanes; ++lane)
                        to[lane] = lane < lanes ? at[lane * from.image] : 0.0f;
                }
    }

    void give(float* logits, int block, int slot) {
        const Map& output = *maps_.back();
        const float* from = output.at(slot);
        for (int lane = 0; lane < batch_.lanes(block); ++lane)
            for (int c = 0; c < output.channels; ++c)
                logits[(static_cast<size_t>(block) * kLanes + lane) * output.channels + c] =
                    from[c * kLanes + lane];
    }

    void take_gradient(const float* logits, int block) {
        const Map& output = *maps_.back();
        float* to = output.gradient_at(block);
        for (int lane = 0; lane < kLanes; ++lane)
            for (int c = 0; c < output.channels; ++c)
                to[c * kLanes + lane] =
                    lane < batch_.lanes(block)
                        ? logits[(static_cast<size_t>(block) * kLanes + lane) * output.channels + c]
                        : 0.0f;
    }

    int threads_;
    Batch batch_;
    std::vector<std::unique_ptr<Map>> maps_;
    std::vector<std::unique_ptr<Operation>> operations_;
    std::vector<Link> links_;
    std::vector<Phase> forward_, backward_;
};

// Runs what may throw; an exception must not cross into C.
template <class Body>
int guarded(const Body& body) {
    try {
        body();
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    } catch (const std::exception&) {
        return 2;
    }
}

}  // namespace flyweight

using flyweight::Activation;
using flyweight::Network;

extern "C" {

int flyweight_lanes() { return flyweight::kLanes; }

Network* flyweight_new(int threads) { return new (std::nothrow) Network(threads); }

void flyweight_free(Network* network) { delete network; }

int flyweight_map(Network* network, int channels, int height, int width) {
    return network->add_map(channels, height, width);
}

void flyweight_convolution(Network* network, int from, int to, int height, int width, int stride,
                           int padding_height, int padding_width, int groups, const float* weight,
                           float* weight_gradient, int64_t output_stride, int64_t input_stride,
                           int64_t element_stride, const float* bias, float* bias_gradient) {
    const flyweight::Kernel kernel{height, width, stride, padding_height, padding_width, groups};
    network->add(std::make_unique<flyweight::Convolution>(
                     network->read(from), network->map(to), kernel,
                     flyweight::Parameter{weight, weight_gradient},
                     flyweight::Strides{output_stride, input_stride, element_stride},
                     flyweight::Parameter{bias, bias_gradient}, from != 0),
                 from, to, false);
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
                     network->read(from), network->map(to), static_cast<Activation>(first),
                     normalises ? &norm : nullptr, static_cast<Activation>(second), dropout,
                     network->count()),
                 from, to, true);
}

void flyweight_pool(Network* network, int from, int to, int height, int width, int largest) {
    network->add(std::make_unique<flyweight::Pool>(network->read(from), network->map(to), height,
                                                   width, largest != 0),
                 from, to, false);
}

void flyweight_addition(Network* network, int left, int right, int to) {
    network->add(std::make_unique<flyweight::Addition>(network->read(left), network->read(right),
                                                       network->map(to)),
                 left, to, false);
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

int flyweight_infer(Network* network, const float* pixels, int64_t image, int64_t channel,
                    int64_t row, int64_t column, int images, float* logits) {
    return flyweight::guarded(
        [&] { network->infer({pixels, image, channel, row, column}, images, logits); });
}
}
