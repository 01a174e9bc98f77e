// The C interface of the kernels. Python mirrors it in trainer/native/abi.py.
//
// Every function that can fail returns a Status; `flyweight_last_error` says why. No exception
// leaves the library. A network must not be used by two threads at a time.
//
// Whoever changes a struct, a status or a function here changes kAbiVersion and abi.py with it.
#pragma once

#include <cstdint>

namespace flyweight {

class Network;

constexpr int32_t kAbiVersion = 2;

enum Status : int32_t {
    kOk = 0,
    kNoMemory = 1,
    // A null pointer, a number out of range, or a call in the wrong order.
    kInvalidArgument = 2,
    // A label is not the number of a class.
    kNoSuchClass = 3,
    kFailure = 4,
};

// Images of float32 wherever they lie: where image i, channel c, row y and column x are is
// values + i * image + c * channel + y * row + x * column.
struct PixelsView {
    const float* values;
    int64_t image, channel, row, column;
    int32_t images;
};

// A parameter and its gradient, which backward adds to. Either may be null: there is no such
// parameter, or it is not trained.
struct ParameterView {
    const float* values;
    float* gradient;
};

struct MapShape {
    int32_t channels, height, width;
};

struct ConvolutionArgs {
    int32_t source, target;
    int32_t height, width, stride_height, stride_width, padding_height, padding_width;
    int32_t dilation_height, dilation_width, groups;
    // How far apart neighbours of the weight lie: (output, input of its group, kernel element).
    int64_t output_stride, input_stride, element_stride;
    ParameterView weight, bias;
};

// First activation, normalisation, second activation, dropout. One of the activations must be 0:
// none. Without normalisation all that follows `normalises` is ignored.
struct NormActivationArgs {
    int32_t source, target;
    int32_t first_activation, second_activation;
    float dropout;
    // Whether whole channels of an image are dropped; otherwise single values.
    int32_t drops_channels;
    int32_t normalises;
    ParameterView scale, shift;
    float *running_mean, *running_variance;
    int64_t* batches;
    float momentum, epsilon;
};

// Padding is at most half of the window.
struct PoolingArgs {
    int32_t source, target, height, width;
    int32_t stride_height, stride_width, padding_height, padding_width;
    // Whether the largest value of a window is taken; otherwise the mean, of the padding's zeros
    // too.
    int32_t takes_largest;
};

struct AdditionArgs {
    int32_t left, right, target;
};

}  // namespace flyweight

extern "C" {

// Version of this interface.
int32_t flyweight_abi_version();

// Bytes of one of the structs above, by its name; 0 if there is none of this name.
int64_t flyweight_struct_size(const char* name);

// Why the last call of this thread that returned an error failed.
const char* flyweight_last_error();

// The torch module that an activation equals, as it prints itself without `inplace`; null past the
// end of the list. Number 0 is no activation.
const char* flyweight_activation_name(int32_t index);

// Makes a network without maps.
flyweight::Status flyweight_new(int32_t threads, flyweight::Network** network);

// Frees a network; null is allowed. In a forked process it does nothing.
flyweight::Status flyweight_free(flyweight::Network* network);

// Adds a map. They are numbered from 0: the first is the input, the last holds the logits.
flyweight::Status flyweight_add_map(flyweight::Network* network, const flyweight::MapShape* shape);

// Add an operation, in an order in which each finds what it reads.
flyweight::Status flyweight_add_convolution(flyweight::Network* network,
                                            const flyweight::ConvolutionArgs* args);
flyweight::Status flyweight_add_norm_activation(flyweight::Network* network,
                                                const flyweight::NormActivationArgs* args);
flyweight::Status flyweight_add_pooling(flyweight::Network* network,
                                        const flyweight::PoolingArgs* args);
flyweight::Status flyweight_add_addition(flyweight::Network* network,
                                         const flyweight::AdditionArgs* args);

// Allocates what batches of up to `images` images need; nothing can be added from now on.
flyweight::Status flyweight_finish(flyweight::Network* network, int32_t images);

// Runs the network in training mode, and writes (images, classes) logits.
flyweight::Status flyweight_forward(flyweight::Network* network,
                                    const flyweight::PixelsView* pixels, uint64_t seed,
                                    float* logits);

// Adds the gradients of the parameters, from the (images, classes) gradient of the logits of the
// last forward.
flyweight::Status flyweight_backward(flyweight::Network* network, const float* logits_gradient);

// Runs forward, cross entropy and backward. Writes the mean loss and the number of images whose
// label has the largest logit.
flyweight::Status flyweight_forward_backward(flyweight::Network* network,
                                             const flyweight::PixelsView* pixels,
                                             const int64_t* labels, uint64_t seed, double smoothing,
                                             float* loss, int64_t* correct);

// Runs the network in evaluation mode on any number of images, and writes (images, classes) logits.
flyweight::Status flyweight_infer(flyweight::Network* network, const flyweight::PixelsView* pixels,
                                  float* logits);
}
