/* Normalises an image, in place. */
struct image {
    const float *scale; /* of each channel */
    const float *shift; /* of each channel */
    place map;
    uint32_t pixels;
    uint16_t channels;
};

static void run_image(const void *arguments, float *arena)
{
    const struct image *a = arguments;
    float *map = arena + a->map;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        for (uint16_t channel = 0; channel < a->channels; ++channel, ++map) {
            *map = *map * a->scale[channel] + a->shift[channel];
        }
    }
}
