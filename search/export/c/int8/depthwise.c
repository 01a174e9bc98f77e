/* A convolution of each channel by itself; of the windows of a pool, the greatest is stored. */
struct depthwise {
    const int8_t *weights; /* [window_height][window_width][channels] */
    const int32_t *bias;   /* of each channel */
    const int32_t *factor; /* of each channel */
    const int32_t *offset; /* of each channel; NULL: zero_stored */
    const int8_t *table;   /* an activation, from -128 on; NULL: none */
    struct windows windows;
    uint8_t shift, rectify;
    int8_t zero, zero_stored, low;
};

static element depthwise_at(const void *layer, const element *map, const struct span *rows,
                            const struct span *columns, int32_t channel)
{
    const struct depthwise *a = layer;
    const struct windows *w = &a->windows;
    const int32_t channels = w->channels;
    const int32_t left = columns->first + columns->from * w->dilation_width;
    int32_t sum = a->bias[channel];
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row * w->dilation_height;
        const int8_t *in = map + (y * w->width + left) * channels + channel;
        const int8_t *weights =
            a->weights + (row * w->window_width + columns->from) * channels + channel;
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            sum += (*in - a->zero) * *weights;
            in += w->dilation_width * channels;
            weights += channels;
        }
    }
    if (a->rectify && sum < 0) {
        sum = 0;
    }
    const int32_t offset = a->offset ? a->offset[channel] : a->zero_stored * 65536;
    const int8_t value =
        stored((int64_t)sum * a->factor[channel], offset, a->shift, a->low);
    return a->table ? a->table[value + 128] : value;
}

static void run_depthwise(const void *arguments, element *arena)
{
    const struct depthwise *a = arguments;
    run_windows(&a->windows, a, arena, depthwise_at);
}
