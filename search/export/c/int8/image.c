/* Turns pixels of 0 to 255 into the first map, in place. */
struct image {
    const int32_t *factor; /* of each channel */
    const int32_t *offset; /* of each channel */
    place map;
    uint32_t pixels;
    uint16_t channels;
    uint8_t shift;
};

static void run_image(const void *arguments, int8_t *arena)
{
    const struct image *a = arguments;
    int8_t *map = arena + a->map;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        for (uint16_t channel = 0; channel < a->channels; ++channel, ++map) {
            int64_t product = (int64_t)(uint8_t)*map * a->factor[channel];
            *map = stored(product, a->offset[channel], a->shift, INT8_MIN);
        }
    }
}
