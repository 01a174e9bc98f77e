/* A convolution or a linear layer; of the windows of a pool, the greatest result is stored. */
struct convolution {
    const int8_t *weights; /* [out_channels][kernel_height][kernel_width][group_channels] */
    const int32_t *bias;   /* of each output channel */
    const int32_t *factor; /* of each output channel */
    const int32_t *offset; /* of each output channel; NULL: zero_stored */
    const int8_t *table;   /* an activation, from -128 on; NULL: none */
    place in, out;
    uint16_t height, width, channels;
    uint16_t out_height, out_width, out_channels;
    uint16_t group_channels, group_out_channels;
    uint8_t kernel_height, kernel_width, stride_height, stride_width;
    uint8_t padding_height, padding_width, dilation_height, dilation_width;
    uint8_t pool_height, pool_width;
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

static int8_t convolved(const struct convolution *a, const int8_t *map, const struct span *rows,
                        const struct span *columns, int32_t channel)
{
    const int32_t count = a->group_channels;
    const int32_t taps = columns->to - columns->from;
    /* Taps side by side are one run of memory where the kernel reads all channels. */
    const int is_run = a->dilation_width == 1 && count == a->channels;
    const int32_t left = columns->first + columns->from * a->dilation_width;
    int32_t sum = a->bias[channel];
    map += left * a->channels + channel / a->group_out_channels * count;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int8_t *in =
            map + (rows->first + row * a->dilation_height) * a->width * a->channels;
        const int8_t *weights =
            a->weights +
            ((channel * a->kernel_height + row) * a->kernel_width + columns->from) * count;
        if (is_run) {
            sum += dot(in, weights, taps * count, a->zero);
            continue;
        }
        for (int32_t tap = 0; tap < taps; ++tap) {
            sum += dot(in, weights, count, a->zero);
            in += a->dilation_width * a->channels;
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

static void run_convolution(const void *arguments, int8_t *arena)
{
    const struct convolution *a = arguments;
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
            for (int32_t channel = 0; channel < a->out_channels; ++channel) {
                const int8_t value = convolved(a, map, &rows, &columns, channel);
                if (part == 0 || value > out[channel]) {
                    out[channel] = value;
                }
            }
        }
        out += a->out_channels;
    }
}
