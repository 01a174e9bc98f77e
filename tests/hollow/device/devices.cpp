// The devices: how many, which one a thread uses, and what they say of themselves.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include "state.h"

// The header gives this name to the version of the function that fits its struct.
#undef cudaGetDeviceProperties

namespace hollow {
namespace {

thread_local int device_of_thread = 0;
thread_local cudaError_t last_error = cudaSuccess;

constexpr int kMultiprocessors = 132;
constexpr int kThreadsPerMultiprocessor = 2048;
constexpr int kThreadsPerBlock = 1024;
constexpr int kWarp = 32;
constexpr int kRegisters = 65536;
constexpr int kSharedPerBlock = 48 << 10;
constexpr int kSharedOptIn = 227 << 10;
constexpr int kSharedPerMultiprocessor = 228 << 10;
constexpr int kMajor = 9;
constexpr int kCuda = 13000;

}  // namespace

Lock::Lock() {
    static auto* mutex = new std::recursive_mutex;
    held_ = std::unique_lock(*mutex);
}

cudaError_t fail(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

int device_count() {
    static const int count = [] {
        const char* wanted = std::getenv("HOLLOW_DEVICES");
        return wanted == nullptr ? 1 : std::atoi(wanted);
    }();
    return count;
}

int current_device() { return device_of_thread; }

namespace {

std::set<int>& contexts() {
    static auto* all = new std::set<int>;
    return *all;
}

}  // namespace

bool has_context(int device) {
    Lock lock;
    return contexts().count(device) > 0;
}

void open_context(int device) {
    Lock lock;
    if (contexts().insert(device).second) record(Kind::create, place_now(), 0, "context");
}

}  // namespace hollow

using hollow::fail;
using hollow::last_error;

API cudaError_t cudaGetDeviceCount(int* count) {
    *count = hollow::device_count();
    return *count > 0 ? cudaSuccess : fail(cudaErrorNoDevice);
}

API cudaError_t cudaGetDevice(int* device) {
    *device = hollow::device_of_thread;
    return cudaSuccess;
}

API cudaError_t cudaSetDevice(int device) {
    if (device < 0 || device >= hollow::device_count()) return fail(cudaErrorInvalidDevice);
    hollow::device_of_thread = device;
    hollow::open_context(device);
    return cudaSuccess;
}

API cudaError_t cudaDriverGetVersion(int* version) {
    *version = hollow::kCuda;
    return cudaSuccess;
}

API cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = hollow::kCuda;
    return cudaSuccess;
}

API cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
    std::memset(p, 0, sizeof *p);
    std::strcpy(p->name, "Hollow GPU");
    p->pciBusID = device + 1;
    p->uuid.bytes[0] = static_cast<char>(device + 1);
    p->totalGlobalMem = hollow::memory_limit(device);
    p->major = hollow::kMajor;
    p->multiProcessorCount = hollow::kMultiprocessors;
    p->maxBlocksPerMultiProcessor = 32;
    p->maxThreadsPerMultiProcessor = hollow::kThreadsPerMultiprocessor;
    p->maxThreadsPerBlock = hollow::kThreadsPerBlock;
    p->maxThreadsDim[0] = p->maxThreadsDim[1] = hollow::kThreadsPerBlock;
    p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 0x7fffffff;
    p->maxGridSize[1] = p->maxGridSize[2] = 0xffff;
    p->warpSize = hollow::kWarp;
    p->regsPerBlock = p->regsPerMultiprocessor = hollow::kRegisters;
    p->sharedMemPerBlock = hollow::kSharedPerBlock;
    p->sharedMemPerBlockOptin = hollow::kSharedOptIn;
    p->sharedMemPerMultiprocessor = hollow::kSharedPerMultiprocessor;
    p->totalConstMem = 64 << 10;
    p->l2CacheSize = 50 << 20;
    p->memoryBusWidth = 5120;
    p->textureAlignment = 512;
    p->unifiedAddressing = p->canMapHostMemory = p->concurrentKernels = p->managedMemory = 1;
    return cudaSuccess;
}

API cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    *value = [attribute] {
        switch (attribute) {
            case cudaDevAttrComputeCapabilityMajor: return hollow::kMajor;
            case cudaDevAttrMultiProcessorCount: return hollow::kMultiprocessors;
            case cudaDevAttrMaxThreadsPerMultiProcessor: return hollow::kThreadsPerMultiprocessor;
            case cudaDevAttrMaxThreadsPerBlock: return hollow::kThreadsPerBlock;
            case cudaDevAttrWarpSize: return hollow::kWarp;
            case cudaDevAttrMaxSharedMemoryPerBlock: return hollow::kSharedPerBlock;
            case cudaDevAttrMaxSharedMemoryPerBlockOptin: return hollow::kSharedOptIn;
            case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
                return hollow::kSharedPerMultiprocessor;
            default: return 0;
        }
    }();
    return cudaSuccess;
}

API cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
    std::snprintf(text, length, "0000:%02x:00.0", device + 1);
    return cudaSuccess;
}

API cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
    *can = 0;
    return cudaSuccess;
}

API cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
}

API cudaError_t cudaGetLastError() {
    const cudaError_t error = hollow::last_error;
    hollow::last_error = cudaSuccess;
    return error;
}

API cudaError_t cudaPeekAtLastError() { return hollow::last_error; }

API const char* cudaGetErrorString(cudaError_t error) {
    switch (error) {
        case cudaSuccess: return "no error";
        case cudaErrorInvalidValue: return "invalid argument";
        case cudaErrorMemoryAllocation: return "out of memory";
        case cudaErrorInvalidDevice: return "invalid device ordinal";
        case cudaErrorNoDevice: return "no CUDA-capable device is detected";
        case cudaErrorInvalidResourceHandle: return "invalid resource handle";
        case cudaErrorIllegalState: return "the operation cannot be performed in the present state";
        case cudaErrorStreamCaptureUnsupported:
            return "operation not permitted when stream is capturing";
        case cudaErrorStreamCaptureInvalidated:
            return "operation failed due to a previous error during capture";
        case cudaErrorStreamCaptureMerge:
            return "operation would result in a merge of separate capture sequences";
        case cudaErrorStreamCaptureUnmatched:
            return "capture was not ended in the same stream as it began";
        case cudaErrorStreamCaptureUnjoined: return "capturing stream has unjoined work";
        case cudaErrorStreamCaptureIsolation:
            return "dependency created on uncaptured work in another stream";
        case cudaErrorStreamCaptureImplicit:
            return "operation would make the legacy stream depend on a capturing blocking stream";
        case cudaErrorStreamCaptureWrongThread:
            return "attempt to terminate a thread-local capture sequence from another thread";
        case cudaErrorCapturedEvent:
            return "operation not permitted on an event last recorded in a capturing stream";
        default: return "an error that the hollow device has no words for";
    }
}

API const char* cudaGetErrorName(cudaError_t error) { return cudaGetErrorString(error); }

API cudaError_t cudaProfilerStart() { return cudaSuccess; }

API cudaError_t cudaProfilerStop() { return cudaSuccess; }
