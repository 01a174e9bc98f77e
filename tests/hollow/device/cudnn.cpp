// cuDNN: descriptors that hold their attributes, and plans that are written down when they run.
//
// torch describes a convolution as a graph of descriptors, asks for engines that compute it, makes
// a plan of the first one and runs the plan. Here every graph has one engine.
#include <cstdint>
#include <cstring>
#include <map>

#include "state.h"

namespace {

using hollow::Kind;
using hollow::Thing;

constexpr int kVersion = 92400;
constexpr int kExecutionFailed = 5000;
constexpr std::int64_t kWorkspace = 4096;

struct Handle {
    cudaStream_t stream = nullptr;
};

// Of cudnnBackendDescriptorType_t.
enum DescriptorType {
    EXECUTION_PLAN = 5,
    CONVOLUTION_FORWARD = 10,
    CONVOLUTION_BACKWARD_FILTER = 11,
    CONVOLUTION_BACKWARD_DATA = 12,
};

// Of cudnnBackendAttributeName_t.
enum AttributeName {
    ENGINEHEUR_OPERATION_GRAPH = 201,
    ENGINEHEUR_RESULTS = 202,
    EXECUTION_PLAN_ENGINE_CONFIG = 401,
    EXECUTION_PLAN_WORKSPACE_SIZE = 402,
    OPERATIONGRAPH_OPS = 801,
};

// Of cudnnBackendAttributeType_t: those that are not four bytes wide.
enum AttributeType {
    HANDLE = 0,
    BOOLEAN = 2,
    INT64 = 3,
    DOUBLE = 5,
    VOID_PTR = 6,
    BACKEND_DESCRIPTOR = 15,
    CHAR = 24,
    FRACTION = 26,
};

std::size_t width(int type) {
    switch (type) {
        case HANDLE:
        case INT64:
        case DOUBLE:
        case VOID_PTR:
        case BACKEND_DESCRIPTOR: return 8;
        case BOOLEAN:
        case CHAR: return 1;
        case FRACTION: return 16;
        default: return 4;
    }
}

struct Attribute {
    std::int64_t count;
    std::vector<char> bytes;
};

struct Descriptor {
    int type;
    std::map<int, Attribute> attributes;
    int operation = 0;  // of an engine's configuration: the type of what it computes

    // The descriptor that an attribute holds, nullptr if there is none.
    const Descriptor* held(int name) const {
        auto found = attributes.find(name);
        if (found == attributes.end() || found->second.bytes.size() < sizeof(void*)) return nullptr;
        const Descriptor* descriptor;
        std::memcpy(&descriptor, found->second.bytes.data(), sizeof descriptor);
        return descriptor;
    }
};

const char* name_of(int operation) {
    switch (operation) {
        case CONVOLUTION_FORWARD: return "cudnn convolution forward";
        case CONVOLUTION_BACKWARD_FILTER: return "cudnn convolution backward filter";
        case CONVOLUTION_BACKWARD_DATA: return "cudnn convolution backward data";
        default: return "cudnn operation graph";
    }
}

int run(void* handle, const char* name) {
    const cudaStream_t stream = static_cast<Handle*>(handle)->stream;
    return hollow::enqueue(Kind::kernel, stream, 0, name) ? kExecutionFailed : 0;
}

}  // namespace

// A new handle takes memory of the device for itself, so it is refused like cudaMalloc.
API int cudnnCreate(void** handle) {
    if (hollow::unless_capturing("cudnnCreate")) return kExecutionFailed;
    *handle = new Handle;
    hollow::created(Thing::handle, "cudnn handle");
    return 0;
}

API int cudnnDestroy(void* handle) {
    delete static_cast<Handle*>(handle);
    hollow::destroyed(Thing::handle, "cudnn handle");
    return 0;
}

API int cudnnSetStream(void* handle, cudaStream_t stream) {
    static_cast<Handle*>(handle)->stream = stream;
    return 0;
}

API int cudnnGetStream(void* handle, cudaStream_t* stream) {
    *stream = static_cast<Handle*>(handle)->stream;
    return 0;
}

API std::size_t cudnnGetVersion() { return kVersion; }

API const char* cudnnGetErrorString(int) { return "an error of the hollow cuDNN"; }

API void cudnnGetLastErrorString(char* text, std::size_t length) {
    if (length > 0) text[0] = 0;
}

// --- the graph interface -------------------------------------------------------------------

API int cudnnBackendCreateDescriptor(int type, void** descriptor) {
    *descriptor = new Descriptor{type, {}};
    hollow::created(Thing::descriptor, "cudnn descriptor");
    return 0;
}

API int cudnnBackendDestroyDescriptor(void* descriptor) {
    delete static_cast<Descriptor*>(descriptor);
    hollow::destroyed(Thing::descriptor, "cudnn descriptor");
    return 0;
}

API int cudnnBackendFinalize(void* descriptor) {
    // The costly part of a shape's first convolution.
    if (static_cast<Descriptor*>(descriptor)->type == EXECUTION_PLAN)
        hollow::record(Kind::create, hollow::place_now(), 0, "cudnn plan");
    return 0;
}

API int cudnnBackendSetAttribute(void* descriptor, int name, int type, std::int64_t count,
                                 const void* values) {
    const char* bytes = static_cast<const char*>(values);
    static_cast<Descriptor*>(descriptor)->attributes[name] = {count,
                                                              {bytes, bytes + count * width(type)}};
    return 0;
}

API int cudnnBackendGetAttribute(void* asked, int name, int type, std::int64_t wanted,
                                 std::int64_t* count, void* values) {
    auto* descriptor = static_cast<Descriptor*>(asked);
    const auto give = [&](std::int64_t number, const void* from, std::size_t bytes) {
        if (count != nullptr) *count = number;
        if (values != nullptr && wanted > 0) std::memcpy(values, from, bytes);
        return 0;
    };
    if (name == ENGINEHEUR_RESULTS) {
        if (count != nullptr) *count = 1;
        if (values == nullptr || wanted == 0) return 0;
        const Descriptor* graph = descriptor->held(ENGINEHEUR_OPERATION_GRAPH);
        const Descriptor* operation = graph == nullptr ? nullptr : graph->held(OPERATIONGRAPH_OPS);
        auto* configuration = *static_cast<Descriptor**>(values);
        if (configuration != nullptr && operation != nullptr)
            configuration->operation = operation->type;
        return 0;
    }
    if (name == EXECUTION_PLAN_WORKSPACE_SIZE) return give(1, &kWorkspace, sizeof kWorkspace);
    auto found = descriptor->attributes.find(name);
    if (found != descriptor->attributes.end())
        return give(found->second.count, found->second.bytes.data(), found->second.bytes.size());
    // An engine's notes and knobs: none; its number: 0.
    const std::int64_t zero = 0;
    return type == INT64 ? give(1, &zero, sizeof zero) : give(0, &zero, 0);
}

API int cudnnBackendExecute(void* handle, void* plan, void*) {
    const auto* configuration = static_cast<Descriptor*>(plan)->held(EXECUTION_PLAN_ENGINE_CONFIG);
    return run(handle, name_of(configuration == nullptr ? 0 : configuration->operation));
}

// --- the older interface: batch normalisation and sampling ---------------------------------

#define DESCRIPTOR(thing)                                         \
    API int cudnnCreate##thing##Descriptor(void** descriptor) {   \
        *descriptor = new char;                                   \
        hollow::created(Thing::descriptor, "cudnn descriptor");   \
        return 0;                                                 \
    }                                                             \
    API int cudnnDestroy##thing##Descriptor(void* descriptor) {   \
        delete static_cast<char*>(descriptor);                    \
        hollow::destroyed(Thing::descriptor, "cudnn descriptor"); \
        return 0;                                                 \
    }
DESCRIPTOR(Tensor)
DESCRIPTOR(SpatialTransformer)

#define ACCEPTED(name) \
    API int name(...) { return 0; }
ACCEPTED(cudnnSetTensorNdDescriptor)
ACCEPTED(cudnnSetTensorNdDescriptorEx)
ACCEPTED(cudnnSetSpatialTransformerNdDescriptor)
ACCEPTED(cudnnDeriveBNTensorDescriptor)

API int cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(void*, int, int, void*, void*,
                                                                 void*, void*, void*,
                                                                 std::size_t* bytes) {
    *bytes = kWorkspace;
    return 0;
}

API int cudnnGetBatchNormalizationBackwardExWorkspaceSize(void*, int, int, void*, void*, void*,
                                                          void*, void*, void*, void*,
                                                          std::size_t* bytes) {
    *bytes = kWorkspace;
    return 0;
}

API int cudnnGetBatchNormalizationTrainingExReserveSpaceSize(void*, int, int, void*, void*,
                                                             std::size_t* bytes) {
    *bytes = kWorkspace;
    return 0;
}

#define KERNEL(name, text) \
    API int name(void* handle, ...) { return run(handle, text); }
KERNEL(cudnnBatchNormalizationForwardTrainingEx, "cudnn batch normalisation forward")
KERNEL(cudnnBatchNormalizationBackwardEx, "cudnn batch normalisation backward")
KERNEL(cudnnBatchNormalizationForwardInference, "cudnn batch normalisation inference")
KERNEL(cudnnSpatialTfSamplerForward, "cudnn grid sampler")
