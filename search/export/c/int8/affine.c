/* A scale and a shift for each channel. */
struct affine {
    const int32_t *factor; /* of each channel */
    const int32_t *offset; /* of each channel */
    place in, out;
    uint32_t pixels;
    uint16_t channels;
    uint8_t shift;
    int8_t zero, low;
};

static void run_affine(const void *arguments, int8_t *arena)
{
    const struct affine *a = arguments;
    const int8_t *in = arena + a->in;
    int8_t *out = arena + a->out;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        for (uint16_t channel = 0; channel < a->channels; ++channel) {
            const int64_t product = (int64_t)(*in++ - a->zero) * a->factor[channel];
            *out++ = stored(product, a->offset[channel], a->shift, a->low);
        }
    }
}
