// Streams, events, captures and graphs, by the rules of the CUDA programming guide.
//
// In short: while a stream captures, the work that is given to it becomes nodes of a graph. A
// stream that waits for an event of a capture joins it, and must be joined back before the end.
// Meanwhile calls that may wait for a device, or change what it is working with, are refused and
// break the capture: to all threads in the mode "global", to the capturing one in "thread local".
#include <map>
#include <set>

#include "state.h"

namespace hollow {
namespace {

struct Event {
    bool recorded = false;
    unsigned stream = 0;               // the number of the one on which it was last recorded
    std::shared_ptr<Capture> capture;  // likewise
    std::vector<Node*> nodes;
};

struct Executable {
    std::size_t nodes;
};

thread_local cudaStreamCaptureMode mode_of_thread = cudaStreamCaptureModeGlobal;

struct State {
    std::map<cudaStream_t, std::unique_ptr<Stream>> streams;
    std::map<cudaEvent_t, std::unique_ptr<Event>> events;
    std::map<cudaGraph_t, std::unique_ptr<Graph>> graphs;
    std::map<cudaGraphExec_t, std::unique_ptr<Executable>> executables;
    std::map<int, Stream> legacy;  // the stream 0 of each device
    std::set<Capture*> captures;   // under way
    unsigned long long captures_begun = 0;
    unsigned streams_made = 0;
};

State& state() {
    static auto* only = new State;
    return *only;
}

// Keeps what it is given in a table, and returns the address as its handle.
template <class Handle, class Object>
Handle keep(std::map<Handle, std::unique_ptr<Object>>& table, std::unique_ptr<Object> object) {
    const auto handle = reinterpret_cast<Handle>(object.get());
    table[handle] = std::move(object);
    return handle;
}

template <class Handle, class Object>
Object* find(const std::map<Handle, std::unique_ptr<Object>>& table, Handle handle) {
    auto found = table.find(handle);
    return found == table.end() ? nullptr : found->second.get();
}

// Returns nullptr for a handle that is not a stream.
Stream* stream_of(cudaStream_t handle) {
    if (handle != nullptr && handle != cudaStreamLegacy) return find(state().streams, handle);
    Stream& legacy = state().legacy[current_device()];
    legacy.device = current_device();
    legacy.legacy = true;
    return &legacy;
}

// The legacy stream waits for all blocking streams, so also for one that captures.
Capture* implied_capture(const Stream& stream) {
    if (!stream.legacy) return nullptr;
    for (const auto& [handle, other] : state().streams)
        if (other->capture && other->blocking && other->device == stream.device)
            return other->capture.get();
    return nullptr;
}

bool reaches(const std::vector<Node*>& from, Node* wanted) {
    std::set<Node*> seen;
    std::vector<Node*> open = from;
    while (!open.empty()) {
        Node* node = open.back();
        open.pop_back();
        if (node == wanted) return true;
        if (seen.insert(node).second)
            open.insert(open.end(), node->after.begin(), node->after.end());
    }
    return false;
}

bool all_joined(const Capture& capture) {
    for (const auto& [handle, stream] : state().streams) {
        if (stream->capture.get() != &capture) continue;
        for (Node* node : stream->last)
            if (!reaches(capture.origin->last, node)) return false;
    }
    return true;
}

void end(Capture& capture) {
    capture.over = true;
    state().captures.erase(&capture);
    for (const auto& [handle, stream] : state().streams) {
        if (stream->capture.get() != &capture) continue;
        stream->last.clear();
        // The caller still holds the capture.
        stream->capture.reset();
    }
}

void add_missing(std::vector<Node*>& to, const std::vector<Node*>& from) {
    for (Node* node : from) {
        bool missing = true;
        for (Node* held : to) missing = missing && held != node;
        if (missing) to.push_back(node);
    }
}

}  // namespace

Place place_now() {
    Lock lock;
    return state().captures.empty() ? Place::live : Place::beside;
}

cudaError_t violate(Capture& capture, cudaError_t error, const std::string& what) {
    capture.broken = true;
    record(Kind::violation, Place::beside, 0, what);
    return fail(error);
}

cudaError_t unless_capturing(const char* call) {
    Lock lock;
    if (mode_of_thread == cudaStreamCaptureModeRelaxed) return cudaSuccess;
    cudaError_t result = cudaSuccess;
    for (Capture* capture : state().captures) {
        const bool of_thread = capture->thread == std::this_thread::get_id();
        const bool of_all = capture->mode == cudaStreamCaptureModeGlobal &&
                            mode_of_thread == cudaStreamCaptureModeGlobal;
        if (capture->mode == cudaStreamCaptureModeRelaxed || !(of_thread || of_all)) continue;
        result = violate(*capture, cudaErrorStreamCaptureUnsupported, call);
    }
    return result;
}

cudaError_t unless_stream_captures(cudaStream_t handle, const char* call) {
    Lock lock;
    Stream* stream = stream_of(handle);
    if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle);
    if (!stream->capture) return cudaSuccess;
    return violate(*stream->capture, cudaErrorStreamCaptureUnsupported, call);
}

bool is_capturing(cudaStream_t handle) {
    Lock lock;
    Stream* stream = stream_of(handle);
    return stream != nullptr && stream->capture != nullptr;
}

cudaError_t enqueue(Kind kind, cudaStream_t handle, std::uint64_t amount, const std::string& name) {
    Lock lock;
    Stream* stream = stream_of(handle);
    if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle);
    if (Capture* capture = implied_capture(*stream))
        return violate(*capture, cudaErrorStreamCaptureImplicit, name + " on the legacy stream");
    if (!stream->capture) {
        record(kind, place_now(), amount, name);
        return cudaSuccess;
    }
    if (stream->capture->broken) return fail(cudaErrorStreamCaptureInvalidated);
    auto& nodes = stream->capture->graph->nodes;
    nodes.push_back(std::make_unique<Node>(Node{stream->last}));
    stream->last = {nodes.back().get()};
    record(kind, Place::graph, amount, name);
    return cudaSuccess;
}

}  // namespace hollow

using namespace hollow;

// --- streams -------------------------------------------------------------------------------

API cudaError_t cudaStreamCreateWithPriority(cudaStream_t* handle, unsigned flags, int priority) {
    Lock lock;
    auto stream = std::make_unique<Stream>();
    stream->number = ++state().streams_made;
    stream->device = current_device();
    stream->blocking = (flags & cudaStreamNonBlocking) == 0;
    stream->priority = priority;
    *handle = keep(state().streams, std::move(stream));
    created(Thing::stream, "stream");
    return cudaSuccess;
}

API cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned flags) {
    return cudaStreamCreateWithPriority(handle, flags, 0);
}

API cudaError_t cudaStreamCreate(cudaStream_t* handle) {
    return cudaStreamCreateWithPriority(handle, cudaStreamDefault, 0);
}

API cudaError_t cudaStreamDestroy(cudaStream_t handle) {
    Lock lock;
    if (auto error = unless_stream_captures(handle, "cudaStreamDestroy")) return error;
    if (state().streams.erase(handle) == 0) return fail(cudaErrorInvalidResourceHandle);
    destroyed(Thing::stream, "stream");
    return cudaSuccess;
}

API cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
    Lock lock;
    Stream* stream = stream_of(handle);
    if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle);
    *priority = stream->priority;
    return cudaSuccess;
}

// Work is done as soon as it is given, so there is never any to wait for.
API cudaError_t cudaStreamQuery(cudaStream_t handle) {
    if (auto error = unless_stream_captures(handle, "cudaStreamQuery")) return error;
    return unless_capturing("cudaStreamQuery");
}

API cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
    Lock lock;
    if (auto error = unless_stream_captures(handle, "cudaStreamSynchronize")) return error;
    if (auto error = unless_capturing("cudaStreamSynchronize")) return error;
    record(Kind::sync, place_now(), 0, "cudaStreamSynchronize");
    return cudaSuccess;
}

API cudaError_t cudaDeviceSynchronize() {
    Lock lock;
    if (auto error = unless_capturing("cudaDeviceSynchronize")) return error;
    record(Kind::sync, place_now(), 0, "cudaDeviceSynchronize");
    return cudaSuccess;
}

API cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t waited, unsigned) {
    Lock lock;
    Stream* stream = stream_of(handle);
    Event* event = find(state().events, waited);
    if (stream == nullptr || event == nullptr) return fail(cudaErrorInvalidResourceHandle);
    if (!event->recorded) return cudaSuccess;
    if (event->capture == nullptr) {
        if (!stream->capture) {
            record(Kind::stream_wait, place_now(), 0,
                   std::to_string(stream->number) + " for " + std::to_string(event->stream));
            return cudaSuccess;
        }
        return violate(*stream->capture, cudaErrorStreamCaptureIsolation,
                       "cudaStreamWaitEvent with an event from outside the capture");
    }
    if (event->capture->over) return fail(cudaErrorCapturedEvent);
    if (stream->legacy)
        return violate(*event->capture, cudaErrorStreamCaptureImplicit,
                       "cudaStreamWaitEvent of the legacy stream");
    if (stream->capture && stream->capture != event->capture) {
        violate(*event->capture, cudaErrorStreamCaptureMerge,
                "cudaStreamWaitEvent of two captures");
        return violate(*stream->capture, cudaErrorStreamCaptureMerge,
                       "cudaStreamWaitEvent of two captures");
    }
    stream->capture = event->capture;
    add_missing(stream->last, event->nodes);
    return cudaSuccess;
}

// --- events --------------------------------------------------------------------------------

API cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned) {
    Lock lock;
    *handle = keep(state().events, std::make_unique<Event>());
    created(Thing::event, "event");
    return cudaSuccess;
}

API cudaError_t cudaEventCreate(cudaEvent_t* handle) { return cudaEventCreateWithFlags(handle, 0); }

API cudaError_t cudaEventDestroy(cudaEvent_t handle) {
    Lock lock;
    if (state().events.erase(handle) == 0) return fail(cudaErrorInvalidResourceHandle);
    destroyed(Thing::event, "event");
    return cudaSuccess;
}

API cudaError_t cudaEventRecordWithFlags(cudaEvent_t handle, cudaStream_t on, unsigned) {
    Lock lock;
    Stream* stream = stream_of(on);
    Event* event = find(state().events, handle);
    if (stream == nullptr || event == nullptr) return fail(cudaErrorInvalidResourceHandle);
    *event = {true, stream->number, stream->capture, stream->last};
    return cudaSuccess;
}

API cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t on) {
    return cudaEventRecordWithFlags(handle, on, cudaEventRecordDefault);
}

namespace {

// An event of a capture stands for nothing that happens, whatever the mode.
cudaError_t ask(cudaEvent_t handle, const char* call) {
    Event* event = find(state().events, handle);
    if (event == nullptr) return fail(cudaErrorInvalidResourceHandle);
    if (event->capture == nullptr) return unless_capturing(call);
    if (event->capture->over) return fail(cudaErrorCapturedEvent);
    return violate(*event->capture, cudaErrorCapturedEvent, call);
}

}  // namespace

API cudaError_t cudaEventQuery(cudaEvent_t handle) {
    Lock lock;
    return ask(handle, "cudaEventQuery");
}

API cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
    Lock lock;
    if (auto error = ask(handle, "cudaEventSynchronize")) return error;
    record(Kind::sync, place_now(), 0, "cudaEventSynchronize");
    return cudaSuccess;
}

API cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
    *milliseconds = 0;
    return cudaSuccess;
}

// --- captures ------------------------------------------------------------------------------

API cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
    Lock lock;
    Stream* stream = stream_of(handle);
    if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle);
    if (stream->legacy) return fail(cudaErrorStreamCaptureUnsupported);
    if (stream->capture) return fail(cudaErrorIllegalState);
    auto capture = std::make_shared<Capture>();
    capture->id = ++state().captures_begun;
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->origin = stream;
    capture->graph = std::make_unique<Graph>();
    state().captures.insert(capture.get());
    stream->capture = std::move(capture);
    record(Kind::capture_begin, Place::graph, 0, "capture");
    return cudaSuccess;
}

API cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
    Lock lock;
    *graph = nullptr;
    Stream* stream = stream_of(handle);
    if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle);
    if (!stream->capture) return fail(cudaErrorIllegalState);
    const std::shared_ptr<Capture> capture = stream->capture;
    if (capture->origin != stream)
        return violate(*capture, cudaErrorStreamCaptureUnmatched,
                       "cudaStreamEndCapture of another stream");
    if (capture->mode != cudaStreamCaptureModeRelaxed &&
        capture->thread != std::this_thread::get_id())
        return violate(*capture, cudaErrorStreamCaptureWrongThread,
                       "cudaStreamEndCapture in another thread");
    const bool joined = all_joined(*capture);
    record(Kind::capture_end, Place::graph, capture->graph->nodes.size(), "capture");
    end(*capture);
    if (capture->broken) return fail(cudaErrorStreamCaptureInvalidated);
    if (!joined)
        return violate(*capture, cudaErrorStreamCaptureUnjoined,
                       "cudaStreamEndCapture before a stream was joined");
    *graph = keep(state().graphs, std::move(capture->graph));
    created(Thing::graph, "graph");
    return cudaSuccess;
}

API cudaError_t cudaStreamGetCaptureInfo(cudaStream_t handle, cudaStreamCaptureStatus* status,
                                         unsigned long long* id, cudaGraph_t* graph,
                                         const cudaGraphNode_t** nodes,
                                         const cudaGraphEdgeData** edges, size_t* count) {
    Lock lock;
    Stream* stream = stream_of(handle);
    if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle);
    const Capture* capture = stream->capture.get();
    *status = capture == nullptr ? cudaStreamCaptureStatusNone
              : capture->broken  ? cudaStreamCaptureStatusInvalidated
                                 : cudaStreamCaptureStatusActive;
    if (id != nullptr) *id = capture == nullptr ? 0 : capture->id;
    if (graph != nullptr)
        *graph = capture == nullptr ? nullptr : reinterpret_cast<cudaGraph_t>(capture->graph.get());
    // A node's handle is its address.
    if (nodes != nullptr) *nodes = reinterpret_cast<cudaGraphNode_t*>(stream->last.data());
    if (edges != nullptr) *edges = nullptr;
    if (count != nullptr) *count = stream->last.size();
    return cudaSuccess;
}

API cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
    return cudaStreamGetCaptureInfo(handle, status, nullptr, nullptr, nullptr, nullptr, nullptr);
}

API cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
    std::swap(mode_of_thread, *mode);
    return cudaSuccess;
}

// --- graphs --------------------------------------------------------------------------------

API cudaError_t cudaGraphGetNodes(cudaGraph_t handle, cudaGraphNode_t* nodes, size_t* count) {
    Lock lock;
    const Graph* graph = find(state().graphs, handle);
    if (graph == nullptr || nodes != nullptr) return fail(cudaErrorInvalidValue);
    *count = graph->nodes.size();
    return cudaSuccess;
}

API cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* handle, cudaGraph_t from,
                                              unsigned long long) {
    if (auto error = unless_capturing("cudaGraphInstantiate")) return error;
    Lock lock;
    const Graph* graph = find(state().graphs, from);
    if (graph == nullptr) return fail(cudaErrorInvalidValue);
    *handle =
        keep(state().executables, std::make_unique<Executable>(Executable{graph->nodes.size()}));
    created(Thing::executable, "executable graph");
    return cudaSuccess;
}

API cudaError_t cudaGraphDestroy(cudaGraph_t handle) {
    Lock lock;
    if (state().graphs.erase(handle) == 0) return fail(cudaErrorInvalidValue);
    destroyed(Thing::graph, "graph");
    return cudaSuccess;
}

// It frees memory of the device, which is why it is refused.
API cudaError_t cudaGraphExecDestroy(cudaGraphExec_t handle) {
    if (auto error = unless_capturing("cudaGraphExecDestroy")) return error;
    Lock lock;
    if (state().executables.erase(handle) == 0) return fail(cudaErrorInvalidValue);
    destroyed(Thing::executable, "executable graph");
    return cudaSuccess;
}

API cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream) {
    Lock lock;
    const Executable* graph = find(state().executables, handle);
    if (graph == nullptr) return fail(cudaErrorInvalidValue);
    return enqueue(Kind::graph, stream, graph->nodes, "graph");
}
