// One operation of a network, on blocks of images.
//
// A training pass works through the operations block by block, so that a block's maps stay in the
// processor's cache. It waits for all blocks only where an operation needs sums over the batch.
#pragma once

#include <cstdint>

#include "buffers.h"
#include "simd.h"

namespace flyweight {

// What all operations need to know of the batch at work.
struct Batch {
    int images = 0, blocks = 0;
    uint64_t seed = 0;

    // Images in a block; the last one may be partly empty.
    int lanes(int block) const {
        return block + 1 < blocks ? kLanes : images - (blocks - 1) * kLanes;
    }
};

// A parameter and its gradient, each where the trainer keeps it; null where there is none.
struct Parameter {
    const float* values = nullptr;
    float* gradient = nullptr;
};

// Decides whether an operation overwrites a map's gradient instead of adding to it: true for the
// first one that writes it in backward.
inline bool claim(Map& map, bool writes) {
    if (!writes || map.claimed) return false;
    map.claimed = true;
    return true;
}

class Operation {
public:
    virtual ~Operation() = default;

    // Allocates what it needs for this many blocks and threads.
    virtual void allocate(int blocks, int threads) = 0;
    // Decides, in the order of backward, which gradients this operation overwrites.
    virtual void claim_gradients() = 0;
    // Reads the parameters again, before each pass. Inference also reads the running statistics.
    virtual void prepare(bool training) = 0;

    // Whether the output is cheap to recompute in backward; otherwise it is kept.
    virtual bool is_cheap() const { return true; }
    // Whether backward turns the output's gradient into the input's in place.
    virtual bool works_in_place() const { return false; }

    // Whether forward and backward need sums over the whole batch. Then each pass first calls
    // accumulate_* for each block, and reduce_* once.
    virtual bool needs_batch_sums() const { return false; }
    virtual void accumulate_statistics(const Batch&, BlockContext) {}
    virtual void reduce_statistics(const Batch&) {}
    virtual void accumulate_gradient_sums(const Batch&, BlockContext) {}
    virtual void reduce_gradient_sums(const Batch&) {}

    virtual void forward(const Batch&, BlockContext) = 0;
    virtual void backward(const Batch&, BlockContext) = 0;
    // Adds the sums over all blocks to the gradients of the parameters.
    virtual void reduce_parameter_gradients(const Batch&) {}

    virtual void infer(BlockContext) = 0;
};

}  // namespace flyweight
