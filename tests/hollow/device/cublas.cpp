// cuBLAS: handles, and products written down.
//
// Arguments that nobody reads are not named: the functions are called through C's convention.
#include <cstring>

#include "state.h"

namespace {

using hollow::Kind;
using hollow::Thing;

struct Handle {
    cudaStream_t stream = nullptr;
};

int product(void* handle, const char* name) {
    return hollow::enqueue(Kind::kernel, static_cast<Handle*>(handle)->stream, 0, name) ? 13 : 0;
}

}  // namespace

// A new handle takes memory of the device for itself, so it is refused like cudaMalloc.
API int cublasCreate_v2(void** handle) {
    if (hollow::unless_capturing("cublasCreate")) return 1;
    *handle = new Handle;
    hollow::created(Thing::handle, "cublas handle");
    return 0;
}

API int cublasDestroy_v2(void* handle) {
    delete static_cast<Handle*>(handle);
    hollow::destroyed(Thing::handle, "cublas handle");
    return 0;
}

API int cublasSetStream_v2(void* handle, cudaStream_t stream) {
    static_cast<Handle*>(handle)->stream = stream;
    return 0;
}

API int cublasGetMathMode(void*, int* mode) {
    *mode = 0;
    return 0;
}

API int cublasGetPointerMode_v2(void*, int* mode) {
    *mode = 0;
    return 0;
}

#define ACCEPTED(name) \
    API int name(...) { return 0; }
ACCEPTED(cublasSetWorkspace_v2)
ACCEPTED(cublasSetMathMode)
ACCEPTED(cublasSetPointerMode_v2)
ACCEPTED(cublasSetSmCountTarget)

#define PRODUCT(name) \
    API int name(void* handle, ...) { return product(handle, #name); }
PRODUCT(cublasSgemm_v2)
PRODUCT(cublasDgemm_v2)
PRODUCT(cublasGemmEx)
PRODUCT(cublasSgemmEx)
PRODUCT(cublasSgemv_v2)
PRODUCT(cublasDgemv_v2)
PRODUCT(cublasGemmStridedBatchedEx)
PRODUCT(cublasSgemmStridedBatched)
PRODUCT(cublasDgemmStridedBatched)

// --- cublasLt ------------------------------------------------------------------------------

namespace {

int describe(void** descriptor) {
    *descriptor = new char;
    hollow::created(Thing::descriptor, "cublasLt descriptor");
    return 0;
}

int forget(void* descriptor) {
    delete static_cast<char*>(descriptor);
    hollow::destroyed(Thing::descriptor, "cublasLt descriptor");
    return 0;
}

// cublasLtMatmulHeuristicResult_t
struct Algorithm {
    std::uint64_t opaque[8];
    std::size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

}  // namespace

API int cublasLtMatmulDescCreate(void** descriptor, ...) { return describe(descriptor); }
API int cublasLtMatmulDescDestroy(void* descriptor) { return forget(descriptor); }
API int cublasLtMatmulPreferenceCreate(void** descriptor) { return describe(descriptor); }
API int cublasLtMatmulPreferenceDestroy(void* descriptor) { return forget(descriptor); }
API int cublasLtMatrixLayoutCreate(void** descriptor, ...) { return describe(descriptor); }
API int cublasLtMatrixLayoutDestroy(void* descriptor) { return forget(descriptor); }
ACCEPTED(cublasLtMatmulDescSetAttribute)
ACCEPTED(cublasLtMatmulPreferenceSetAttribute)
ACCEPTED(cublasLtMatrixLayoutSetAttribute)

API int cublasLtMatmulAlgoGetHeuristic(void*, void*, void*, void*, void*, void*, void*, int,
                                       Algorithm* algorithms, int* count) {
    algorithms[0] = {};
    *count = 1;
    return 0;
}

API int cublasLtMatmul(void*, void*, const void*, const void*, void*, const void*, void*,
                       const void*, const void*, void*, void*, void*, const void*, void*,
                       std::size_t, cudaStream_t stream) {
    return hollow::enqueue(Kind::kernel, stream, 0, "cublasLtMatmul") ? 13 : 0;
}
