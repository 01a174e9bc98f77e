/* The norm of each of some groups of channels. */
struct group_norm {
    const int32_t *factor; /* of each channel */
    const int32_t *offset; /* of each channel */
    uint32_t epsilon_high, epsilon_low; /* in units of the squares */
    place in, out;
    uint32_t pixels;
    uint16_t channels, group_channels;
    uint8_t shift;
    int8_t zero, low;
};

/* Returns the largest number whose square is no larger. */
static uint32_t root_of(uint64_t square)
{
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 31; bit != 0; bit >>= 1) {
        if ((root | bit) * (root | bit) <= square) {
            root |= bit;
        }
    }
    return (uint32_t)root;
}

static void normalise_group(const struct group_norm *a, int8_t *arena, uint32_t first)
{
    const int32_t size = (int32_t)a->pixels * a->group_channels;
    int64_t total = 0, squares = 0;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        const int8_t *in = arena + a->in + pixel * a->channels + first;
        for (uint16_t channel = 0; channel < a->group_channels; ++channel) {
            const int32_t value = in[channel] - a->zero;
            total += value;
            squares += value * value;
        }
    }
    const int64_t spread = size * squares - total * total;
    const uint64_t epsilon = ((uint64_t)a->epsilon_high << 32) | a->epsilon_low;
    const int64_t root = root_of((uint64_t)spread * 65536 + epsilon);
    const int64_t inverse = ((int64_t)1 << 48) / root;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        const int8_t *in = arena + a->in + pixel * a->channels + first;
        int8_t *out = arena + a->out + pixel * a->channels + first;
        for (uint16_t channel = 0; channel < a->group_channels; ++channel) {
            const int64_t distance = (int64_t)(in[channel] - a->zero) * size - total;
            const int64_t ratio = (distance * inverse) >> 20;
            out[channel] = stored(ratio * a->factor[first + channel],
                                  a->offset[first + channel], a->shift, a->low);
        }
    }
}

static void run_group_norm(const void *arguments, int8_t *arena)
{
    const struct group_norm *a = arguments;
    for (uint32_t first = 0; first < a->channels; first += a->group_channels) {
        normalise_group(a, arena, first);
    }
}
