// The sum of two maps: a skip connection.
#pragma once

#include "kernels/elementwise.h"
#include "operations/operation.h"

namespace flyweight {

class Addition : public Operation {
public:
    Addition(Map& left, Map& right, Map& output) : left_(left), right_(right), output_(output) {}

    void allocate(int, int) override {}
    void prepare(bool) override {}
    void forward(const Batch&, BlockContext context) override { infer(context); }

    void infer(BlockContext context) override {
        add_maps(left_.at(context), right_.at(context), output_.at(context), output_.block());
    }

    void claim_gradients() override {
        overwrites_left_ = claim(left_, true);
        overwrites_right_ = claim(right_, true);
    }

    void backward(const Batch&, BlockContext context) override {
        const float* from = output_.gradient_at(context);
        const ptrdiff_t count = output_.block();
        pass_gradient(from, left_.gradient_at(context), count, overwrites_left_);
        pass_gradient(from, right_.gradient_at(context), count, overwrites_right_);
    }

private:
    Map &left_, &right_, &output_;
    bool overwrites_left_ = false, overwrites_right_ = false;
};

}  // namespace flyweight
