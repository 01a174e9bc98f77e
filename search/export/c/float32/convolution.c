/* A convolution or a linear layer; of the windows of a pool, the greatest result is stored. */
struct convolution {
    const float *weights; /* [out_channels][kernel_height][kernel_width][group_channels] */
    const float *bias;    /* of each output channel */
    struct finish finish;
    place in, out;
    uint16_t height, width, channels;
    uint16_t out_height, out_width, out_channels;
    uint16_t group_channels, group_out_channels;
    uint8_t kernel_height, kernel_width, stride_height, stride_width;
    uint8_t padding_height, padding_width, dilation_height, dilation_width;
    uint8_t pool_height, pool_width;
};

static float dot(const float *map, const float *weights, int32_t count)
{
    float sum = 0.0f;
    while (count-- > 0) {
        sum += *map++ * *weights++;
    }
    return sum;
}

static float convolved(const struct convolution *a, const float *map, const struct span *rows,
                       const struct span *columns, int32_t channel)
{
    const int32_t count = a->group_channels;
    const int32_t taps = columns->to - columns->from;
    /* Taps side by side are one run of memory where the kernel reads all channels. */
    const int is_run = a->dilation_width == 1 && count == a->channels;
    const int32_t left = columns->first + columns->from * a->dilation_width;
    float sum = a->bias[channel];
    map += left * a->channels + channel / a->group_out_channels * count;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const float *in =
            map + (rows->first + row * a->dilation_height) * a->width * a->channels;
        const float *weights =
            a->weights +
            ((channel * a->kernel_height + row) * a->kernel_width + columns->from) * count;
        if (is_run) {
            sum += dot(in, weights, taps * count);
            continue;
        }
        for (int32_t tap = 0; tap < taps; ++tap) {
            sum += dot(in, weights, count);
            in += a->dilation_width * a->channels;
            weights += count;
        }
    }
    return finished(&a->finish, sum, channel);
}

static void run_convolution(const void *arguments, float *arena)
{
    const struct convolution *a = arguments;
    const float *map = arena + a->in;
    float *out = arena + a->out;
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
                const float value = convolved(a, map, &rows, &columns, channel);
                if (part == 0 || value > out[channel]) {
                    out[channel] = value;
                }
            }
        }
        out += a->out_channels;
    }
}
