// The loss of a batch and its gradient with respect to the logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace flyweight {

// A label is not the number of a class.
struct NoSuchClass : std::out_of_range {
    using std::out_of_range::out_of_range;
};

struct LossResult {
    // The mean over the images.
    double loss = 0;
    // Images whose label has the largest logit; of equal logits the first counts.
    int64_t correct = 0;
};

// Cross entropy of the softmax. A share `smoothing` of each target is spread over all classes.
inline LossResult cross_entropy(const float* logits, const int64_t* labels, int images, int classes,
                                double smoothing, float* gradient) {
    LossResult result;
    for (int image = 0; image < images; ++image, logits += classes, gradient += classes) {
        const float* largest = std::max_element(logits, logits + classes);
        double total = 0, sum = 0;
        for (int c = 0; c < classes; ++c) {
            total += std::exp(static_cast<double>(logits[c]) - *largest);
            sum += logits[c];
        }
        const double log_total = *largest + std::log(total);
        const int64_t label = labels[image];
        if (label < 0 || label >= classes)
            throw NoSuchClass("label " + std::to_string(label) + " is outside 0 to " +
                              std::to_string(classes - 1));
        result.loss +=
            (1 - smoothing) * (log_total - logits[label]) + smoothing * (log_total - sum / classes);
        result.correct += largest - logits == label;
        for (int c = 0; c < classes; ++c) {
            const double target = (c == label ? 1 - smoothing : 0) + smoothing / classes;
            gradient[c] = static_cast<float>((std::exp(logits[c] - log_total) - target) / images);
        }
    }
    result.loss /= images;
    return result;
}

}  // namespace flyweight
