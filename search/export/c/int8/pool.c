/* The greatest or the mean of each window. */
struct pool {
    const int32_t *factor; /* of a mean, one number; NULL: the greatest */
    struct windows windows;
    uint8_t shift;
    int8_t zero, zero_stored, low;
};

static element pool_at(const void *layer, const element *map, const struct span *rows,
                       const struct span *columns, int32_t channel)
{
    const struct pool *a = layer;
    const struct windows *w = &a->windows;
    int32_t sum = 0;
    int8_t greatest = a->low;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row;
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            const int8_t value = map[(y * w->width + columns->first + tap) * w->channels + channel];
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

static void run_pool(const void *arguments, element *arena)
{
    const struct pool *a = arguments;
    run_windows(&a->windows, a, arena, pool_at);
}
