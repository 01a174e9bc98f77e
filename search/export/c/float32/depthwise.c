/* A convolution of each channel by itself; of the windows of a pool, the greatest is stored. */
struct depthwise {
    const float *weights; /* [window_height][window_width][channels] */
    const float *bias;    /* of each channel */
    struct finish finish;
    struct windows windows;
};

static element depthwise_at(const void *layer, const element *map, const struct span *rows,
                            const struct span *columns, int32_t channel)
{
    const struct depthwise *a = layer;
    const struct windows *w = &a->windows;
    const int32_t channels = w->channels;
    const int32_t left = columns->first + columns->from * w->dilation_width;
    float sum = a->bias[channel];
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row * w->dilation_height;
        const float *in = map + (y * w->width + left) * channels + channel;
        const float *weights =
            a->weights + (row * w->window_width + columns->from) * channels + channel;
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            sum += *in * *weights;
            in += w->dilation_width * channels;
            weights += channels;
        }
    }
    return finished(&a->finish, sum, channel);
}

static void run_depthwise(const void *arguments, element *arena)
{
    const struct depthwise *a = arguments;
    run_windows(&a->windows, a, arena, depthwise_at);
}
