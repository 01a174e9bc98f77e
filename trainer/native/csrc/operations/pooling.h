// Max pooling and average pooling.
#pragma once

#include "kernels/pool.h"
#include "operations/operation.h"

namespace flyweight {

class Pooling : public Operation {
public:
    Pooling(Map& input, Map& output, Windows windows, bool takes_largest)
        : input_(input), output_(output), takes_largest_(takes_largest), windows_(windows) {}

    void allocate(int, int) override {}
    void prepare(bool) override {}
    void claim_gradients() override { overwrites_ = claim(input_, true); }
    void forward(const Batch&, BlockContext context) override { infer(context); }

    void infer(BlockContext context) override {
        (takes_largest_ ? max_pool : average_pool)(windows_, input_.at(context),
                                                   output_.at(context));
    }

    void backward(const Batch&, BlockContext context) override {
        float* gradient = input_.gradient_at(context);
        const float* from = output_.gradient_at(context);
        if (overwrites_) clear_rest(windows_, gradient);
        if (overwrites_ && windows_.touch())
            pass_back<true>(context, from, gradient);
        else
            pass_back<false>(context, from, gradient);
    }

private:
    template <bool overwrite>
    void pass_back(BlockContext context, const float* from, float* gradient) const {
        if (takes_largest_)
            max_pool_backward<overwrite>(windows_, input_.at(context), output_.at(context), from,
                                         gradient);
        else
            average_pool_backward<overwrite>(windows_, from, gradient);
    }

    Map &input_, &output_;
    bool takes_largest_;
    Windows windows_;
    bool overwrites_ = false;
};

}  // namespace flyweight
