/* A convolution or a linear layer; of the windows of a pool, the greatest result is stored. */
struct convolution {
    const int8_t *weights; /* [out_channels][window_height][window_width][group_channels] */
    const int32_t *bias;   /* of each output channel */
    const int32_t *factor; /* of each output channel */
    const int32_t *offset; /* of each output channel; NULL: zero_stored */
    const int8_t *table;   /* an activation, from -128 on; NULL: none */
    struct windows windows;
    uint16_t group_channels, group_out_channels;
    uint8_t shift, rectify;
    int8_t zero, zero_stored, low;
};

static int32_t dot(const int8_t *map, const int8_t *weights, int32_t count, int32_t zero)
{
    int32_t sum = 0;
    while (count-- > 0) {
        sum += (*map++ - zero) * *weights++;
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
    int32_t sum = a->bias[channel];
    map += left * w->channels + channel / a->group_out_channels * count;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int8_t *in =
            map + (rows->first + row * w->dilation_height) * w->width * w->channels;
        const int8_t *weights =
            a->weights +
            ((channel * w->window_height + row) * w->window_width + columns->from) * count;
        if (is_run) {
            sum += dot(in, weights, taps * count, a->zero);
            continue;
        }
        for (int32_t tap = 0; tap < taps; ++tap) {
            sum += dot(in, weights, count, a->zero);
            in += w->dilation_width * w->channels;
            weights += count;
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

static void run_convolution(const void *arguments, element *arena)
{
    const struct convolution *a = arguments;
    run_windows(&a->windows, a, arena, convolved);
}
