/* The greatest or the mean of each window. */
struct pool {
    const int32_t *factor; /* of a mean, one number; NULL: the greatest */
    place in, out;
    uint16_t height, width, channels;
    uint16_t out_height, out_width;
    uint16_t window_height, window_width;
    uint8_t stride_height, stride_width;
    uint8_t padding_height, padding_width;
    uint8_t shift;
    int8_t zero, zero_stored, low;
};

static int8_t pool_at(const struct pool *a, const int8_t *map, const struct span *rows,
                      const struct span *columns)
{
    int32_t sum = 0;
    int8_t greatest = a->low;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row;
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            const int8_t value = map[(y * a->width + columns->first + tap) * a->channels];
            sum += value - a->zero;
            if (value > greatest) {
                greatest = value;
            }
        }
    }
    if (!a->factor) {
        return greatest;
    }
    return stored((int64_t)sum * *a->factor, a->zero_stored * 65536, a->shift, a->low);
}

static void run_pool(const void *arguments, int8_t *arena)
{
    const struct pool *a = arguments;
    int8_t *out = arena + a->out;
    for (int32_t pixel = 0; pixel < a->out_height * a->out_width; ++pixel) {
        const struct span rows =
            span_of(pixel / a->out_width * a->stride_height - a->padding_height,
                    a->window_height, 1, a->height);
        const struct span columns =
            span_of(pixel % a->out_width * a->stride_width - a->padding_width, a->window_width, 1,
                    a->width);
        for (int32_t channel = 0; channel < a->channels; ++channel) {
            *out++ = pool_at(a, arena + a->in + channel, &rows, &columns);
        }
    }
}
