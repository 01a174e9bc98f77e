// One operation of a network on blocks of images.
//
// A training pass works through the operations block by block, so that a block's maps stay in the
// processor's cache, and waits for all blocks only where an operation needs sums over the batch.
#pragma once

#include <cstdint>

#include "simd.h"
#include "buffers.h"

namespace flyweight {

// What all operations need to know of the batch at work.
struct Batch {
    int images = 0, blocks = 0;
    uint64_t seed = 0;

    int lanes(int block) const {
        return block + 1 < blocks ? kLanes : images - (blocks - 1) * kLanes;
    }
};

class Operation {
public:
    virtual ~Operation() = default;

    // Makes room for so many blocks and threads.
    virtual void reserve(int blocks, int threads) = 0;
    // Reads the parameters anew; training or, with running statistics, inference.
    virtual void prepare(bool training) = 0;

    // Whether the way back needs the output's values kept rather than computed again.
    virtual bool is_costly() const { return false; }
    // Whether the gradient of the output may become that of the input in place.
    virtual bool works_in_place() const { return false; }

    // Whether forward and backward need sums over the whole batch.
    virtual bool sums_batch() const { return false; }
    virtual void measure(const Batch&, Place) {}
    virtual void settle_measures(const Batch&) {}
    virtual void forward(const Batch&, Place) = 0;

    virtual void sum_gradient(const Batch&, Place) {}
    virtual void settle_sums(const Batch&) {}
    virtual void backward(const Batch&, Place) = 0;
    // Adds up what the blocks gave to the gradients of the parameters.
    virtual void settle_gradient(const Batch&) {}

    // Says whose gradient is written first on the way back, and so overwritten instead of added to.
    virtual void claim_gradients() = 0;
    virtual void infer(Place) = 0;
};

}  // namespace flyweight
