// The C entry points: they check arguments, turn exceptions into status codes, and do nothing else.

#include "api.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>

#include "checks.h"
#include "kernels/activations.h"
#include "network.h"
#include "operations/addition.h"
#include "operations/convolution.h"
#include "operations/norm_activation.h"
#include "operations/pooling.h"

namespace flyweight {
namespace {

thread_local char last_error[256] = "";

Status fail(Status status, const char* message) {
    std::snprintf(last_error, sizeof last_error, "%s", message);
    return status;
}

// Runs `body` and returns what came of it; no exception may cross into C.
template <class Body>
Status guarded(const Body& body) noexcept {
    try {
        body();
        return kOk;
    } catch (const std::bad_alloc&) {
        return fail(kNoMemory, "not enough memory");
    } catch (const std::length_error&) {
        return fail(kNoMemory, "more elements than a vector can hold");
    } catch (const NoSuchClass& error) {
        return fail(kNoSuchClass, error.what());
    } catch (const std::invalid_argument& error) {
        return fail(kInvalidArgument, error.what());
    } catch (const std::exception& error) {
        return fail(kFailure, error.what());
    } catch (...) {
        return fail(kFailure, "an unknown exception");
    }
}

Parameter parameter(const ParameterView& view) { return {view.values, view.gradient}; }

// Images and logits must be somewhere, unless there are none.
void check_batch(const PixelsView& pixels, const float* logits) {
    if (!pixels.images) return;
    required(pixels.values, "pixels.values");
    required(logits, "logits");
}

void add(Network& network, const ConvolutionArgs& args) {
    Map &input = network.map(args.source), &output = network.map(args.target);
    check(args, input, output);
    const Kernel kernel{args.height,
                        args.width,
                        args.stride_height,
                        args.stride_width,
                        args.padding_height,
                        args.padding_width,
                        args.dilation_height,
                        args.dilation_width,
                        args.groups};
    const Strides strides{args.output_stride, args.input_stride, args.element_stride};
    // Nobody needs the gradient of the images.
    const bool passes_gradient = args.source != 0;
    network.add(std::make_unique<Convolution>(input, output, kernel, parameter(args.weight),
                                              strides, parameter(args.bias), passes_gradient),
                {args.source}, args.target);
}

void add(Network& network, const NormActivationArgs& args) {
    Map &input = network.map(args.source), &output = network.map(args.target);
    check(args, input, output);
    const Normalisation norm{parameter(args.scale), parameter(args.shift), args.running_mean,
                             args.running_variance, args.batches,          args.momentum,
                             args.epsilon};
    const DropoutSettings dropout{args.dropout, args.drops_channels != 0};
    network.add(std::make_unique<NormActivation>(
                    input, output, args.first_activation, args.normalises ? &norm : nullptr,
                    args.second_activation, dropout, network.operation_count()),
                {args.source}, args.target);
}

void add(Network& network, const PoolingArgs& args) {
    Map &input = network.map(args.source), &output = network.map(args.target);
    check(args, input, output);
    const Windows windows{input.channels,      input.height,      input.width,
                          output.height,       output.width,      args.height,
                          args.width,          args.stride_height, args.stride_width,
                          args.padding_height, args.padding_width};
    network.add(std::make_unique<Pooling>(input, output, windows, args.takes_largest != 0),
                {args.source}, args.target);
}

void add(Network& network, const AdditionArgs& args) {
    Map &left = network.map(args.left), &right = network.map(args.right);
    Map& output = network.map(args.target);
    check(args, left, right, output);
    network.add(std::make_unique<Addition>(left, right, output), {args.left, args.right},
                args.target);
}

template <class Args>
Status guarded_add(Network* network, const Args* args) {
    return guarded([&] { add(*required(network, "network"), *required(args, "args")); });
}

}  // namespace
}  // namespace flyweight

using flyweight::guarded;
using flyweight::Network;
using flyweight::required;
using flyweight::Status;

extern "C" {

int32_t flyweight_abi_version() { return flyweight::kAbiVersion; }

int64_t flyweight_struct_size(const char* name) {
    struct Size {
        const char* name;
        size_t bytes;
    };
    static constexpr Size kSizes[] = {
        {"PixelsView", sizeof(flyweight::PixelsView)},
        {"ParameterView", sizeof(flyweight::ParameterView)},
        {"MapShape", sizeof(flyweight::MapShape)},
        {"ConvolutionArgs", sizeof(flyweight::ConvolutionArgs)},
        {"NormActivationArgs", sizeof(flyweight::NormActivationArgs)},
        {"PoolingArgs", sizeof(flyweight::PoolingArgs)},
        {"AdditionArgs", sizeof(flyweight::AdditionArgs)},
    };
    for (const Size& size : kSizes)
        if (name && !std::strcmp(name, size.name)) return static_cast<int64_t>(size.bytes);
    return 0;
}

const char* flyweight_last_error() { return flyweight::last_error; }

const char* flyweight_activation_name(int32_t index) {
    return flyweight::activation_module(flyweight::Activations{}, index);
}

Status flyweight_new(int32_t threads, Network** network) {
    return guarded([&] {
        *required(network, "network") = nullptr;
        flyweight::require_in_range("the number of threads", threads, 1, flyweight::kMostThreads);
        *network = new Network(threads);
    });
}

Status flyweight_free(Network* network) {
    return guarded([&] {
        if (network && !network->is_forked_copy()) delete network;
    });
}

Status flyweight_add_map(Network* network, const flyweight::MapShape* shape) {
    return guarded([&] {
        flyweight::check(*required(shape, "shape"));
        required(network, "network")->add_map(shape->channels, shape->height, shape->width);
    });
}

Status flyweight_add_convolution(Network* network, const flyweight::ConvolutionArgs* args) {
    return flyweight::guarded_add(network, args);
}

Status flyweight_add_norm_activation(Network* network, const flyweight::NormActivationArgs* args) {
    return flyweight::guarded_add(network, args);
}

Status flyweight_add_pooling(Network* network, const flyweight::PoolingArgs* args) {
    return flyweight::guarded_add(network, args);
}

Status flyweight_add_addition(Network* network, const flyweight::AdditionArgs* args) {
    return flyweight::guarded_add(network, args);
}

Status flyweight_finish(Network* network, int32_t images) {
    return guarded([&] { required(network, "network")->finish(images); });
}

Status flyweight_forward(Network* network, const flyweight::PixelsView* pixels, uint64_t seed,
                         float* logits) {
    return guarded([&] {
        flyweight::check_batch(*required(pixels, "pixels"), logits);
        required(network, "network")->forward(*pixels, seed, logits);
    });
}

Status flyweight_backward(Network* network, const float* logits_gradient) {
    return guarded([&] {
        required(logits_gradient, "logits_gradient");
        required(network, "network")->backward(logits_gradient);
    });
}

Status flyweight_forward_backward(Network* network, const flyweight::PixelsView* pixels,
                                  const int64_t* labels, uint64_t seed, double smoothing,
                                  float* loss, int64_t* correct) {
    return guarded([&] {
        required(required(pixels, "pixels")->values, "pixels.values");
        required(labels, "labels");
        required(loss, "loss");
        required(correct, "correct");
        const flyweight::LossResult result =
            required(network, "network")->forward_backward(*pixels, labels, seed, smoothing);
        *loss = static_cast<float>(result.loss);
        *correct = result.correct;
    });
}

Status flyweight_infer(Network* network, const flyweight::PixelsView* pixels, float* logits) {
    return guarded([&] {
        flyweight::check_batch(*required(pixels, "pixels"), logits);
        required(network, "network")->infer(*pixels, logits);
    });
}
}
