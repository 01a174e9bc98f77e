/* What is done to the sum of a convolution before it is stored. */
struct finish {
    const float *scale; /* of each channel, behind the activation; NULL: none */
    const float *shift; /* of each channel */
    float (*activation)(float value, float slope); /* NULL: none */
    float slope;
    uint8_t rectify, relu;
};

static APART float finished(const struct finish *a, float value, int32_t channel)
{
    if (a->rectify && value < 0.0f) {
        value = 0.0f;
    }
    if (a->scale) {
        value = value * a->scale[channel] + a->shift[channel];
    }
    if (a->activation) {
        value = a->activation(value, a->slope);
    }
    return a->relu && value < 0.0f ? 0.0f : value;
}
