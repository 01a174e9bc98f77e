// The journal: what was asked of the devices, in order.
#pragma once
#include <cstdint>
#include <string>

// Exported, so that it takes the place of the function of this name in NVIDIA's library.
#define API extern "C" __attribute__((visibility("default")))

namespace hollow {

enum class Kind {
    kernel,         // amount: 0
    memcpy,         // amount: bytes
    memset,         // amount: bytes
    host_function,  // amount: 0
    graph,          // a recorded graph is launched; amount: its nodes
    sync,           // the host waits for a device
    violation,      // a call that CUDA refuses while a stream captures
    alloc,          // of device memory; amount: bytes
    free,           // of device memory; amount: bytes
    host_alloc,     // of pinned memory; amount: bytes
    host_free,      // of pinned memory; amount: bytes
    out_of_memory,  // amount: bytes that there was no room for
    capture_begin,  // amount: 0
    capture_end,    // amount: nodes
    create,         // a stream, graph, handle or plan of a library
    destroy,        // one of these
    stream_wait,    // a stream waits for another, both named by their numbers; amount: 0
    mark,           // of the tests
};

// Where a record stands to the captures under way.
enum class Place {
    live,    // there is none
    graph,   // work that is recorded in a graph
    beside,  // while one is under way, and not in it
};

// Writes a record; the device is the calling thread's, the text is kept.
void record(Kind kind, Place place, std::uint64_t amount, const std::string& name);

// What is made on the devices and is to be destroyed again.
enum class Thing { stream, event, graph, executable, handle, descriptor };

// Count the things that live; the ones that cost most are written down as well.
void created(Thing thing, const std::string& name);
void destroyed(Thing thing, const std::string& name);

}  // namespace hollow
