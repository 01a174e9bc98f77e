/* A scale and a shift for each channel. */
struct affine {
    const float *scale; /* of each channel */
    const float *shift; /* of each channel */
    place in, out;
    uint32_t pixels;
    uint16_t channels;
    uint8_t relu;
};

static void run_affine(const void *arguments, float *arena)
{
    const struct affine *a = arguments;
    const float *in = arena + a->in;
    float *out = arena + a->out;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        for (uint16_t channel = 0; channel < a->channels; ++channel) {
            const float value = *in++ * a->scale[channel] + a->shift[channel];
            *out++ = a->relu && value < 0.0f ? 0.0f : value;
        }
    }
}
