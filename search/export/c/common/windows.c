/* Windows that slide over a map, and the map that is made of them, of which a pool may keep the
   greatest of some windows side by side. */
struct windows {
    place in, out;
    uint16_t height, width, channels;
    uint16_t out_height, out_width, out_channels;
    uint16_t window_height, window_width;
    uint8_t stride_height, stride_width, padding_height, padding_width;
    uint8_t dilation_height, dilation_width;
    uint8_t pool_height, pool_width;
};

/* Computes one value of one window. */
typedef element window_value(const void *layer, const element *map, const struct span *rows,
                             const struct span *columns, int32_t channel);

static APART void run_windows(const struct windows *w, const void *layer, element *arena,
                              window_value *value_of)
{
    const element *map = arena + w->in;
    element *out = arena + w->out;
    for (int32_t pixel = 0; pixel < w->out_height * w->out_width; ++pixel) {
        const int32_t top = pixel / w->out_width * w->pool_height;
        const int32_t left = pixel % w->out_width * w->pool_width;
        for (int32_t part = 0; part < w->pool_height * w->pool_width; ++part) {
            const struct span rows = span_of(
                (top + part / w->pool_width) * w->stride_height - w->padding_height,
                w->window_height, w->dilation_height, w->height);
            const struct span columns = span_of(
                (left + part % w->pool_width) * w->stride_width - w->padding_width,
                w->window_width, w->dilation_width, w->width);
            for (int32_t channel = 0; channel < w->out_channels; ++channel) {
                const element value = value_of(layer, map, &rows, &columns, channel);
                if (part == 0 || value > out[channel]) {
                    out[channel] = value;
                }
            }
        }
        out += w->out_channels;
    }
}
