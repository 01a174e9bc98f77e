/* A convolution of each channel by itself; of the windows of a pool, the greatest is stored. */
struct depthwise {
    const int8_t *weights; /* [kernel_height][kernel_width][channels] */
    const int32_t *bias;   /* of each channel */
    const int32_t *factor; /* of each channel */
    const int32_t *offset; /* of each channel; NULL: zero_stored */
    const int8_t *table;   /* an activation, from -128 on; NULL: none */
    place in, out;
    uint16_t height, width, channels;
    uint16_t out_height, out_width;
    uint8_t kernel_height, kernel_width, stride_height, stride_width;
    uint8_t padding_height, padding_width, dilation_height, dilation_width;
    uint8_t pool_height, pool_width;
    uint8_t shift, rectify;
    int8_t zero, zero_stored, low;
};

static int8_t depthwise_at(const struct depthwise *a, const int8_t *map, const struct span *rows,
                           const struct span *columns, int32_t channel)
{
    const int32_t channels = a->channels;
    const int32_t left = columns->first + columns->from * a->dilation_width;
    int32_t sum = a->bias[channel];
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row * a->dilation_height;
        const int8_t *in = map + (y * a->width + left) * channels + channel;
        const int8_t *weights =
            a->weights + (row * a->kernel_width + columns->from) * channels + channel;
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            sum += (*in - a->zero) * *weights;
            in += a->dilation_width * channels;
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

static void run_depthwise(const void *arguments, int8_t *arena)
{
    const struct depthwise *a = arguments;
    const int8_t *map = arena + a->in;
    int8_t *out = arena + a->out;
    for (int32_t pixel = 0; pixel < a->out_height * a->out_width; ++pixel) {
        const int32_t top = pixel / a->out_width * a->pool_height;
        const int32_t left = pixel % a->out_width * a->pool_width;
        for (int32_t part = 0; part < a->pool_height * a->pool_width; ++part) {
            const struct span rows = span_of(
                (top + part / a->pool_width) * a->stride_height - a->padding_height,
                a->kernel_height, a->dilation_height, a->height);
            const struct span columns = span_of(
                (left + part % a->pool_width) * a->stride_width - a->padding_width,
                a->kernel_width, a->dilation_width, a->width);
            for (int32_t channel = 0; channel < a->channels; ++channel) {
                const int8_t value = depthwise_at(a, map, &rows, &columns, channel);
                if (part == 0 || value > out[channel]) {
                    out[channel] = value;
                }
            }
        }
        out += a->channels;
    }
}
