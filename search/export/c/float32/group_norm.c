/* The norm of each of some groups of channels. */
struct group_norm {
    const float *scale; /* of each channel */
    const float *shift; /* of each channel */
    float epsilon;
    place in, out;
    uint32_t pixels;
    uint16_t channels, group_channels;
    uint8_t relu;
};

static void normalise_group(const struct group_norm *a, float *arena, uint32_t first)
{
    const float size = (float)(a->pixels * a->group_channels);
    float mean = 0.0f, variance = 0.0f;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        const float *in = arena + a->in + pixel * a->channels + first;
        float of_pixel = 0.0f; /* many values in one sum would lose digits */
        for (uint16_t channel = 0; channel < a->group_channels; ++channel) {
            of_pixel += in[channel];
        }
        mean += of_pixel / size;
    }
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        const float *in = arena + a->in + pixel * a->channels + first;
        float of_pixel = 0.0f;
        for (uint16_t channel = 0; channel < a->group_channels; ++channel) {
            of_pixel += (in[channel] - mean) * (in[channel] - mean);
        }
        variance += of_pixel / size;
    }
    const float factor = 1.0f / sqrtf(variance + a->epsilon);
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        const float *in = arena + a->in + pixel * a->channels + first;
        float *out = arena + a->out + pixel * a->channels + first;
        for (uint16_t channel = 0; channel < a->group_channels; ++channel) {
            const float value = (in[channel] - mean) * factor * a->scale[first + channel] +
                                a->shift[first + channel];
            out[channel] = a->relu && value < 0.0f ? 0.0f : value;
        }
    }
}

static void run_group_norm(const void *arguments, float *arena)
{
    const struct group_norm *a = arguments;
    for (uint32_t first = 0; first < a->channels; first += a->group_channels) {
        normalise_group(a, arena, first);
    }
}
