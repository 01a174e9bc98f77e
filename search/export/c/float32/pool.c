/* The greatest or the mean of each window. */
struct pool {
    place in, out;
    uint16_t height, width, channels;
    uint16_t out_height, out_width;
    uint16_t window_height, window_width;
    uint8_t stride_height, stride_width;
    uint8_t padding_height, padding_width;
    uint8_t is_mean, relu;
};

static float pool_at(const struct pool *a, const float *map, const struct span *rows,
                     const struct span *columns)
{
    float sum = 0.0f;
    float greatest = 0.0f;
    int is_first = 1;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row;
        float of_row = 0.0f; /* many values in one sum would lose digits */
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            const float value = map[(y * a->width + columns->first + tap) * a->channels];
            of_row += value;
            if (is_first || value > greatest) {
                greatest = value;
                is_first = 0;
            }
        }
        sum += of_row;
    }
    const float value =
        a->is_mean ? sum / (float)(a->window_height * a->window_width) : greatest;
    return a->relu && value < 0.0f ? 0.0f : value;
}

static void run_pool(const void *arguments, float *arena)
{
    const struct pool *a = arguments;
    float *out = arena + a->out;
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
