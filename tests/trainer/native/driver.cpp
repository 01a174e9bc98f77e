// Uses the kernels without Python: trains small networks through the C interface, compares thread
// counts bit for bit, makes every kind of mistake, and puts the thread pool to work.
//
// It is built together with api.cpp, so that sanitizers see all of it (`make sanitize`). Prints
// "ok" and returns 0 if everything holds; otherwise says what does not.

#include <atomic>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "api.h"
#include "thread_pool.h"

using namespace flyweight;

namespace {

void expect(bool holds, const std::string& what) {
    if (holds) return;
    std::fprintf(stderr, "driver: %s; last error: %s\n", what.c_str(), flyweight_last_error());
    std::exit(1);
}

void succeed(Status status, const char* call) { expect(status == kOk, call); }
#define SUCCEED(call) succeed(call, #call)

// Numbers from -1 to 1 that the seed alone decides.
class Noise {
public:
    explicit Noise(uint64_t seed) : state_(seed * 2 + 1) {}
    float next() {
        state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
        return static_cast<float>(static_cast<int64_t>(state_) >> 40) / (1 << 23);
    }
    std::vector<float> vector(size_t count) {
        std::vector<float> values(count);
        for (float& value : values) value = next();
        return values;
    }

private:
    uint64_t state_;
};

struct Trained {
    std::vector<float> values, gradient;
};

// A network with its parameters, built layer by layer.
class Model {
public:
    Model(MapShape input, int threads) : noise_(7), shapes_{input} {
        SUCCEED(flyweight_new(threads, &network_));
        SUCCEED(flyweight_add_map(network_, &input));
    }
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;
    ~Model() { SUCCEED(flyweight_free(network_)); }

    Network* network() { return network_; }
    int last() const { return static_cast<int>(shapes_.size()) - 1; }
    int classes() const { return shapes_.back().channels; }
    const MapShape& input() const { return shapes_.front(); }

    void convolution(int channels, int size, int stride, int padding, int groups, bool bias) {
        convolution(channels, size, size, stride, stride, padding, 1, groups, bias);
    }

    void convolution(int channels, int height, int width, int down, int right, int padding,
                     int dilation, int groups, bool bias) {
        const MapShape from = shapes_.back();
        const auto out = [&](int in, int size, int stride) {
            return (in + 2 * padding - dilation * (size - 1) - 1) / stride + 1;
        };
        dense({channels, out(from.height, height, down), out(from.width, width, right)}, height,
              width, down, right, padding, dilation, groups, bias);
    }

    // A linear layer.
    void linear(int channels) {
        const MapShape from = shapes_.back();
        dense({channels, 1, 1}, from.height, from.width, 1, 1, 0, 1, 1, true);
    }

    void norm_activation(int first, int second, float dropout, bool normalises,
                         bool drops_channels = false) {
        NormActivationArgs args{};
        args.drops_channels = drops_channels;
        args.source = last();
        args.target = add_map(shapes_.back());
        args.first_activation = first;
        args.second_activation = second;
        args.dropout = dropout;
        const size_t channels = shapes_.back().channels;
        if (normalises) {
            args.normalises = 1;
            args.scale = parameter(channels, 0.2f, 1.0f);
            args.shift = parameter(channels, 0.2f, 0.0f);
            args.running_mean = buffer(channels, 0.0f);
            args.running_variance = buffer(channels, 1.0f);
            counts_.push_back(std::make_unique<int64_t>(0));
            args.batches = counts_.back().get();
            args.momentum = 0.1f;
            args.epsilon = 1e-5f;
        }
        SUCCEED(flyweight_add_norm_activation(network_, &args));
    }

    void pooling(int height, int width, bool takes_largest) {
        pooling(height, width, height, width, 0, takes_largest);
    }

    void pooling(int height, int width, int down, int right, int padding, bool takes_largest) {
        const MapShape from = shapes_.back();
        const int source = last();
        const int target = add_map({from.channels, (from.height + 2 * padding - height) / down + 1,
                                    (from.width + 2 * padding - width) / right + 1});
        const PoolingArgs args{source, target,  height,  width,        down,
                               right,  padding, padding, takes_largest};
        SUCCEED(flyweight_add_pooling(network_, &args));
    }

    // Adds an earlier map of the same shape to the last one.
    void addition(int earlier) {
        const int source = last();
        const AdditionArgs args{source, earlier, add_map(shapes_.back())};
        SUCCEED(flyweight_add_addition(network_, &args));
    }

    void step(float rate) {
        for (auto& trained : parameters_)
            for (size_t i = 0; i < trained->values.size(); ++i) {
                trained->values[i] -= rate * trained->gradient[i];
                trained->gradient[i] = 0.0f;
            }
    }

    // Every parameter, gradient and statistic.
    std::vector<float> state() const {
        std::vector<float> all;
        for (const auto& trained : parameters_) {
            all.insert(all.end(), trained->values.begin(), trained->values.end());
            all.insert(all.end(), trained->gradient.begin(), trained->gradient.end());
        }
        for (const auto& buffer : buffers_) all.insert(all.end(), buffer->begin(), buffer->end());
        for (const auto& count : counts_) all.push_back(static_cast<float>(*count));
        return all;
    }

private:
    int add_map(MapShape shape) {
        shapes_.push_back(shape);
        SUCCEED(flyweight_add_map(network_, &shape));
        return last();
    }

    void dense(MapShape shape, int height, int width, int down, int right, int padding,
               int dilation, int groups, bool bias) {
        const int inputs = shapes_.back().channels / groups, elements = height * width;
        ConvolutionArgs args{};
        args.source = last();
        args.target = add_map(shape);
        args.height = height;
        args.width = width;
        args.stride_height = down;
        args.stride_width = right;
        args.padding_height = args.padding_width = padding;
        args.dilation_height = args.dilation_width = dilation;
        args.groups = groups;
        args.output_stride = int64_t{inputs} * elements;
        args.input_stride = elements;
        args.element_stride = 1;
        const float scale = 1.0f / std::sqrt(static_cast<float>(inputs * elements));
        args.weight = parameter(static_cast<size_t>(shape.channels) * inputs * elements, scale, 0);
        if (bias) args.bias = parameter(shape.channels, 0.1f, 0.0f);
        SUCCEED(flyweight_add_convolution(network_, &args));
    }

    ParameterView parameter(size_t count, float scale, float offset) {
        auto trained = std::make_unique<Trained>();
        trained->values = noise_.vector(count);
        for (float& value : trained->values) value = value * scale + offset;
        trained->gradient.assign(count, 0.0f);
        parameters_.push_back(std::move(trained));
        return {parameters_.back()->values.data(), parameters_.back()->gradient.data()};
    }

    float* buffer(size_t count, float value) {
        buffers_.push_back(std::make_unique<std::vector<float>>(count, value));
        return buffers_.back()->data();
    }

    Noise noise_;
    Network* network_ = nullptr;
    std::vector<MapShape> shapes_;
    std::vector<std::unique_ptr<Trained>> parameters_;
    std::vector<std::unique_ptr<std::vector<float>>> buffers_;
    std::vector<std::unique_ptr<int64_t>> counts_;
};

struct Case {
    const char* name;
    MapShape input;
    std::function<void(Model&)> layers;
};

std::vector<Case> cases() {
    std::vector<Case> all{
        {"winograd, norms, dropout, max pooling",
         {3, 10, 9},
         [](Model& m) {
             m.convolution(8, 3, 1, 1, 1, true);
             m.norm_activation(1, 0, 0.2f, true);
             m.convolution(13, 3, 1, 0, 1, false);
             m.norm_activation(0, 3, 0.1f, true);
             m.pooling(2, 2, true);
             m.linear(5);
         }},
        {"depthwise, strides, skip, average pooling",
         {4, 9, 11},
         [](Model& m) {
             m.convolution(6, 3, 1, 1, 1, false);
             const int skip = m.last();
             m.convolution(6, 5, 1, 2, 6, true);
             m.addition(skip);
             m.norm_activation(2, 0, 0.0f, false);
             m.convolution(7, 3, 2, 1, 1, true);
             m.pooling(3, 2, false);
             m.linear(4);
         }},
        {"oblong, dilated, channels dropped, windows that overlap",
         {3, 13, 9},
         [](Model& m) {
             m.convolution(6, 5, 2, 2, 1, 2, 1, 1, true);
             m.norm_activation(1, 0, 0.3f, true, true);
             m.convolution(6, 3, 3, 1, 1, 2, 2, 1, false);
             m.pooling(3, 3, 2, 1, 1, true);
             m.convolution(6, 3, 2, 1, 2, 1, 2, 6, true);
             m.pooling(2, 2, 1, 2, 1, false);
             m.linear(4);
         }},
        {"groups, whole kernels, norms alone",
         {6, 7, 8},
         [](Model& m) {
             m.norm_activation(0, 0, 0.0f, true);
             m.convolution(12, 3, 1, 2, 3, true);
             m.norm_activation(0, 4, 0.3f, false);
             m.convolution(18, 2, 2, 0, 6, false);
             m.norm_activation(0, 1, 0.0f, true);
             m.convolution(5, 1, 1, 0, 1, true);
             m.pooling(4, 5, true);
         }},
    };
    for (int activation = 1; flyweight_activation_name(activation); ++activation)
        all.push_back({flyweight_activation_name(activation), {2, 6, 5}, [=](Model& m) {
                           m.norm_activation(activation, 0, 0.1f, true);
                           m.convolution(4, 3, 1, 1, 1, true);
                           m.norm_activation(0, activation, 0.1f, true);
                           m.linear(3);
                       }});
    return all;
}

constexpr int kImages = 70;

// Trains for some steps; returns losses, logits and all that the network learned.
std::vector<float> train(const Case& each, int threads) {
    Model model(each.input, threads);
    each.layers(model);
    SUCCEED(flyweight_finish(model.network(), kImages));
    const MapShape& shape = each.input;
    const int64_t plane = int64_t{shape.height} * shape.width, size = shape.channels * plane;
    Noise noise(3);
    const std::vector<float> images = noise.vector(kImages * size);
    std::vector<int64_t> labels(kImages);
    for (int i = 0; i < kImages; ++i) labels[i] = i % model.classes();
    std::vector<float> figures;
    // In heap memory of the very size, so that a sanitizer sees what reaches beyond.
    for (int step = 0; step < 4; ++step) {
        const int count = kImages - 17 * step;
        const std::vector<float> some(images.begin(), images.begin() + count * size);
        const PixelsView view{some.data(), size, plane, shape.width, 1, count};
        float loss = 0;
        int64_t correct = 0;
        SUCCEED(flyweight_forward_backward(model.network(), &view, labels.data(), 100 + step, 0.1,
                                           &loss, &correct));
        expect(std::isfinite(loss) && correct >= 0 && correct <= count, each.name);
        model.step(0.1f);
        figures.push_back(loss);
        figures.push_back(static_cast<float>(correct));
        std::vector<float> logits(static_cast<size_t>(count) * model.classes());
        SUCCEED(flyweight_infer(model.network(), &view, logits.data()));
        figures.insert(figures.end(), logits.begin(), logits.end());
        SUCCEED(flyweight_forward(model.network(), &view, 5, logits.data()));
        figures.insert(figures.end(), logits.begin(), logits.end());
        const std::vector<float> upstream = noise.vector(logits.size());
        SUCCEED(flyweight_backward(model.network(), upstream.data()));
    }
    const std::vector<float> state = model.state();
    figures.insert(figures.end(), state.begin(), state.end());
    return figures;
}

bool same_bits(const std::vector<float>& one, const std::vector<float>& other) {
    return one.size() == other.size() &&
           !std::memcmp(one.data(), other.data(), one.size() * sizeof(float));
}

void compare_threads() {
    for (const Case& each : cases()) {
        const std::vector<float> alone = train(each, 1);
        for (int threads : {2, 4})
            expect(same_bits(train(each, threads), alone), std::string(each.name) + ": " +
                                                               std::to_string(threads) +
                                                               " threads change the figures");
    }
}

// Steps until the loss has fallen: the gradients point the right way.
void learn() {
    Model model({1, 6, 6}, 2);
    model.convolution(6, 3, 1, 1, 1, true);
    model.norm_activation(1, 0, 0.0f, true);
    model.linear(3);
    SUCCEED(flyweight_finish(model.network(), 48));
    const std::vector<float> images = Noise(4).vector(48 * 36);
    std::vector<int64_t> labels(48);
    for (int i = 0; i < 48; ++i) labels[i] = i % 3;
    const PixelsView view{images.data(), 36, 36, 6, 1, 48};
    float first = 0, loss = 0;
    int64_t correct = 0;
    for (int step = 0; step < 60; ++step) {
        SUCCEED(flyweight_forward_backward(model.network(), &view, labels.data(), step, 0.0, &loss,
                                           &correct));
        if (!step) first = loss;
        model.step(0.3f);
    }
    expect(loss < 0.5f * first && correct > 24, "the loss does not fall");
}

void refuse(Status status, const char* call, Status wanted = kInvalidArgument) {
    expect(status == wanted && *flyweight_last_error(), std::string("not refused: ") + call);
}
#define REFUSE(call) refuse(call, #call)

void refuse_null_pointers() {
    Network* none = nullptr;
    const MapShape shape{1, 2, 2};
    const PixelsView view{};
    const ConvolutionArgs convolution{};
    const NormActivationArgs norm_activation{};
    const PoolingArgs pooling{};
    const AdditionArgs addition{};
    float values[4] = {};
    int64_t labels[4] = {};
    REFUSE(flyweight_new(1, nullptr));
    SUCCEED(flyweight_free(nullptr));
    REFUSE(flyweight_add_map(none, &shape));
    REFUSE(flyweight_add_convolution(none, &convolution));
    REFUSE(flyweight_add_norm_activation(none, &norm_activation));
    REFUSE(flyweight_add_pooling(none, &pooling));
    REFUSE(flyweight_add_addition(none, &addition));
    REFUSE(flyweight_finish(none, 1));
    REFUSE(flyweight_forward(none, &view, 0, values));
    REFUSE(flyweight_backward(none, values));
    REFUSE(flyweight_forward_backward(none, &view, labels, 0, 0.0, values, labels));
    REFUSE(flyweight_infer(none, &view, values));
    Network* network = nullptr;
    SUCCEED(flyweight_new(1, &network));
    REFUSE(flyweight_add_map(network, nullptr));
    REFUSE(flyweight_add_convolution(network, nullptr));
    REFUSE(flyweight_add_norm_activation(network, nullptr));
    REFUSE(flyweight_add_pooling(network, nullptr));
    REFUSE(flyweight_add_addition(network, nullptr));
    REFUSE(flyweight_forward(network, nullptr, 0, values));
    REFUSE(flyweight_forward(network, &view, 0, values));
    REFUSE(flyweight_backward(network, nullptr));
    REFUSE(flyweight_backward(network, values));
    REFUSE(flyweight_infer(network, nullptr, values));
    REFUSE(flyweight_infer(network, &view, values));
    SUCCEED(flyweight_free(network));
    expect(flyweight_struct_size(nullptr) == 0, "a struct without a name");
    expect(flyweight_struct_size("nothing") == 0, "a struct of no such name");
    expect(!flyweight_activation_name(-1) && !flyweight_activation_name(INT_MAX), "activations");
}

void refuse_wrong_descriptions() {
    Network* network = nullptr;
    for (int threads : {INT_MIN, 0, INT_MAX}) REFUSE(flyweight_new(threads, &network));
    SUCCEED(flyweight_new(1, &network));
    for (const MapShape& shape : {MapShape{0, 1, 1}, MapShape{1, -1, 1}, MapShape{1, INT_MAX, 1},
                                  MapShape{1 << 20, 1 << 20, 1 << 20}})
        REFUSE(flyweight_add_map(network, &shape));
    for (const MapShape& shape : {MapShape{4, 6, 6}, MapShape{4, 6, 6}, MapShape{2, 3, 3}})
        SUCCEED(flyweight_add_map(network, &shape));
    const std::vector<float> weight(4 * 4 * 9);
    ConvolutionArgs good{};
    good.target = 1;
    good.height = good.width = 3;
    good.stride_height = good.stride_width = good.dilation_height = good.dilation_width = 1;
    good.padding_height = good.padding_width = good.groups = 1;
    good.output_stride = 36;
    good.input_stride = 9;
    good.element_stride = 1;
    good.weight.values = weight.data();
    const std::vector<std::function<void(ConvolutionArgs&)>> mistakes{
        [](auto& args) { args.source = -1; },
        [](auto& args) { args.source = 3; },
        [](auto& args) { args.source = INT_MIN; },
        [](auto& args) { args.source = 2; },
        [](auto& args) { args.target = 0; },
        [](auto& args) { args.target = 3; },
        [](auto& args) { args.target = 2; },
        [](auto& args) { args.height = 0; },
        [](auto& args) { args.width = 5; },
        [](auto& args) { args.height = args.width = INT_MAX; },
        [](auto& args) { args.stride_height = 0; },
        [](auto& args) { args.stride_width = INT_MIN; },
        [](auto& args) { args.dilation_height = 0; },
        [](auto& args) { args.dilation_width = INT_MAX; },
        [](auto& args) { args.dilation_width = 2; },
        [](auto& args) { args.padding_height = -1; },
        [](auto& args) { args.padding_width = INT_MAX; },
        [](auto& args) { args.groups = 0; },
        [](auto& args) { args.groups = 3; },
        [](auto& args) { args.weight.values = nullptr; },
    };
    for (const auto& make : mistakes) {
        ConvolutionArgs args = good;
        make(args);
        REFUSE(flyweight_add_convolution(network, &args));
    }
    NormActivationArgs norm{};
    norm.target = 1;
    for (int activation : {-1, INT_MAX}) {
        norm.first_activation = activation;
        REFUSE(flyweight_add_norm_activation(network, &norm));
    }
    norm.first_activation = norm.second_activation = 1;
    REFUSE(flyweight_add_norm_activation(network, &norm));
    norm.second_activation = 0;
    for (float rate : {-0.1f, 1.0f, NAN}) {
        norm.dropout = rate;
        REFUSE(flyweight_add_norm_activation(network, &norm));
    }
    norm.dropout = 0.0f;
    norm.normalises = 1;
    REFUSE(flyweight_add_norm_activation(network, &norm));
    for (const PoolingArgs& args :
         {PoolingArgs{0, 9, 2, 2, 2, 2, 0, 0, 1}, PoolingArgs{0, 2, 0, 2, 1, 1, 0, 0, 1},
          PoolingArgs{0, 2, 2, 2, 2, 2, 0, 0, 1}, PoolingArgs{0, 1, 7, 7, 7, 7, 0, 0, 0},
          PoolingArgs{-5, 1, 1, 1, 1, 1, 0, 0, 0}, PoolingArgs{0, 1, 1, 1, 0, 1, 0, 0, 0},
          PoolingArgs{0, 1, 1, 1, 1, INT_MIN, 0, 0, 0}, PoolingArgs{0, 1, 3, 3, 1, 1, 2, 2, 1},
          PoolingArgs{0, 1, 3, 3, 1, 1, -1, 1, 1}, PoolingArgs{0, 1, 3, 3, 1, 1, 1, INT_MAX, 1}})
        REFUSE(flyweight_add_pooling(network, &args));
    for (const AdditionArgs& args : {AdditionArgs{0, 0, 2}, AdditionArgs{0, 4, 1},
                                     AdditionArgs{0, 1, 1}, AdditionArgs{0, 0, 0}})
        REFUSE(flyweight_add_addition(network, &args));
    REFUSE(flyweight_finish(network, 4));
    SUCCEED(flyweight_add_convolution(network, &good));
    REFUSE(flyweight_add_convolution(network, &good));
    REFUSE(flyweight_finish(network, 4));
    SUCCEED(flyweight_free(network));
}

void refuse_wrong_batches() {
    Model model({1, 2, 2}, 1);
    model.linear(3);
    REFUSE(flyweight_finish(model.network(), 0));
    REFUSE(flyweight_finish(model.network(), INT_MAX));
    SUCCEED(flyweight_finish(model.network(), 20));
    REFUSE(flyweight_finish(model.network(), 20));
    const MapShape shape{1, 1, 1};
    REFUSE(flyweight_add_map(model.network(), &shape));
    const std::vector<float> images = Noise(1).vector(21 * 4);
    std::vector<float> logits(21 * 3), gradient(21 * 3);
    std::vector<int64_t> labels(20);
    float loss = 0;
    int64_t correct = 0;
    PixelsView view{images.data(), 4, 4, 2, 1, 21};
    for (int count : {21, 0, -1, INT_MAX}) {
        view.images = count;
        REFUSE(flyweight_forward(model.network(), &view, 0, logits.data()));
        REFUSE(flyweight_forward_backward(model.network(), &view, labels.data(), 0, 0.0, &loss,
                                          &correct));
    }
    view.images = 20;
    REFUSE(flyweight_forward(model.network(), &view, 0, nullptr));
    REFUSE(flyweight_backward(model.network(), gradient.data()));
    REFUSE(flyweight_forward_backward(model.network(), &view, nullptr, 0, 0.0, &loss, &correct));
    for (int64_t label : {int64_t{3}, int64_t{-1}, INT64_MAX, INT64_MIN}) {
        labels[19] = label;
        refuse(flyweight_forward_backward(model.network(), &view, labels.data(), 0, 0.0, &loss,
                                          &correct),
               "a label that is no class", kNoSuchClass);
    }
    SUCCEED(flyweight_forward(model.network(), &view, 0, logits.data()));
    SUCCEED(flyweight_backward(model.network(), gradient.data()));
    view.images = 21;
    SUCCEED(flyweight_infer(model.network(), &view, logits.data()));
    REFUSE(flyweight_backward(model.network(), gradient.data()));
    view.images = 0;
    SUCCEED(flyweight_infer(model.network(), &view, logits.data()));
}

// More memory than any machine has is refused, and what was allocated is freed.
void run_out_of_memory() {
    Model model({1, 512, 512}, 1);
    model.convolution(4, 3, 1, 1, 1, false);
    model.pooling(512, 512, false);
    refuse(flyweight_finish(model.network(), 1 << 30), "a batch of 2**30 images", kNoMemory);
    float logits[4];
    const PixelsView view{logits, 0, 0, 0, 0, 1};
    REFUSE(flyweight_infer(model.network(), &view, logits));
}

void exercise_pool() {
    for (int threads : {1, 2, 4, 7}) {
        for (int count = 0; count < 60; ++count) {
            ThreadPool pool(threads);
            std::vector<int> done(count);
            for (int run = 0; run < 20; ++run) pool.run(count, [&](int b, int) { ++done[b]; });
            for (int times : done) expect(times == 20, "a block was not done once per run");
        }
        ThreadPool pool(threads);
        for (int run = 0; run < 200; ++run) {
            std::atomic<int> done{0};
            bool thrown = false;
            try {
                pool.run(16, [&](int block, int) {
                    if (block % 5 == run % 5) throw std::runtime_error("this block");
                    ++done;
                });
            } catch (const std::runtime_error&) {
                thrown = true;
            }
            expect(thrown && done >= 12, "a failure did not reach the caller");
        }
    }
}

}  // namespace

int main() {
    exercise_pool();
    compare_threads();
    learn();
    refuse_null_pointers();
    refuse_wrong_descriptions();
    refuse_wrong_batches();
    run_out_of_memory();
    std::puts("ok");
    return 0;
}
