// Aligned memory and the maps that lie in it.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>

#include "simd.h"

namespace flyweight {

struct Free {
    void operator()(float* values) const { std::free(values); }
};

// Zeroed floats, aligned for vectors and cache lines.
class Buffer {
public:
    Buffer() = default;

    explicit Buffer(size_t count) : count_(count) {
        const size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
        values_.reset(static_cast<float*>(std::aligned_alloc(64, bytes ? bytes : 64)));
        if (!values_) throw std::bad_alloc();
        std::memset(values_.get(), 0, bytes);
    }

    float* data() const { return values_.get(); }
    size_t size() const { return count_; }

private:
    std::unique_ptr<float, Free> values_;
    size_t count_ = 0;
};

// Where a block is worked on: its number in the batch, by whom, and whether in training.
struct Place {
    int block, thread;
    bool training;
};

// Room for a map's values in all blocks, or, where it is local, in the block of each thread.
struct Room {
    std::shared_ptr<Buffer> buffer;
    bool local = false;

    float* at(const Place& place, ptrdiff_t block_size) const {
        const int slot = local || !place.training ? place.thread : place.block;
        return buffer->data() + slot * block_size;
    }
};

// One point of the network: its values, and the loss's gradient in them.
struct Map {
    Map(int channels, int height, int width) : channels(channels), height(height), width(width) {}

    int channels, height, width;
    Room values, gradient;
    // Maps of one group share their gradient: it is passed back in place.
    int gradient_group = -1;
    // Whether an operation that writes the gradient first has been found.
    bool claimed = false;

    int pixels() const { return height * width; }
    ptrdiff_t block() const { return static_cast<ptrdiff_t>(pixels()) * channels * kLanes; }
    float* at(const Place& place) const { return values.at(place, block()); }
    float* gradient_at(const Place& place) const { return gradient.at(place, block()); }
};

}  // namespace flyweight
