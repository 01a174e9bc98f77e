// What all parts of the hollow device share: one lock, the devices, streams and captures.
#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "journal.h"

namespace hollow {

// Everything is done under one lock: torch calls from several threads.
class Lock {
public:
    Lock();

private:
    std::unique_lock<std::recursive_mutex> held_;
};

// Leaves an error for cudaGetLastError, and returns it.
cudaError_t fail(cudaError_t error);

// --- devices.cpp ---------------------------------------------------------------------------

// $HOLLOW_DEVICES, 1 by default.
int device_count();

// Of the calling thread, as cudaSetDevice left it.
int current_device();

// A device has a context in a process once the process chose or used the device. It takes hundreds
// of megabytes of a real one.
bool has_context(int device);
void open_context(int device);

// --- memory.cpp ----------------------------------------------------------------------------

// $HOLLOW_MEMORY_MIB of each device, 81,920 by default, until a test sets another limit.
std::size_t memory_limit(int device);

// --- captures.cpp --------------------------------------------------------------------------

// One piece of recorded work, and the work that it comes after.
struct Node {
    std::vector<Node*> after;
};

struct Graph {
    std::vector<std::unique_ptr<Node>> nodes;
};

struct Stream;

// A capture from cudaStreamBeginCapture to cudaStreamEndCapture.
struct Capture {
    unsigned long long id;
    cudaStreamCaptureMode mode;
    std::thread::id thread;
    Stream* origin;
    std::unique_ptr<Graph> graph;
    bool broken = false;  // by a violation
    bool over = false;
};

struct Stream {
    unsigned number = 0;  // in the order of their making; 0 is the legacy stream
    int device = 0;
    bool blocking = true;  // whether it waits for the legacy stream, and that for it
    bool legacy = false;
    int priority = 0;
    std::shared_ptr<Capture> capture;
    std::vector<Node*> last;  // the recorded work that the next one comes after
};

// Writes down that work is given to a stream, or records it in the stream's capture.
cudaError_t enqueue(Kind kind, cudaStream_t stream, std::uint64_t amount, const std::string& name);

// Refuses a call that CUDA names potentially unsafe while a capture is under way that forbids it.
cudaError_t unless_capturing(const char* call);

// Refuses a call on a stream that captures, whatever the mode.
cudaError_t unless_stream_captures(cudaStream_t stream, const char* call);

// Breaks a capture and writes down by what.
cudaError_t violate(Capture& capture, cudaError_t error, const std::string& what);

// Whether work that is given to this stream now is recorded.
bool is_capturing(cudaStream_t stream);

// Where what is not given to a stream stands to the captures under way: live or beside them.
Place place_now();

}  // namespace hollow
