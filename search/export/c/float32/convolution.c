/* A convolution or a linear layer; of the windows of a pool, the greatest result is stored. */
struct convolution {
    const float *weights; /* [out_channels][window_height][window_width][group_channels] */
    const float *bias;    /* of each output channel */
    struct finish finish;
    struct windows windows;
    uint16_t group_channels, group_out_channels;
};

static float dot(const float *map, const float *weights, int32_t count)
{
    float sum = 0.0f;
    while (count-- > 0) {
        sum += *map++ * *weights++;
    }
    return sum;
}

static element convolved(const void *layer, const element *map, const struct span *rows,
                         const struct span *columns, int32_t channel)
{
    const struct convolution *a = layer;
    const struct windows *w = &a->windows;
    const int32_t count = a->group_channels;
    const int32_t taps = columns->to - columns->from;
    /* Taps side by side are one run of memory where the kernel reads all channels. */
    const int is_run = w->dilation_width == 1 && count == w->channels;
    const int32_t left = columns->first + columns->from * w->dilation_width;
    float sum = a->bias[channel];
    map += left * w->channels + channel / a->group_out_channels * count;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const float *in =
            map + (rows->first + row * w->dilation_height) * w->width * w->channels;
        const float *weights =
            a->weights +
            ((channel * w->window_height + row) * w->window_width + columns->from) * count;
        if (is_run) {
            sum += dot(in, weights, taps * count);
            continue;
        }
        for (int32_t tap = 0; tap < taps; ++tap) {
            sum += dot(in, weights, count);
            in += w->dilation_width * w->channels;
            weights += count;
        }
    }
    return finished(&a->finish, sum, channel);
}

static void run_convolution(const void *arguments, element *arena)
{
    const struct convolution *a = arguments;
    run_windows(&a->windows, a, arena, convolved);
}
