// Aligned memory, and the maps that lie in it.
#pragma once

#include <cstdint>
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

    explicit Buffer(size_t count) {
        if (count > (SIZE_MAX - kAlignment) / sizeof(float)) throw std::bad_alloc();
        const size_t bytes = (count * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
        values_.reset(
            static_cast<float*>(std::aligned_alloc(kAlignment, bytes ? bytes : kAlignment)));
        if (!values_) throw std::bad_alloc();
        std::memset(values_.get(), 0, bytes);
    }

    float* data() const { return values_.get(); }

private:
    static constexpr size_t kAlignment = 64;

    std::unique_ptr<float, Free> values_;
};

// A block at work: its number in the batch, the thread that works on it, and whether in training.
struct BlockContext {
    int block, thread;
    bool training;
};

// Where the values of a map lie. They are stored for all blocks of the batch, or, where `local`,
// for the block that each thread is working on.
struct Storage {
    std::shared_ptr<Buffer> buffer;
    bool local = false;

    float* at(const BlockContext& context, ptrdiff_t block_size) const {
        const int slot = local || !context.training ? context.thread : context.block;
        return buffer->data() + slot * block_size;
    }
};

// A feature map, with the gradient of the loss with respect to its values.
struct Map {
    Map(int channels, int height, int width) : channels(channels), height(height), width(width) {}

    int channels, height, width;
    Storage values, gradient;
    // Maps of one group share their gradient's storage: backward works on it in place.
    int gradient_group = -1;
    // Whether the operation that is the first to write the gradient is known already.
    bool claimed = false;

    int pixels() const { return height * width; }
    // Floats of one block.
    ptrdiff_t block() const { return static_cast<ptrdiff_t>(pixels()) * channels * kLanes; }
    float* at(const BlockContext& context) const { return values.at(context, block()); }
    float* gradient_at(const BlockContext& context) const { return gradient.at(context, block()); }
    bool has_shape_of(const Map& other) const {
        return channels == other.channels && height == other.height && width == other.width;
    }
};

}  // namespace flyweight
