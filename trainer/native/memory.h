// Aligned memory and the maps that lie in it.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>

#include "lanes.h"

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

// The values of one point of the network for all blocks, and the loss's gradient in them.
struct Map {
    Map(int channels, int height, int width)
        : channels(channels), height(height), width(width) {}

    int channels, height, width;
    int readers = 0;
    bool claimed = false;
    std::shared_ptr<Buffer> values, gradient;

    int pixels() const { return height * width; }
    ptrdiff_t block() const { return static_cast<ptrdiff_t>(pixels()) * channels * kLanes; }
    float* at(int slot) const { return values->data() + slot * block(); }
    float* gradient_at(int slot) const { return gradient->data() + slot * block(); }
};

}  // namespace flyweight
