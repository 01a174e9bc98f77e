// Kernels: torch registers them when it is loaded, and launches them by what nvcc generates.
#include <cstring>
#include <unordered_map>

#include "state.h"

namespace hollow {
namespace {

// A kernel's name by the address of its function on the host.
std::unordered_map<const void*, const char*>& kernels() {
    static auto* all = new std::unordered_map<const void*, const char*>;
    return *all;
}

std::string name_of(const void* function) {
    auto found = kernels().find(function);
    return found == kernels().end() ? "a kernel that was not registered" : found->second;
}

struct Configuration {
    dim3 grid, block;
    std::size_t shared;
    void* stream;
};

// What <<<...>>> holds, until the call that it belongs to takes it.
thread_local std::vector<Configuration> configurations;

cudaError_t launch(const void* function, dim3 grid, dim3 block, cudaStream_t stream) {
    Lock lock;
    if (grid.x * grid.y * grid.z == 0 || block.x * block.y * block.z == 0)
        return fail(cudaErrorInvalidConfiguration);
    return enqueue(Kind::kernel, stream, 0, name_of(function));
}

}  // namespace
}  // namespace hollow

using namespace hollow;

API void** __cudaRegisterFatBinary(void*) {
    static void* handle;
    return &handle;
}

API void __cudaRegisterFatBinaryEnd(void**) {}

API void __cudaUnregisterFatBinary(void**) {}

API void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) {}

API void __cudaRegisterFunction(void**, const char* function, char*, const char* name, int, uint3*,
                                uint3*, dim3*, dim3*, int*) {
    Lock lock;
    kernels()[function] = name;
}

API unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void* stream) {
    configurations.push_back({grid, block, shared, stream});
    return 0;
}

API cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
    const Configuration last = configurations.back();
    configurations.pop_back();
    *grid = last.grid;
    *block = last.block;
    *shared = last.shared;
    *static_cast<void**>(stream) = last.stream;
    return cudaSuccess;
}

// A kernel's handle is the address of its function.
API cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
    *kernel = static_cast<cudaKernel_t>(const_cast<void*>(function));
    return cudaSuccess;
}

API cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void**, size_t,
                                   cudaStream_t stream) {
    return launch(kernel, grid, block, stream);
}

API cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void**, size_t,
                                 cudaStream_t stream) {
    return launch(function, grid, block, stream);
}

API cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function,
                                    void**) {
    return launch(function, config->gridDim, config->blockDim, config->stream);
}

API cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
    // What runs on the host could run here; a graph would run it at every launch, and does not.
    if (!is_capturing(stream)) function(data);
    return enqueue(Kind::host_function, stream, 0, "cudaLaunchHostFunc");
}

API cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) { return cudaSuccess; }

API cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t, cudaFuncAttribute, int, int) {
    return cudaSuccess;
}

API cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
    std::memset(attributes, 0, sizeof *attributes);
    attributes->maxThreadsPerBlock = 1024;
    attributes->numRegs = 32;
    attributes->binaryVersion = attributes->ptxVersion = 90;
    attributes->maxDynamicSharedSizeBytes = 48 << 10;
    return cudaSuccess;
}

API cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* count, const void*,
                                                                       int threads, size_t,
                                                                       unsigned) {
    *count = threads > 0 ? 2048 / threads : 1;
    return cudaSuccess;
}

API cudaError_t cudaGetSymbolAddress(void** pointer, const void* symbol) {
    *pointer = const_cast<void*>(symbol);
    return cudaSuccess;
}
