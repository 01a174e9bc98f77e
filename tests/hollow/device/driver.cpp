// libcuda, which torch opens for its compiler of kernels and for the state of a device's context.
//
// The library that is built here has the name libcuda.so.1, so a loader that looks for one takes
// it. What is not here is in no driver, so a use of it fails and is seen.
#include <dlfcn.h>

#include "state.h"

namespace {

constexpr int kNotSupported = 801;

}  // namespace

API int cuInit(unsigned) { return 0; }

API int cuCtxGetCurrent(void** context) {
    static int only;
    *context = &only;
    return 0;
}

API int cuCtxSetCurrent(void*) { return 0; }

API int cuDeviceGet(int* device, int index) {
    *device = index;
    return 0;
}

API int cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
    *flags = 0;
    *active = hollow::has_context(device);
    return 0;
}

// Kernels that are compiled while the program runs: there is no compiler for the hollow device.
#define NOT_SUPPORTED(name) \
    API int name(...) { return kNotSupported; }
NOT_SUPPORTED(cuDeviceGetAttribute)
NOT_SUPPORTED(cuDevicePrimaryCtxRetain)
NOT_SUPPORTED(cuFuncGetAttribute)
NOT_SUPPORTED(cuFuncSetAttribute)
NOT_SUPPORTED(cuFuncSetCacheConfig)
NOT_SUPPORTED(cuGetErrorString)
NOT_SUPPORTED(cuLaunchCooperativeKernel)
NOT_SUPPORTED(cuLaunchKernel)
NOT_SUPPORTED(cuLinkAddData_v2)
NOT_SUPPORTED(cuLinkComplete)
NOT_SUPPORTED(cuLinkCreate_v2)
NOT_SUPPORTED(cuModuleGetFunction)
NOT_SUPPORTED(cuModuleLoad)
NOT_SUPPORTED(cuModuleLoadData)
NOT_SUPPORTED(cuModuleLoadDataEx)
NOT_SUPPORTED(cuModuleUnload)
NOT_SUPPORTED(cuOccupancyMaxActiveBlocksPerMultiprocessor)
NOT_SUPPORTED(cuPointerGetAttribute)
NOT_SUPPORTED(cuTensorMapEncodeTiled)

API cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned,
                                                 unsigned long long,
                                                 cudaDriverEntryPointQueryResult* result) {
    *function = dlsym(RTLD_DEFAULT, name);
    if (result != nullptr)
        *result =
            *function == nullptr ? cudaDriverEntryPointSymbolNotFound : cudaDriverEntryPointSuccess;
    return cudaSuccess;
}
