// Which inputs are multiplied with which kernel elements, at each position of an axis.
#pragma once

#include <algorithm>
#include <vector>

namespace flyweight {

// Kernel element `kernel` is multiplied with the input at position `input`.
struct Tap {
    int kernel, input;
};

// Positions [begin, end) with the same taps, moved by `step` inputs from each to the next.
struct Run {
    int begin, end, step;
};

// One axis of a convolution: the taps of each position that is written.
class Axis {
public:
    Axis() = default;

    // Forward: output o reads input o * stride - padding + kernel * dilation.
    static Axis forward(int inputs, int outputs, int kernel, int stride, int padding,
                        int dilation) {
        Axis axis;
        for (int output = 0; output < outputs; ++output) {
            for (int k = 0; k < kernel; ++k) {
                const int input = output * stride - padding + k * dilation;
                if (0 <= input && input < inputs) axis.taps_.push_back({k, input});
            }
            axis.close();
        }
        axis.find_runs();
        return axis;
    }

    // Backward: an input's gradient reads the gradient of each output that read the input.
    static Axis backward(int inputs, int outputs, int kernel, int stride, int padding,
                         int dilation) {
        Axis axis;
        for (int input = 0; input < inputs; ++input) {
            for (int k = kernel - 1; k >= 0; --k) {
                const int offset = input + padding - k * dilation;
                if (offset >= 0 && offset % stride == 0 && offset / stride < outputs)
                    axis.taps_.push_back({k, offset / stride});
            }
            axis.close();
        }
        axis.find_runs();
        return axis;
    }

    int size() const { return static_cast<int>(starts_.size()) - 1; }
    const Tap* begin(int position) const { return taps_.data() + starts_[position]; }
    const Tap* end(int position) const { return taps_.data() + starts_[position + 1]; }
    const std::vector<Run>& runs() const { return runs_; }

private:
    void close() { starts_.push_back(static_cast<int>(taps_.size())); }

    // Returns how far the taps move from a position to the next; -1 where they change.
    int step(int position) const {
        const Tap *here = begin(position), *next = begin(position + 1);
        const auto count = end(position) - here;
        if (count != end(position + 1) - next) return -1;
        if (count == 0) return 0;
        const int moved = next->input - here->input;
        for (int i = 0; i < count; ++i)
            if (next[i].kernel != here[i].kernel || next[i].input - here[i].input != moved)
                return -1;
        return moved;
    }

    void find_runs() {
        for (int position = 0; position < size();) {
            Run run{position, position + 1, 0};
            if (run.end < size() && step(position) >= 0) {
                run.step = step(position);
                while (run.end < size() && step(run.end - 1) == run.step) ++run.end;
            }
            runs_.push_back(run);
            position = run.end;
        }
    }

    std::vector<Tap> taps_;
    std::vector<int> starts_{0};
    std::vector<Run> runs_;
};

// The outputs [begin, end) of an axis that a kernel element contributes to, and the input that the
// first of them reads. The element stands `offset` inputs behind the first of the kernel.
struct Span {
    int begin, end, input;
};

inline Span span(int inputs, int outputs, int offset, int stride, int padding) {
    int begin = 0;
    while (begin < outputs && begin * stride - padding + offset < 0) ++begin;
    int end = begin;
    while (end < outputs && end * stride - padding + offset < inputs) ++end;
    return {begin, end, begin * stride - padding + offset};
}

// Returns the sizes of near-equal groups of at most `most` that add up to `count`.
inline std::vector<int> groups_of(int count, int most) {
    const int groups = (count + most - 1) / most;
    std::vector<int> sizes(groups, count / groups);
    for (int extra = 0; extra < count % groups; ++extra) ++sizes[extra];
    return sizes;
}

}  // namespace flyweight
