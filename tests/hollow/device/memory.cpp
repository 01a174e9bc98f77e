// Memory of the devices and pinned memory of the host, copies and fills.
//
// Device memory is addresses and nothing behind them: kernels do not run, so there are no numbers
// to keep. The host that reads or writes there by itself crashes, as with a real device, and a copy
// to the host brings zeros.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "state.h"

namespace hollow {
namespace {

constexpr std::size_t kPage = 4096;

struct Block {
    std::size_t bytes;
    int device;  // -1: pinned memory of the host
    bool ours;   // whether it is to be freed here; the host may pin memory of its own
};

struct Memory {
    std::size_t used = 0, peak = 0, limit;
};

std::map<std::uintptr_t, Block>& blocks() {
    static auto* all = new std::map<std::uintptr_t, Block>;
    return *all;
}

Memory& memory_of(int device) {
    static auto* all = [] {
        const char* wanted = std::getenv("HOLLOW_MEMORY_MIB");
        const std::size_t mib = wanted == nullptr ? 80 << 10 : std::strtoull(wanted, nullptr, 10);
        auto* made = new std::map<int, Memory>;
        for (int i = 0; i < device_count(); ++i) (*made)[i].limit = mib << 20;
        return made;
    }();
    return all->at(device);
}

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

std::size_t whole_pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

void* map_pages(std::size_t bytes, int protection) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* pages = mmap(nullptr, whole_pages(bytes), protection, flags, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

const Block* block_at(const void* pointer) {
    auto found = blocks().upper_bound(address(pointer));
    if (found == blocks().begin()) return nullptr;
    --found;
    return address(pointer) < found->first + found->second.bytes ? &found->second : nullptr;
}

bool on_device(const void* pointer) {
    const Block* block = block_at(pointer);
    return block != nullptr && block->device >= 0;
}

// Takes a block out of the books; returns false for what is not the start of one of that kind.
bool forget(void* pointer, bool of_device, Block& gone) {
    auto found = blocks().find(address(pointer));
    if (found == blocks().end() || (found->second.device >= 0) != of_device) return false;
    gone = found->second;
    blocks().erase(found);
    if (gone.ours) munmap(pointer, whole_pages(gone.bytes));
    return true;
}

void copy(void* to, const void* from, std::size_t bytes) {
    if (on_device(to)) return;
    if (on_device(from)) {
        std::memset(to, 0, bytes);
    } else {
        std::memmove(to, from, bytes);
    }
}

std::string direction(const void* to, const void* from) {
    const auto side = [](const void* pointer) -> std::string {
        if (on_device(pointer)) return "device";
        return block_at(pointer) != nullptr ? "pinned" : "pageable";
    };
    return side(from) + " to " + side(to);
}

}  // namespace

std::size_t memory_limit(int device) {
    Lock lock;
    return memory_of(device).limit;
}

}  // namespace hollow

using namespace hollow;

API cudaError_t cudaMalloc(void** pointer, size_t bytes) {
    if (auto error = unless_capturing("cudaMalloc")) return error;
    Lock lock;
    Memory& memory = memory_of(current_device());
    if (memory.used + bytes > memory.limit) {
        record(Kind::out_of_memory, place_now(), bytes, "cudaMalloc");
        return fail(cudaErrorMemoryAllocation);
    }
    *pointer = map_pages(bytes, PROT_NONE);
    if (*pointer == nullptr) return fail(cudaErrorMemoryAllocation);
    blocks()[address(*pointer)] = {bytes, current_device(), true};
    memory.used += bytes;
    if (memory.used > memory.peak) memory.peak = memory.used;
    record(Kind::alloc, place_now(), bytes, "cudaMalloc");
    return cudaSuccess;
}

API cudaError_t cudaFree(void* pointer) {
    if (pointer == nullptr) return cudaSuccess;
    if (auto error = unless_capturing("cudaFree")) return error;
    Lock lock;
    Block gone;
    if (!forget(pointer, true, gone)) return fail(cudaErrorInvalidValue);
    memory_of(gone.device).used -= gone.bytes;
    record(Kind::free, place_now(), gone.bytes, "cudaFree");
    return cudaSuccess;
}

API cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned) {
    if (auto error = unless_capturing("cudaHostAlloc")) return error;
    Lock lock;
    *pointer = map_pages(bytes, PROT_READ | PROT_WRITE);
    if (*pointer == nullptr) return fail(cudaErrorMemoryAllocation);
    blocks()[address(*pointer)] = {bytes, -1, true};
    record(Kind::host_alloc, place_now(), bytes, "cudaHostAlloc");
    return cudaSuccess;
}

API cudaError_t cudaFreeHost(void* pointer) {
    if (pointer == nullptr) return cudaSuccess;
    if (auto error = unless_capturing("cudaFreeHost")) return error;
    Lock lock;
    Block gone;
    if (!forget(pointer, false, gone)) return fail(cudaErrorInvalidValue);
    record(Kind::host_free, place_now(), gone.bytes, "cudaFreeHost");
    return cudaSuccess;
}

API cudaError_t cudaHostRegister(void* pointer, size_t bytes, unsigned) {
    if (auto error = unless_capturing("cudaHostRegister")) return error;
    Lock lock;
    blocks()[address(pointer)] = {bytes, -1, false};
    return cudaSuccess;
}

API cudaError_t cudaHostUnregister(void* pointer) {
    if (auto error = unless_capturing("cudaHostUnregister")) return error;
    Lock lock;
    Block gone;
    return forget(pointer, false, gone) ? cudaSuccess : fail(cudaErrorInvalidValue);
}

API cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
    Lock lock;
    const Memory& memory = memory_of(current_device());
    *free = memory.limit > memory.used ? memory.limit - memory.used : 0;
    *total = memory.limit;
    return cudaSuccess;
}

API cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
    Lock lock;
    *attributes = {};
    const Block* block = block_at(pointer);
    if (block == nullptr) {
        attributes->type = cudaMemoryTypeUnregistered;
        return cudaSuccess;
    }
    attributes->type = block->device >= 0 ? cudaMemoryTypeDevice : cudaMemoryTypeHost;
    attributes->device = block->device >= 0 ? block->device : 0;
    attributes->devicePointer = const_cast<void*>(pointer);
    attributes->hostPointer = block->device >= 0 ? nullptr : const_cast<void*>(pointer);
    return cudaSuccess;
}

API cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                                cudaStream_t stream) {
    Lock lock;
    const std::string name = direction(to, from);
    if (is_capturing(stream)) {
        // A graph would read or write the memory later, when the host may have moved it.
        if (name.find("pageable") != std::string::npos)
            return unless_stream_captures(stream, "cudaMemcpyAsync with pageable memory");
    } else {
        copy(to, from, bytes);
    }
    return enqueue(Kind::memcpy, stream, bytes, name);
}

API cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
    if (auto error = unless_capturing("cudaMemcpy")) return error;
    Lock lock;
    copy(to, from, bytes);
    const cudaError_t error = enqueue(Kind::memcpy, nullptr, bytes, direction(to, from));
    record(Kind::sync, place_now(), 0, "cudaMemcpy");
    return error;
}

API cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                    cudaStream_t stream) {
    return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}

API cudaError_t cudaMemcpyToSymbol(const void*, const void*, size_t, size_t, cudaMemcpyKind) {
    return unless_capturing("cudaMemcpyToSymbol");
}

API cudaError_t cudaMemset(void*, int, size_t bytes) {
    if (auto error = unless_capturing("cudaMemset")) return error;
    return enqueue(Kind::memset, nullptr, bytes, "device");
}

API cudaError_t cudaMemsetAsync(void*, int, size_t bytes, cudaStream_t stream) {
    return enqueue(Kind::memset, stream, bytes, "device");
}

API std::size_t hollow_used(int device) {
    Lock lock;
    return memory_of(device).used;
}

API std::size_t hollow_peak(int device) {
    Lock lock;
    return memory_of(device).peak;
}

API void hollow_forget_peak(int device) {
    Lock lock;
    memory_of(device).peak = memory_of(device).used;
}

API void hollow_limit(int device, std::size_t bytes) {
    Lock lock;
    memory_of(device).limit = bytes;
}

API std::size_t hollow_limit_of(int device) { return memory_limit(device); }

// Bytes of pinned memory of the host.
API std::size_t hollow_pinned() {
    Lock lock;
    std::size_t bytes = 0;
    for (const auto& [start, block] : blocks())
        if (block.device < 0) bytes += block.bytes;
    return bytes;
}
