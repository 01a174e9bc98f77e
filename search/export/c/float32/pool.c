/* The greatest or the mean of each window. */
struct pool {
    struct windows windows;
    uint8_t is_mean, relu;
};

static element pool_at(const void *layer, const element *map, const struct span *rows,
                       const struct span *columns, int32_t channel)
{
    const struct pool *a = layer;
    const struct windows *w = &a->windows;
    float sum = 0.0f;
    float greatest = 0.0f;
    int is_first = 1;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row;
        float of_row = 0.0f; /* many values in one sum would lose digits */
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            const float value = map[(y * w->width + columns->first + tap) * w->channels + channel];
            of_row += value;
            if (is_first || value > greatest) {
                greatest = value;
                is_first = 0;
            }
        }
        sum += of_row;
    }
    const float value =
        a->is_mean ? sum / (float)(w->window_height * w->window_width) : greatest;
    return a->relu && value < 0.0f ? 0.0f : value;
}

static void run_pool(const void *arguments, element *arena)
{
    const struct pool *a = arguments;
    run_windows(&a->windows, a, arena, pool_at);
}
