// The loss of a batch and its gradient in the logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>

namespace flyweight {

struct Judgement {
    // Mean over the images.
    double loss = 0;
    // Images whose label has the largest logit, the first of equal ones.
    int64_t right = 0;
};

// Cross entropy of softmax against labels, of which a share `smoothing` is spread over all classes.
inline Judgement judge(const float* logits, const int64_t* labels, int images, int classes,
                       double smoothing, float* gradient) {
    Judgement all;
    for (int image = 0; image < images; ++image, logits += classes, gradient += classes) {
        const float* most = std::max_element(logits, logits + classes);
        double total = 0, sum = 0;
        for (int c = 0; c < classes; ++c) {
            total += std::exp(static_cast<double>(logits[c]) - *most);
            sum += logits[c];
        }
        const double log_total = *most + std::log(total);
        const int64_t label = labels[image];
        if (label < 0 || label >= classes) throw std::out_of_range("no such class");
        all.loss += (1 - smoothing) * (log_total - logits[label]) +
                    smoothing * (log_total - sum / classes);
        all.right += most - logits == label;
        for (int c = 0; c < classes; ++c) {
            const double wanted = (c == label ? 1 - smoothing : 0) + smoothing / classes;
            gradient[c] =
                static_cast<float>((std::exp(logits[c] - log_total) - wanted) / images);
        }
    }
    all.loss /= images;
    return all;
}

}  // namespace flyweight
