/* A convolution of each channel by itself; of the windows of a pool, the greatest is stored. */
struct depthwise {
    const float *weights; /* [kernel_height][kernel_width][channels] */
    const float *bias;    /* of each channel */
    struct finish finish;
    place in, out;
    uint16_t height, width, channels;
    uint16_t out_height, out_width;
    uint8_t kernel_height, kernel_width, stride_height, stride_width;
    uint8_t padding_height, padding_width, dilation_height, dilation_width;
    uint8_t pool_height, pool_width;
};

static float depthwise_at(const struct depthwise *a, const float *map, const struct span *rows,
                          const struct span *columns, int32_t channel)
{
    const int32_t channels = a->channels;
    const int32_t left = columns->first + columns->from * a->dilation_width;
    float sum = a->bias[channel];
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row * a->dilation_height;
        const float *in = map + (y * a->width + left) * channels + channel;
        const float *weights =
            a->weights + (row * a->kernel_width + columns->from) * channels + channel;
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            sum += *in * *weights;
            in += a->dilation_width * channels;
            weights += channels;
        }
    }
    return finished(&a->finish, sum, channel);
}

static void run_depthwise(const void *arguments, float *arena)
{
    const struct depthwise *a = arguments;
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
            for (int32_t channel = 0; channel < a->channels; ++channel) {
                const float value = depthwise_at(a, map, &rows, &columns, channel);
                if (part == 0 || value > out[channel]) {
                    out[channel] = value;
                }
            }
        }
        out += a->channels;
    }
}
