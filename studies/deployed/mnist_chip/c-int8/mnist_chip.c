/* mnist-chip: a network of 5,176 parameters in whole numbers of 8 bits,
   for mnist.
   Written by flyweight. Standard C99 without heap; README.md tells more.
   Functions: (c) 2026 The flyweight authors, MIT licence. Weights: whoever trained them. */
#include "mnist_chip.h"

#include <stddef.h>

/* A function of its own, so that its bytes do not depend on what calls it. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define APART __attribute__((noipa))
#else
#define APART
#endif

/* A place in the arena, in elements. */
typedef uint16_t place;
typedef int8_t element;

/* Multiplies by factor / 2^shift, adds an offset in units of 2^-16, rounds to the nearest. */
static APART int8_t stored(int64_t product, int32_t offset, uint8_t shift, int8_t low)
{
    int64_t value = product + (int64_t)offset * ((int64_t)1 << (shift - 16));
    value = (value + ((int64_t)1 << (shift - 1))) >> shift;
    return value < low ? low : value > INT8_MAX ? INT8_MAX : (int8_t)value;
}

/* Turns pixels of 0 to 255 into the first map, in place. */
struct image {
    const int32_t *factor; /* of each channel */
    const int32_t *offset; /* of each channel */
    place map;
    uint32_t pixels;
    uint16_t channels;
    uint8_t shift;
};

static void run_image(const void *arguments, int8_t *arena)
{
    const struct image *a = arguments;
    int8_t *map = arena + a->map;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        for (uint16_t channel = 0; channel < a->channels; ++channel, ++map) {
            int64_t product = (int64_t)(uint8_t)*map * a->factor[channel];
            *map = stored(product, a->offset[channel], a->shift, INT8_MIN);
        }
    }
}

/* The taps of a window, along one side of a map, that lie on the map. */
struct span {
    int32_t first;    /* position of the first tap, which may lie before the map */
    int32_t from, to; /* the first tap on the map, and one behind the last */
};

static APART struct span span_of(int32_t first, int32_t taps, int32_t dilation, int32_t side)
{
    struct span span = {first, 0, taps};
    while (span.from < taps && first + span.from * dilation < 0) {
        ++span.from;
    }
    while (span.to > span.from && first + (span.to - 1) * dilation >= side) {
        --span.to;
    }
    return span;
}

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

/* The greatest or the mean of each window. */
struct pool {
    const int32_t *factor; /* of a mean, one number; NULL: the greatest */
    struct windows windows;
    uint8_t shift;
    int8_t zero, zero_stored, low;
};

static element pool_at(const void *layer, const element *map, const struct span *rows,
                       const struct span *columns, int32_t channel)
{
    const struct pool *a = layer;
    const struct windows *w = &a->windows;
    int32_t sum = 0;
    int8_t greatest = a->low;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row;
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            const int8_t value = map[(y * w->width + columns->first + tap) * w->channels + channel];
            sum += value - a->zero;
            if (value > greatest) {
                greatest = value;
            }
        }
    }
    if (!a->factor) {
        return greatest;
    }
    return stored((int64_t)sum * *a->factor, a->zero_stored * 65536, a->shift, a->low);
}

static void run_pool(const void *arguments, element *arena)
{
    const struct pool *a = arguments;
    run_windows(&a->windows, a, arena, pool_at);
}

/* factors */
static const int32_t factor_1[1] = {
    536870912,
};

/* offsets */
static const int32_t offset_1[1] = {
    -8409476,
};

/* the image */
static const struct image layer_1 = {
    .factor = factor_1, .offset = offset_1, .map = 2958, .pixels = 784, .channels = 1,
    .shift = 29,
};

/* weights of line1.conv */
static const int8_t weights_2[125] = {
    10, -9, 12, 7, -10, -22, 42, -3, -40, -33, 73, 104, -17, -90, -68, 127, 72, -28, -51, -27,
    -39, -5, -24, -27, -7, -3, -80, -57, -54, -52, -22, 70, 126, 19, -42, -36, 91, 127, 46, -29,
    -2, -19, -16, 24, 4, -34, -24, -24, 25, -3, -45, -74, -47, -40, -37, -127, -115, 33, 105,
    41, -114, -42, 94, 113, 45, 8, 38, 61, 33, 44, 62, -22, -37, -50, 51, -125, 88, 75, -9, -58,
    -127, -51, -37, -16, -19, 57, -32, -85, -72, -56, 87, -15, -69, -81, -111, -10, -4, 4, 32,
    -51, -9, -30, -30, -25, -21, -58, -44, 66, 83, 81, -42, 38, 127, 60, 0, 5, -8, -36, -65,
    -31, 3, -33, -39, -2, 21,
};

/* biases of line1.conv */
static const int32_t bias_2[5] = {
    -9365, 19837, -18031, 19590, 18620,
};

/* factors */
static const int32_t factor_2[5] = {
    416429732, 617854097, 310894438, 284081521, 641786770,
};

/* line1.conv conv5 5 pad1 */
static const struct convolution layer_2 = {
    .weights = weights_2, .bias = bias_2, .factor = factor_2, .windows.in = 2958,
    .windows.out = 274, .windows.height = 28, .windows.width = 28, .windows.channels = 1,
    .windows.out_height = 26, .windows.out_width = 26, .windows.out_channels = 5,
    .windows.window_height = 5, .windows.window_width = 5, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 1, .windows.padding_width = 1,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .group_channels = 1, .group_out_channels = 5, .shift = 38,
    .rectify = 0, .zero = -95, .zero_stored = -128, .low = -128,
};

/* weights of line2.conv */
static const int8_t weights_3[315] = {
    -28, -94, 10, 107, -93, -27, -18, -5, 127, 29, -57, 6, 38, 14, 101, -5, 16, 3, -46, -65, 16,
    -82, -37, 81, -53, -35, -99, -22, 90, 118, 72, 84, 116, -63, -66, -1, -11, 16, -3, -97, 7,
    -71, -33, 89, 1, -33, 37, 75, 10, -18, -97, -10, 13, -42, -63, -99, -16, -27, -124, -28,
    -46, 47, 31, 16, -54, -83, -106, -33, -54, -103, -65, -97, -19, -102, 45, -25, 56, 64, -31,
    30, -41, -64, 35, -48, 19, 23, 26, 34, -95, 127, -49, 48, -8, -45, -37, -51, -6, -32, 4,
    -27, -89, -113, -34, 0, -108, -2, 74, -4, -53, 49, -19, 127, -59, -21, 83, -60, -2, -76,
    -12, 39, -2, -74, 7, -52, -24, 19, 19, -14, -46, -9, -27, 40, -77, -43, -14, -120, -41, -15,
    12, -20, -54, -37, -34, -16, -14, -50, -78, -25, -3, 44, -13, -87, 25, 65, -11, 7, -51, -31,
    52, -72, -27, -79, -26, 54, -127, -1, 42, 40, 67, 1, -42, 69, 38, 39, -41, -66, 92, 68, 61,
    -38, 30, -30, -7, -29, 34, 6, 32, 21, 0, 55, -39, 29, 20, 7, 3, 48, 38, -9, -13, 10, -40,
    19, -15, -15, -81, -58, -74, -34, -14, -127, -43, -51, -19, -2, -21, -49, -65, -16, -38,
    -67, -21, -42, 23, -43, -11, -14, 55, -70, -62, 4, -68, 47, -29, -40, 16, -21, 67, -16, -16,
    51, -16, -20, -9, -21, 20, -127, -2, -57, -9, -3, -70, 52, -56, -6, -26, 61, -25, 13, 14,
    -26, -1, -75, -89, 26, -56, 8, -101, -89, 9, 16, -83, 54, -36, -2, 22, 9, -20, 10, 13, -58,
    -18, -94, -10, -90, -57, 17, 69, 18, 33, 86, 18, -50, -3, 71, -57, -57, -114, 10, -95, 21,
    38, 127, 60, 115, 49, -46, -81, -16, 85, -38, -104, -110, -71, -43, 48,
};

/* biases of line2.conv */
static const int32_t bias_3[7] = {
    6775, 27969, 7043, 18111, 20289, 3866, 1610,
};

/* factors */
static const int32_t factor_3[7] = {
    400323208, 412715961, 539851547, 443841855, 603085742, 497259929, 539299067,
};

/* line2.conv conv3 7 maxpool2 */
static const struct convolution layer_3 = {
    .weights = weights_3, .bias = bias_3, .factor = factor_3, .windows.in = 274,
    .windows.out = 267, .windows.height = 26, .windows.width = 26, .windows.channels = 5,
    .windows.out_height = 12, .windows.out_width = 12, .windows.out_channels = 7,
    .windows.window_height = 3, .windows.window_width = 3, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 0, .windows.padding_width = 0,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 2,
    .windows.pool_width = 2, .group_channels = 5, .group_out_channels = 7, .shift = 37,
    .rectify = 0, .zero = -128, .zero_stored = -128, .low = -128,
};

/* weights of line4.separable.depthwise */
static const int8_t weights_4[63] = {
    -22, -40, 10, 7, 65, 15, 127, 126, 127, 4, -7, -39, 23, 70, 76, 86, 31, 9, 45, -67, 84, 13,
    -2, -44, -80, -127, 7, 6, 127, -5, -92, -127, 22, -127, -74, 31, 56, -127, -19, 83, -23, 6,
    -84, -80, -52, -71, -89, -68, -61, -32, -30, -96, -108, -88, -79, -117, -39, 44, -44, 9, -3,
    -14, -107,
};

/* biases of line4.separable.depthwise */
static const int32_t bias_4[7] = {
    0, 0, 0, 0, 0, 0, 0,
};

/* factors */
static const int32_t factor_4[7] = {
    680751199, 656509167, 515228066, 837087113, 707788149, 738846537, 409646476,
};

/* line4.separable.depthwise depthwise3 pad1 */
static const struct depthwise layer_4 = {
    .weights = weights_4, .bias = bias_4, .factor = factor_4, .windows.in = 267,
    .windows.out = 169, .windows.height = 12, .windows.width = 12, .windows.channels = 7,
    .windows.out_height = 12, .windows.out_width = 12, .windows.out_channels = 7,
    .windows.window_height = 3, .windows.window_width = 3, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 1, .windows.padding_width = 1,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .shift = 38, .rectify = 0, .zero = -128, .zero_stored = 16,
    .low = -128,
};

/* weights of line4.separable.pointwise */
static const int8_t weights_5[56] = {
    4, -127, -37, -1, -97, -39, -12, 127, 17, -27, -42, 32, 65, -69, 33, -5, -127, 113, 3, -25,
    35, -26, -15, 37, 94, -4, 11, -127, -1, 38, -28, 61, 127, 46, 17, -100, -127, -114, -69,
    112, 21, -34, -120, 127, -46, -1, 10, 34, 18, 11, -21, 29, 12, -52, 127, 8,
};

/* biases of line4.separable.pointwise */
static const int32_t bias_5[8] = {
    -472, -2991, 12557, 9944, 5672, 11565, 8528, 7613,
};

/* factors */
static const int32_t factor_5[8] = {
    603738793, 805277222, 535329913, 768901494, 715768484, 591709825, 610367827, 743258215,
};

/* line4.separable.pointwise conv1 8 */
static const struct convolution layer_5 = {
    .weights = weights_5, .bias = bias_5, .factor = factor_5, .windows.in = 169,
    .windows.out = 18, .windows.height = 12, .windows.width = 12, .windows.channels = 7,
    .windows.out_height = 12, .windows.out_width = 12, .windows.out_channels = 8,
    .windows.window_height = 1, .windows.window_width = 1, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 0, .windows.padding_width = 0,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .group_channels = 7, .group_out_channels = 8, .shift = 36,
    .rectify = 0, .zero = 16, .zero_stored = -128, .low = -128,
};

/* weights of line5.conv */
static const int8_t weights_6[648] = {
    25, -34, -127, -101, -63, 2, -62, -1, 28, 9, -38, -23, -41, -78, -19, -43, 54, 53, -12, -17,
    -32, 33, -36, -67, -14, -22, -76, 21, -21, -22, -98, -51, 26, -17, 23, -28, -31, 4, -107, 3,
    1, 7, 74, -54, 20, 60, -78, 47, 2, -85, -65, 112, 67, -22, 126, -28, 19, -17, 62, -35, 50,
    -12, 71, -27, 8, 7, 87, -28, 55, -5, 29, -33, -32, 58, 38, -30, 100, -4, 11, -76, -21, 13,
    -9, -16, 65, -68, 45, -45, 55, -6, 32, -40, 11, -46, 98, -48, -31, 16, -20, -75, 21, 59, 9,
    19, -63, -14, 17, -8, 26, 0, 123, 7, -12, -63, 33, 2, -18, 47, 97, -27, -13, 70, -32, -127,
    -74, -33, -85, -8, 19, 10, 40, -54, -101, -74, -19, 2, 42, -65, 37, 12, -70, -3, -4, -6,
    -11, 39, -15, 22, 45, -10, 28, 78, -1, -18, -13, 1, -55, -27, 9, 77, -11, -70, 6, -16, -47,
    -52, 21, 15, -29, 33, 33, -30, 127, -12, -8, 29, -15, 16, 23, -37, 47, 52, -31, 37, 16, -1,
    25, 43, -47, -10, -27, 54, -15, 14, 83, -7, 92, -13, 55, -47, -33, -18, 44, -60, 89, 46,
    126, -122, -28, 1, 13, -9, 10, 21, 107, -109, -8, -67, -47, -61, -10, 10, 32, -22, 17, -41,
    -63, 4, -44, 5, -14, 46, 7, -33, -127, -93, -46, 10, -29, 72, -13, -55, 13, -27, -23, 15, 7,
    11, -6, -25, 21, -27, -19, 7, 39, 38, 4, 32, 26, -80, 7, 80, 25, -10, 2, 14, -3, 72, 32,
    -34, -1, 30, 12, 43, 7, 39, 39, -14, -15, -7, 41, 58, 55, 16, 7, 30, -60, -44, -4, -49, 13,
    44, -11, -39, -24, -22, 16, -47, 29, -6, 1, -18, 31, -63, 12, 24, -10, -45, -12, -5, 36,
    -52, 5, -87, 2, 127, 72, 26, 33, 51, -24, -43, 16, 32, -9, -4, 11, -23, -22, 38, -3, -71,
    -65, -2, 7, -13, 39, -58, 60, 62, 88, 87, 14, -27, -2, 25, 28, 44, -42, -56, -77, -20, 10,
    39, -4, -10, -52, -8, -30, 44, 63, 15, 127, -34, -40, 33, -6, -32, 29, -5, 110, -50, 41, 63,
    16, -14, -4, -3, 68, -47, 90, 43, 13, -2, 1, -33, 28, 37, -37, -88, 10, 13, 8, -81, 29, -32,
    17, -31, 22, -63, 18, -72, 15, -26, -5, -64, 18, -115, -33, -8, -70, 48, -2, 32, -13, -31,
    44, -51, -17, 75, -28, 50, -69, -22, 37, -20, 30, 79, -46, 33, -21, 2, 23, -15, 10, -127,
    -69, -18, -2, -19, -4, -2, 5, -30, -34, 15, -33, -37, -19, 17, 58, 105, -12, -35, -11, 22,
    48, -20, -58, 7, -43, -76, -47, 49, 7, -33, -23, 100, 71, -41, 51, 58, -40, -61, 48, 105,
    120, 40, 48, -26, 21, -18, -62, -3, 30, -40, 75, 20, 37, -34, 1, -15, 43, 67, 24, -12, 59,
    -32, 69, -40, -2, 11, -61, -33, -35, -49, 10, 58, 26, -62, 84, -15, 39, -52, 44, -26, 11,
    75, 1, -121, 17, 53, 114, -33, -40, 5, -65, -124, 9, -91, -11, 41, 35, 3, 73, 18, 63, -61,
    15, 1, 17, 80, -4, 15, -3, 33, 25, 51, 8, 13, -94, 27, 19, -23, -19, -16, -105, -83, 125,
    37, 19, 45, 97, -35, 69, 60, 105, -38, -39, 52, 115, 101, 127, 37, -24, -95, 68, 0, 31, 8,
    35, -15, -21, -4, 73, 30, 39, 18, 6, 35, -54, 12, -48, 47, -40, -29, -19, 26, 15, 55, 68,
    38, 2, 14, 39, 31, -56, -15, 26, 46, 67, 65, 21, 9, -54, 71, -73, 49, 26, 59, 10, 6, -11,
    77, -33, 15, -31, 13, -7, -10, 19, -20, -11, 22, 12, 43, 33, 5, -27, 74, 77, 3, 20, -1, -30,
    -9, -44, 127,
};

/* biases of line5.conv */
static const int32_t bias_6[9] = {
    39981, 28520, -19393, 6927, -11896, -16656, -6189, -64239, -43262,
};

/* factors */
static const int32_t factor_6[9] = {
    652621858, 576632449, 616908574, 793663122, 920321481, 578278958, 675447700, 447140256,
    569595120,
};

/* line5.conv conv3 9 */
static const struct convolution layer_6 = {
    .weights = weights_6, .bias = bias_6, .factor = factor_6, .windows.in = 18,
    .windows.out = 0, .windows.height = 12, .windows.width = 12, .windows.channels = 8,
    .windows.out_height = 10, .windows.out_width = 10, .windows.out_channels = 9,
    .windows.window_height = 3, .windows.window_width = 3, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 0, .windows.padding_width = 0,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .group_channels = 8, .group_out_channels = 9, .shift = 38,
    .rectify = 0, .zero = -128, .zero_stored = -128, .low = -128,
};

/* weights of line6.separable.depthwise */
static const int8_t weights_7[81] = {
    27, -127, 97, 11, 114, 43, 7, -114, 1, -19, -110, -17, -16, 48, 3, 36, -60, -12, -3, -95,
    -82, -59, -16, -76, 83, 17, 44, 127, -51, 127, -34, 127, -127, 127, -127, 97, 51, 23, 72,
    -95, 42, -109, 57, -84, 95, 12, 21, -69, -127, -7, -45, 37, 58, 127, 27, -60, 55, -33, -20,
    -108, 47, 15, 17, 34, 21, 47, -61, -62, -36, -18, 71, -23, 12, -5, 110, -41, -61, 22, -5,
    100, 44,
};

/* biases of line6.separable.depthwise */
static const int32_t bias_7[9] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0,
};

/* factors */
static const int32_t factor_7[9] = {
    660159829, 450746336, 395292487, 431774674, 566836496, 623815110, 812783909, 480511193,
    597451075,
};

/* line6.separable.depthwise depthwise3 pad1 */
static const struct depthwise layer_7 = {
    .weights = weights_7, .bias = bias_7, .factor = factor_7, .windows.in = 0,
    .windows.out = 1751, .windows.height = 10, .windows.width = 10, .windows.channels = 9,
    .windows.out_height = 10, .windows.out_width = 10, .windows.out_channels = 9,
    .windows.window_height = 3, .windows.window_width = 3, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 1, .windows.padding_width = 1,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .shift = 38, .rectify = 0, .zero = -128, .zero_stored = -4,
    .low = -128,
};

/* weights of line6.separable.pointwise */
static const int8_t weights_8[216] = {
    -112, 27, -59, 19, -28, 127, 1, 34, 34, -36, 55, -97, -63, 127, 69, 1, 26, -121, 0, 28, -30,
    8, -77, -127, -87, 5, -42, -21, 45, 127, 23, 46, 42, -33, -60, 2, 69, -34, -21, 119, 18, 66,
    -40, -127, 83, -75, 97, -26, -97, -25, 127, -42, 7, -43, 69, -40, 74, -1, -127, 41, -112,
    39, -16, 30, 61, -43, -48, 104, -73, 78, 127, 8, 43, 127, -6, -14, -15, -93, -100, 73, -109,
    -11, 57, -46, -48, -107, 89, -127, -26, -82, 23, -17, 127, 7, -25, -10, -36, 3, -4, -4, 23,
    -5, 7, 108, 1, -127, 21, -119, -9, 25, 31, -35, -127, 29, -49, 11, -85, -10, 19, -40, -3,
    23, 4, -41, 26, 127, -66, -37, -49, 38, -21, -127, 15, -40, -74, -78, -31, -90, 43, -24,
    -23, -28, -127, -49, -81, 127, 7, -21, -119, 58, 83, 98, -121, 72, 30, -42, -127, -7, -9,
    -1, 40, 56, -79, -98, -69, -31, -95, -28, -20, 127, 27, 58, -74, -20, 9, -78, 32, -127, 48,
    -69, 68, -127, 15, 17, 42, -22, 56, -9, 51, -18, 52, -17, 82, -79, 127, 96, -102, 9, 118,
    -24, 35, -127, 55, 37, -11, -63, -94, 14, -120, -21, -106, 108, 19, -127, -2, 86,
};

/* biases of line6.separable.pointwise */
static const int32_t bias_8[24] = {
    7555, 3106, 255, -1900, 2685, 6694, 3633, -1688, 3664, 5882, -2089, 6615, 2479, 1612, -737,
    5167, 3682, -1713, 1504, 3811, -4615, 3944, -6397, 3714,
};

/* factors */
static const int32_t factor_8[24] = {
    490358282, 395780237, 375074439, 514502797, 415121301, 485092020, 380301899, 500585884,
    329838771, 603693680, 431900159, 332814967, 591761958, 718326577, 342181987, 364338541,
    283668176, 372043876, 473588028, 526551888, 320292123, 394223441, 482618674, 241112132,
};

/* line6.separable.pointwise conv1 24 */
static const struct convolution layer_8 = {
    .weights = weights_8, .bias = bias_8, .factor = factor_8, .windows.in = 1751,
    .windows.out = 242, .windows.height = 10, .windows.width = 10, .windows.channels = 9,
    .windows.out_height = 10, .windows.out_width = 10, .windows.out_channels = 24,
    .windows.window_height = 1, .windows.window_width = 1, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 0, .windows.padding_width = 0,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .group_channels = 9, .group_out_channels = 24, .shift = 35,
    .rectify = 0, .zero = -4, .zero_stored = -128, .low = -128,
};

/* weights of line7.separable.depthwise */
static const int8_t weights_9[216] = {
    127, -5, 96, -7, -14, -53, 45, -7, 127, 47, 28, 0, 112, 127, 127, -35, 127, 8, -9, 1, 127,
    -57, 127, -47, 108, 32, 47, -24, 98, -102, 23, 97, 100, 25, -18, 12, 74, 76, 99, -41, 75,
    43, 23, -6, 66, -58, 9, -19, 97, 61, -21, 60, 127, -127, -11, 127, 81, 51, 31, 56, 74, 35,
    51, -127, 34, 127, 52, -32, 31, -15, -67, -7, -10, 47, 50, -127, 36, 49, -45, -24, 52, 3,
    91, -71, 127, 56, 71, -50, 81, -4, -93, 127, 97, 80, 63, -51, -11, 23, -20, -104, 9, 24, -3,
    27, -6, -40, 6, 71, 67, -1, 30, -36, 29, 50, -9, 36, 5, 15, -2, 64, -26, 9, -18, -89, -30,
    -27, 8, -11, 31, 24, 31, 127, 14, -34, -14, -56, -15, 121, 65, -75, -79, -34, -64, 127, -89,
    -56, -105, -94, -1, 76, -127, -71, 43, -29, 127, 21, 66, -20, -44, -15, -41, 0, -127, 70,
    86, 127, -54, 2, -99, -85, -127, -39, -69, 18, -21, -44, -3, 23, 67, 109, 12, -68, -113, 7,
    -33, 18, -47, -30, -21, 3, -61, 61, -109, -127, -45, -87, -97, 21, 25, -33, 29, 127, 54, 52,
    -20, -81, -73, 61, -1, 69, 38, -93, -64, -86, -48, 27,
};

/* biases of line7.separable.depthwise */
static const int32_t bias_9[24] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

/* factors */
static const int32_t factor_9[24] = {
    404267971, 420310220, 357422407, 279329647, 316873936, 487628659, 510355294, 347138279,
    262383213, 765737327, 273318671, 334963450, 264847992, 391696965, 290062108, 362135175,
    340798081, 256353989, 399798767, 441102043, 256394699, 435995037, 463638540, 443668812,
};

/* line7.separable.depthwise depthwise3 */
static const struct depthwise layer_9 = {
    .weights = weights_9, .bias = bias_9, .factor = factor_9, .windows.in = 242,
    .windows.out = 218, .windows.height = 10, .windows.width = 10, .windows.channels = 24,
    .windows.out_height = 8, .windows.out_width = 8, .windows.out_channels = 24,
    .windows.window_height = 3, .windows.window_width = 3, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 0, .windows.padding_width = 0,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .shift = 37, .rectify = 0, .zero = -128, .zero_stored = -10,
    .low = -128,
};

/* weights of line7.separable.pointwise */
static const int8_t weights_10[336] = {
    127, -7, -9, -55, -35, -19, 6, -10, -91, -87, 42, -65, -84, 68, -9, -20, -54, -91, 37, -60,
    -110, 42, 39, -31, -36, 11, -12, 3, -46, -8, -127, -3, 4, -91, 92, -17, -44, -43, -36, 15,
    -22, -15, -13, 113, -33, -63, -34, 8, 14, -127, 34, 45, 41, -5, 28, -29, 11, 23, -47, 21,
    -43, -17, 44, -21, 38, 2, 27, -23, -17, 57, 36, 23, -27, -67, -121, 126, -12, -127, -29,
    -83, 97, 125, 20, 59, 124, 42, 26, 4, -12, -33, 65, -30, 20, 125, 98, -20, 49, -28, 78, -16,
    111, 120, -17, -110, 78, -27, 39, -44, 30, 92, -48, 11, -72, 87, 127, -7, 6, 22, 31, -61,
    51, -3, -75, 2, -17, 59, -26, -42, 31, -103, -75, -59, -89, 42, -118, 32, -15, -127, -73,
    114, 44, -88, -54, -55, 74, 45, -4, 45, -13, -88, 34, -27, 4, -48, 8, 13, 7, -13, -36, 74,
    76, 48, -4, -14, -1, -62, -127, -26, -42, 27, 100, 29, 47, 8, 37, 69, 18, -66, -35, -107,
    -4, 22, 1, 127, 10, 103, -63, 45, 60, 53, 65, -5, -58, 13, -12, 127, 0, 119, -101, 92, 28,
    -57, -35, 1, 39, 109, 9, -24, 2, 0, 14, -34, -73, -64, -34, 18, -16, 25, -5, 66, -47, -18,
    7, 0, -11, -67, 23, -9, -13, -64, 1, 9, -111, -1, 41, -35, 55, -3, -62, 127, -113, -32, 76,
    63, -82, 11, 84, -8, -12, -85, -13, -23, 31, 30, 127, -40, -30, -17, 66, -15, -31, 33, -33,
    -19, -43, 41, 16, -33, -127, 30, -17, 89, 61, -47, 55, -96, 37, -115, 8, 108, 64, 55, 30,
    -12, -84, 54, 11, 68, -48, 31, 13, -29, 12, -28, -96, -43, -39, 87, -66, -60, 0, 8, 62, -67,
    65, 26, -127, 9, 40, -7, -43, 66, 6, 40, 3, -114, -45, 83, 127, 41, 122, -35, -95, 49, 9,
    -26, -39, -22, 127, -104, -62, -97, 2, 85, -39, 106,
};

/* biases of line7.separable.pointwise */
static const int32_t bias_10[14] = {
    18351, 2473, -1726, -5181, 12695, 15629, 5369, 6217, 5727, -1415, 11900, 7685, -7996, 2462,
};

/* factors */
static const int32_t factor_10[14] = {
    462067201, 439023140, 720343066, 275755358, 399939392, 323945638, 530366216, 448633221,
    405107914, 596055493, 408863406, 365330092, 602353547, 357275576,
};

/* line7.separable.pointwise conv1 14 */
static const struct convolution layer_10 = {
    .weights = weights_10, .bias = bias_10, .factor = factor_10, .windows.in = 218,
    .windows.out = 204, .windows.height = 8, .windows.width = 8, .windows.channels = 24,
    .windows.out_height = 8, .windows.out_width = 8, .windows.out_channels = 14,
    .windows.window_height = 1, .windows.window_width = 1, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 0, .windows.padding_width = 0,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .group_channels = 24, .group_out_channels = 14, .shift = 36,
    .rectify = 0, .zero = -10, .zero_stored = -128, .low = -128,
};

/* weights of line8.conv */
static const int8_t weights_11[1890] = {
    124, 20, -11, -79, 27, 49, 16, -9, -87, 55, -62, 24, 49, 73, 10, -8, 13, -19, 74, 11, 4, 10,
    -85, 30, -17, 4, 58, -10, -6, -19, 8, 14, -17, -30, 7, 8, -15, 24, -8, 16, 28, 8, -75, 57,
    -30, 6, -41, 104, -22, -20, -7, 32, 31, -55, 101, -56, -49, 25, -21, 29, -19, 26, 36, 13,
    -33, -1, 25, -13, 10, -44, 41, 43, 9, 26, -39, -15, 27, 9, 44, -13, 59, -2, -88, -3, -114,
    4, -3, 6, 44, -10, -33, 50, 58, 26, 81, -2, 96, -11, -48, 24, 50, 17, 46, -63, 20, 43, 20,
    2, -8, 12, -14, -12, 3, 127, 111, 12, 31, 6, -2, -10, 94, -50, 10, -49, -82, -41, -20, 33,
    -25, 16, 6, 52, 9, 4, 10, -33, -62, 28, 4, -20, -15, -31, -48, -55, -40, 110, 11, 0, -52,
    -28, -63, -31, -15, -15, 45, -68, 13, -79, -61, 66, 19, -7, -100, -20, -24, -111, 4, -18, 6,
    59, -36, -23, 14, 92, -27, -31, 6, -59, 8, -54, -21, -53, 32, -17, -36, -37, -48, 30, -11,
    -21, -35, -17, 45, -56, -35, -8, 2, -26, 113, -23, -81, -69, 34, -29, -8, 14, 95, -74, 20,
    52, -13, 22, 6, -4, -18, 86, -41, 55, -20, -48, 65, -30, -108, -27, 61, 6, 30, -12, -28, 36,
    15, 25, -59, -41, 49, -15, -93, 12, 23, -15, 127, -19, -13, -69, 84, -33, -53, -12, 32, -35,
    -13, 37, 91, 8, -40, 37, 55, 8, -22, -60, -2, -75, -30, -39, 13, -93, -12, 33, -58, -1, -66,
    1, -29, -36, -32, 10, -21, -1, 14, -65, -65, 47, 26, 13, -73, -4, -41, -20, 23, 51, 67, -11,
    50, -11, 101, 27, -31, 9, 14, 74, 9, 43, 2, -17, 21, 23, -82, 81, 26, 69, 3, -21, 36, 95,
    -6, 32, -15, 53, 8, 27, -70, -10, -32, 60, 114, 15, 57, 64, -20, -1, 13, 127, 42, 35, -25,
    -27, -74, -88, -3, -40, -98, -83, -5, -15, 2, -69, 1, -40, 36, 49, -72, -88, -63, -8, -26,
    -52, -42, -37, -25, -61, -93, -29, 33, -66, -50, -70, -43, 35, -7, -36, -95, -45, -12, 26,
    -114, 12, 21, -86, 28, -29, 37, -34, -42, 0, 22, -98, -44, 28, -25, -53, 7, 127, -65, -4,
    -19, -27, 0, 27, 10, -53, 31, 33, 2, 4, 17, 24, -99, -22, -29, 16, 3, -12, 40, -32, 74, 9,
    -6, 56, 43, -4, 49, 4, -21, -69, -22, -4, 14, -71, -43, 41, -14, -32, -17, 81, -39, -14,
    -38, -37, 11, 7, -10, -20, 3, 57, 19, 19, -30, 4, -85, -60, -5, 36, -22, -41, -15, -6, 8,
    62, 15, 78, -18, 29, 91, 22, -60, -30, 16, -17, 30, 1, -14, 4, -2, 24, 8, 18, 63, -15, -14,
    4, 55, -32, -5, 17, -4, 20, 9, 44, -11, -20, 29, -55, 73, 68, 7, -85, -42, 6, -13, 49, 19,
    74, -10, 24, 5, 11, 21, -63, -29, 35, -20, 40, 38, 0, -6, -6, -35, -5, 21, 4, 4, -29, 7,
    -24, -4, 26, 13, 8, -15, -14, -38, 1, 39, 10, -19, -1, 13, -55, 23, 16, -5, 40, -31, 19,
    -41, -8, -13, -17, 1, -54, -23, 22, 18, 29, 18, -37, -31, -56, 9, -30, -39, -26, -6, -28,
    -10, -37, 42, -6, 2, 14, -18, -29, 15, -29, -89, 18, -21, -16, -50, -62, 46, -15, 13, 62,
    -7, 39, 17, -37, 77, 18, -10, -29, 53, 6, 82, -29, -5, 22, -51, 2, -10, -38, 8, 37, -22, 6,
    49, -24, 22, -24, 3, 70, 1, 63, -11, -37, -55, 81, -68, 13, 22, -13, -12, 24, 17, 82, 12,
    127, -18, -30, 107, -31, 71, -58, -44, -35, -37, -22, -94, 11, 40, 19, -54, 127, 88, -14,
    -2, -64, 77, 42, -47, 14, 22, -71, 9, -4, 1, -8, 23, 27, 15, -19, 9, -18, 5, -32, 19, -54,
    -72, 36, 31, 32, -6, 36, 55, -78, -56, -40, -50, -36, -64, 33, 52, 5, -11, 40, -33, 24, -11,
    -43, -25, 8, 15, 2, -21, -57, -3, -23, 10, -55, -40, 23, 19, 31, -52, -30, 62, 1, -44, -46,
    -65, -15, -14, -27, 7, 30, 59, -53, -7, -10, -64, -11, -20, 65, 49, 23, -25, 46, 19, 6, -9,
    -5, 1, -7, -14, 24, -26, 11, 12, -17, -25, -25, 33, 0, 37, 21, 1, -36, -24, 43, -13, 36, 38,
    -11, -65, -13, -19, -19, -12, 76, 79, -47, 12, 19, -7, 22, 46, 15, 12, -48, 27, -24, -40, 1,
    33, -27, -4, -36, -21, 23, 3, -45, 0, -48, 73, -27, -53, -33, -7, 43, 14, -21, -20, 7, -8,
    -80, -6, -46, -1, -42, -4, 11, 0, -53, 8, 8, -9, 12, -8, 41, -2, 127, 14, -30, 4, 1, 0, -39,
    -21, -15, -4, 38, 3, 17, -26, 61, 35, -35, 18, 20, 12, 11, 25, -6, -3, 60, 69, 3, -9, 9, -3,
    -6, -6, -34, 6, 18, 3, -12, 31, -23, -51, -9, 43, 5, -33, -8, 15, -9, -19, 33, -30, -17, 16,
    -26, -12, -29, 23, -21, -15, -31, 24, 12, -46, 53, 22, -25, 12, -5, 44, -35, 17, 16, 2, -7,
    7, 70, 30, -13, -2, -3, -19, -18, -44, -17, -37, 4, 2, -12, -34, 4, -35, -27, -7, -22, -36,
    -12, -62, -15, -33, 13, -5, -5, -79, -34, -98, -64, 67, -4, -45, 21, -67, 60, -6, 35, 7, 44,
    54, 7, 28, 31, -58, 15, 81, -23, 44, 9, -46, 36, -9, 8, 22, -29, 14, 18, -45, 8, 32, -14,
    28, -15, -54, 22, -21, -27, -34, -22, 11, 34, 36, 41, -1, 4, 35, 10, -36, 18, -6, 19, 53, 2,
    -14, -17, -14, -15, 64, 22, 127, -20, -22, 13, -2, -15, 32, -30, -17, -33, -15, -13, 7, 50,
    100, 0, -36, 24, 7, -28, -5, -50, 20, 36, 7, 27, 8, 42, 100, 26, -39, 21, 127, -15, 4, -44,
    35, 27, 57, -36, -3, -60, -43, -8, -20, -4, 5, 9, 7, -58, -1, -20, 30, -29, -17, -21, -41,
    21, -21, -4, -6, 31, 53, 13, -16, -46, 97, -13, -9, 1, -23, 76, -11, -3, 59, -12, 10, -55,
    42, 33, 11, 35, 7, -29, -25, -24, 17, -29, -24, 1, -3, -70, 8, 13, 9, 17, -21, 1, -48, -7,
    12, -13, 15, 14, 2, -16, 13, 17, 98, 14, -17, 1, -48, 46, 1, -4, 18, -6, 5, -16, 21, 32, 29,
    24, 30, -8, 12, 1, 28, -24, -46, -26, -33, -32, -33, 43, 28, 9, -23, 10, -21, -5, -1, -1,
    23, -27, -38, 11, -36, 79, 87, 19, -20, 3, -3, 24, -22, 27, 10, 43, 11, 22, -15, -3, 77,
    -27, -33, 40, -121, -20, 31, -62, -5, 26, 9, -12, 43, 103, 1, -2, 56, 13, 4, -48, -5, -29,
    -11, 25, 58, -39, 35, 72, -77, -39, 49, 16, 0, -67, -24, 18, 35, 34, -58, 32, 41, -33, 31,
    -20, -60, 9, -72, 32, -27, 40, -7, 9, -50, -33, 37, 28, 10, -16, 11, -17, -63, -18, -25, 33,
    -43, -6, -46, -70, -3, -4, -19, -39, 18, -17, -127, -55, -26, 12, 19, -67, -60, 25, 58, -68,
    25, 30, -28, -26, 32, 41, 31, 48, 9, -66, -58, -44, 51, -40, 64, 20, 50, -40, 23, -4, 49,
    16, 12, -100, -38, -74, 23, -92, 83, 0, 37, -28, 13, -40, 39, 13, -102, -29, -15, 23, -85,
    11, 15, -11, -5, -95, -4, 46, -43, 101, 2, -46, -43, 20, 4, -23, -21, 68, -10, -30, -9, 100,
    -36, 75, 22, -34, -28, -21, 17, -61, -55, 64, 19, 38, 21, 25, -28, -78, -18, -9, -38, -28,
    -55, 22, 35, -13, -26, -51, -28, 30, -50, 127, 50, 22, -59, -39, 0, -2, -23, 28, -51, 16,
    -61, 40, -3, 79, 18, 53, -54, -63, 2, -82, -34, 25, 18, 59, 2, 18, 10, -100, 65, -15, 1,
    -12, -15, 21, 46, -43, -71, -50, -87, -19, -16, 44, -13, 39, 14, -10, -18, 14, -26, -8, -48,
    -51, -42, -38, 83, 10, -58, 33, 36, -13, 17, -85, -53, 38, 35, -74, 44, -18, 67, -83, -19,
    19, -38, -5, -19, -20, 20, -16, 8, 84, -70, 74, -17, 30, -64, -17, -13, -32, 35, -9, -25,
    12, 23, 81, 12, 58, -31, 84, -50, -42, 32, -16, 82, -33, -33, -23, 59, 18, 48, -4, 2, 87,
    92, 84, -45, -26, 20, 38, 12, -60, -85, 29, -111, 20, -3, -88, -18, 13, -17, -37, 8, 27,
    -26, -7, -104, 0, -24, -10, -20, 1, -27, -62, 35, 15, 25, -39, 13, -4, -97, -74, -5, -62,
    -18, 23, 50, 127, 14, -32, 13, 47, -75, -87, 36, 11, -13, 2, 8, -101, -59, 101, 16, -23,
    -52, 16, -78, -28, 33, 18, 50, 17, -8, -87, -100, 34, 61, 62, -79, -72, 4, 17, 5, 2, 63, 32,
    -16, -69, -48, -50, 37, 46, 40, -25, 15, -27, 54, -78, -50, -7, -42, 10, -56, 2, -8, -25, 0,
    -17, -33, 11, 66, -14, -58, 24, -43, -6, 14, 7, -16, 6, 60, -11, 7, 51, 93, -12, -15, -11,
    -15, -79, -63, 97, -10, -44, -74, 25, -39, 50, 113, 12, 36, 64, 3, -11, -40, 89, -27, -67,
    -14, 68, -51, 72, 24, 15, 16, 17, -42, -37, 52, 13, 46, -6, 90, 48, 24, 20, -20, -22, -13,
    -52, -39, -49, -23, 50, 12, 15, 9, -18, -3, 60, 10, -3, 51, 82, -29, 12, -8, -8, 42, -6,
    -15, 34, -21, -8, -75, -2, 7, -18, -18, 15, 20, 0, 127, 14, -24, 58, 12, -76, -4, -4, -2,
    -60, 35, 32, 63, -72, 38, -44, -3, -67, 27, 24, -123, -8, -26, -2, -50, 29, 2, -16, -12, -6,
    -27, -57, 6, -22, -10, 2, -10, 4, -16, -18, 51, 38, -59, -61, -13, 48, -20, 9, 90, 40, 73,
    60, -7, -15, 114, -54, 42, -17, -14, -13, 29, 22, -99, -15, -33, -23, -41, 19, 5, -21, -14,
    33, 0, 16, 12, -21, -14, -13, -7, -10, -2, -36, 23, 18, -9, -41, 19, 60, -33, -3, 60, -16,
    50, 2, 9, -38, 127, -22, 15, -25, -65, 26, 10, 17, -39, -6, 19, -16, -13, 53, -29, -18, -5,
    30, -19, 42, -9, -11, -1, 0, 55, -22, 25, -21, -66, -25, 78, -18, 19, 5, -77, -7, 50, -39,
    72, -60, 48, -4, 22, 40, 2, -41, 29, 24, -59, 6, 11, -111, 57, -9, -16, 11, 39, 44, -33,
    -61, 83, 46, -42, 31, -33, -79, -32, -38, 19, -45, 81, 21, -78, -82, 108, 38, -4, 55, -42,
    -23, -63, -24, 23, -52, -15, -17, 2, 12, 66, -53, -84, 13, 3, -88, 97, -60, -49, -74, -20,
    -44, -53, -9, -22, -82, -21, 21, -44, 20, 55, -70, -31, -35, -10, -33, -36, -6, -73, -105,
    61, 43, -51, 109, 28, -31, -11, 1, 72, -3, -72, -23, -47, -7, -73, 51, 9, 59, 38, 23, -34,
    89, 10, 9, -69, -24, -51, -24, -34, 71, 10, 127, 36, 28, 20, 63, -14, 44, 0, 46, 8, -5, 38,
    48, 33, 68, -64, 19, 31, 17,
};

/* biases of line8.conv */
static const int32_t bias_11[15] = {
    -7044, 20416, 38582, 39909, 13089, 32013, -8547, -1934, 1988, 16180, 31235, 46655, 32279,
    5043, -2212,
};

/* factors */
static const int32_t factor_11[15] = {
    543305798, 383574996, 461919723, 522846178, 668765183, 632377181, 880072115, 520798704,
    483668384, 571867031, 485177073, 510955689, 467503137, 598019898, 470602129,
};

/* line8.conv conv3 15 pad1 */
static const struct convolution layer_11 = {
    .weights = weights_11, .bias = bias_11, .factor = factor_11, .windows.in = 204,
    .windows.out = 0, .windows.height = 8, .windows.width = 8, .windows.channels = 14,
    .windows.out_height = 8, .windows.out_width = 8, .windows.out_channels = 15,
    .windows.window_height = 3, .windows.window_width = 3, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 1, .windows.padding_width = 1,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .group_channels = 14, .group_out_channels = 15, .shift = 38,
    .rectify = 0, .zero = -128, .zero_stored = -128, .low = -128,
};

/* weights of line9.separable.depthwise */
static const int8_t weights_12[135] = {
    127, -63, -77, -23, 4, 127, -41, -42, 127, 1, 4, -97, -39, 114, -2, 40, 64, 50, -47, -32,
    60, 44, -66, 79, 16, -89, 5, 57, -15, -17, 19, 127, 127, -41, 33, -6, 69, -21, 118, -8, -50,
    -2, 124, -66, -61, 95, 17, -66, 6, -105, 37, 89, -85, 59, -116, -27, -127, 127, 127, -9, 60,
    81, -92, -91, -31, -7, 127, -127, 53, -93, -127, -97, 103, 31, -74, 19, 48, -81, -127, 47,
    -37, 84, -103, 100, -41, -53, -94, 12, -6, -127, 106, -63, -19, 23, 33, 0, -12, 5, 59, -127,
    43, -115, 14, 99, -76, 17, -12, -102, -70, 127, -9, -5, 22, 6, -96, -24, -105, -36, 38,
    -105, -115, -16, -93, -70, 125, -14, 9, 42, 33, -68, 5, -77, 53, 32, -29,
};

/* biases of line9.separable.depthwise */
static const int32_t bias_12[15] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

/* factors */
static const int32_t factor_12[15] = {
    475005284, 493459957, 510389071, 385537669, 444799071, 667536992, 332836193, 437712409,
    309576571, 416334691, 556137026, 275778723, 416953551, 427448518, 386569433,
};

/* line9.separable.depthwise depthwise3 pad1 */
static const struct depthwise layer_12 = {
    .weights = weights_12, .bias = bias_12, .factor = factor_12, .windows.in = 0,
    .windows.out = 1405, .windows.height = 8, .windows.width = 8, .windows.channels = 15,
    .windows.out_height = 8, .windows.out_width = 8, .windows.out_channels = 15,
    .windows.window_height = 3, .windows.window_width = 3, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 1, .windows.padding_width = 1,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .shift = 38, .rectify = 0, .zero = -128, .zero_stored = 1,
    .low = -128,
};

/* weights of line9.separable.pointwise */
static const int8_t weights_13[540] = {
    -11, -29, -19, -83, -3, 84, -111, -25, 127, 57, 29, 24, -8, 2, -71, -57, 38, 72, -4, -24,
    29, 8, 24, -52, -20, -26, 25, 65, 127, -13, -127, -40, 5, 122, 76, -25, -88, -43, 26, 37,
    -78, -83, 19, 65, -122, 97, 83, 10, 46, -21, 55, -47, -46, 127, 21, 21, 36, 24, 22, 44, 40,
    99, 19, -93, 58, 103, -11, 38, -100, -127, -16, 46, 40, 76, 82, -59, 37, 7, 28, 127, -32,
    -6, 13, -3, -41, 8, 32, 48, -50, -26, -113, -60, 13, 29, 87, -4, -42, -87, 4, 101, -24, 31,
    127, 54, 4, -9, -53, 6, -127, -27, 74, -87, 18, 95, -53, -73, 110, -8, -16, 85, -23, 127, 9,
    22, 48, -15, -50, 1, 54, 6, 18, -2, 49, -13, 81, -6, -1, -7, -7, 6, -27, 127, 2, -18, 10,
    36, -28, -3, 6, -19, -58, -42, 38, -127, 15, -48, 5, -65, 23, 52, 0, -71, -4, 42, 48, 56,
    -28, -127, 33, -11, -55, -32, 62, 77, -18, 23, -36, 11, -3, 55, 0, -8, 17, -17, -5, -19, 18,
    -5, -25, -7, -127, 5, 17, 29, 9, -38, -32, 21, -17, -5, 127, -19, 16, -29, 26, 24, -26, -8,
    -24, -8, -81, 4, 90, 2, 35, 65, 9, 33, 7, 1, 69, -43, 127, -31, 58, -1, 127, -26, 22, 10,
    -9, 6, 16, -11, 65, -6, 18, 50, -13, 10, -43, -13, 30, -20, -46, 23, -7, 23, -2, -70, 32, 0,
    127, -15, 41, -40, -22, 45, -7, -36, -87, 58, -49, -52, 68, 39, -4, 3, 127, -31, -3, 127,
    -41, -58, -3, 35, 17, -67, -14, -5, -4, -11, -40, -71, -40, -11, 8, 39, -7, -53, -1, -6,
    -28, -1, -127, -1, 15, -4, -24, -31, 17, 113, 45, -61, 127, -12, -87, 77, 17, 21, -13, 56,
    4, -32, 66, -55, -32, 36, -22, -76, 15, 24, 15, 127, 45, 12, -4, 18, 124, 32, -17, -12, 0,
    -4, -24, -6, 127, 59, 46, 17, -102, -12, -1, -31, 0, 127, 78, -71, 12, -13, 14, -3, 67, -28,
    25, -3, -17, 115, -56, 25, -55, 79, 52, 56, -37, -88, 127, -10, 92, -101, 47, 9, 4, -1, -34,
    -61, 23, -127, -40, -47, -30, -14, 24, -41, 30, 13, -30, 34, 12, 2, -10, 44, -45, -17, 9,
    33, -39, 37, -44, -79, 25, -45, -8, 127, 36, -56, -28, 52, 21, -11, -16, -26, 21, -7, -20,
    -24, -38, 91, 15, -127, 14, -14, 22, 24, -16, -8, 32, -127, -4, 5, 23, -20, 10, -21, 25,
    -57, -46, -127, -36, -43, 18, -10, -18, -19, -38, -13, -51, -50, 55, -7, -52, -20, -19, 14,
    127, -5, 16, -17, 30, 64, 22, -41, 33, 8, -55, 29, 75, -38, -21, -22, 33, 76, 7, 2, 2, 21,
    26, -24, -5, -127, -7, -30, 43, -47, 46, -23, -5, 43, 16, 21, 9, -127, 17, -30, -32, -36,
    34, -39, -57, 4, 52, 29, -8, -23, -127, 7, -24, -37, -6, -92, -75, 127, 70, -74, -56, -121,
    -65, 37, 115, 97, 66, 101, 27, 57, 26, 36, -11, -16, -47, 127, 3, -12, 16, -33, -52, -3, 15,
    -15, -28, 41,
};

/* biases of line9.separable.pointwise */
static const int32_t bias_13[36] = {
    -12938, -6526, -8245, -9781, -26676, -3632, -7406, -14499, -4797, -2749, -12623, -8039,
    -5530, -4110, -7471, -3706, -8994, -2377, -8942, -6994, -6228, -8899, -5770, -9984, -3949,
    -6895, -10239, -7209, -3114, -10676, -6872, -5827, -8157, -19495, -13452, -4548,
};

/* factors */
static const int32_t factor_13[36] = {
    487558999, 502696873, 280786776, 404024287, 98897626, 503762911, 343508162, 288104413,
    616593300, 996701516, 368829868, 481023009, 544957611, 627837638, 409995636, 700994949,
    620319088, 379642742, 510139124, 503580305, 356592887, 511802508, 475386347, 428300271,
    348347448, 586781120, 552151837, 461476414, 613040957, 429518590, 567099152, 588021815,
    572374830, 213139515, 89292225, 656862829,
};

/* line9.separable.pointwise conv1 36 */
static const struct convolution layer_13 = {
    .weights = weights_13, .bias = bias_13, .factor = factor_13, .windows.in = 1405,
    .windows.out = 46, .windows.height = 8, .windows.width = 8, .windows.channels = 15,
    .windows.out_height = 8, .windows.out_width = 8, .windows.out_channels = 36,
    .windows.window_height = 1, .windows.window_width = 1, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 0, .windows.padding_width = 0,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .group_channels = 15, .group_out_channels = 36, .shift = 35,
    .rectify = 0, .zero = 1, .zero_stored = -128, .low = -128,
};

/* factors */
static const int32_t factor_14[1] = {
    995229888,
};

/* gap */
static const struct pool layer_14 = {
    .factor = factor_14, .windows.in = 46, .windows.out = 10, .windows.height = 8,
    .windows.width = 8, .windows.channels = 36, .windows.out_height = 1, .windows.out_width = 1,
    .windows.out_channels = 36, .windows.window_height = 8, .windows.window_width = 8,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .shift = 33, .zero = -128,
    .zero_stored = -128, .low = -128,
};

/* weights of line11.linear */
static const int8_t weights_15[360] = {
    -43, 26, -29, -109, 5, -40, 18, 15, -30, -31, 9, -12, 20, -36, 6, -85, -17, 23, -40, 25, 3,
    -12, 18, -127, -9, -18, 54, -40, 2, 19, -16, -52, -60, 14, 4, -7, -34, -11, -53, -4, -5, -3,
    -29, -21, 49, -108, -77, 52, -100, 43, 24, 20, -9, 13, -57, -43, -1, -124, -41, -20, 20,
    -53, -127, -42, -84, -61, -67, -23, -69, -20, 7, -37, -15, 22, -8, -76, -1, 18, 7, 19, -2,
    58, -95, -27, 21, -127, 19, -96, 68, 0, -35, 2, 43, -65, 30, -45, 55, -106, -84, 41, 3, -57,
    -52, 58, -70, 24, 0, 66, 21, -80, 57, -72, -17, 77, 62, -116, -106, 8, -127, 81, -100, -75,
    45, -97, 6, -81, -94, -16, -119, -81, -80, 17, -50, 89, 66, 78, -26, 58, 66, -12, 52, 9,
    -82, 23, -57, -4, -6, 55, -15, 8, -23, 8, -28, 18, -59, -34, -91, -3, -127, 41, -116, -25,
    53, 29, -2, 51, 20, 48, 56, -10, 6, -62, 16, -102, -82, 25, -53, -27, 6, -87, 7, -84, 2,
    -39, -5, 6, -58, -22, -23, 17, 38, 39, -25, 17, -41, -127, 7, 33, 13, 16, 9, -16, -15, 4,
    -21, 10, 24, -87, 14, 18, 26, -60, 51, -10, -17, 23, 32, -44, -9, -31, -1, 58, -35, 27, 20,
    -65, 39, -29, 27, -1, -11, -35, -96, -42, 14, 7, 12, 54, -5, -127, 2, -49, 8, -37, -43, 18,
    -11, -38, -7, -4, 4, 23, -16, 11, -39, 4, -9, -34, 18, -84, 19, -1, 8, -35, -24, -19, 23,
    35, 25, 6, 23, -30, -2, -24, -127, 19, -43, 15, -97, 17, 43, -76, -58, -8, -65, -41, -2,
    -24, 92, -9, 14, 44, 6, -36, -18, -9, -96, 28, -14, -101, 18, 68, -54, -21, -14, -23, 47, 8,
    -27, -49, 31, -127, -25, 28, -8, 26, -35, 36, 50, 62, 34, 29, -1, -55, -85, 36, 36, 41, 25,
    -127, 5, -2, -13, 7, 1, 8, 54, 3, -24, 37, -30, -8, -33, -50, -1, 31, 31, 63, -65, 4, -29,
    -8, -30, -38, -15, -15, 7, -33, -6, -25,
};

/* biases of line11.linear */
static const int32_t bias_15[10] = {
    1700, 8283, 349, -3456, -495, -850, -397, -148, -808, -4427,
};

/* factors */
static const int32_t factor_15[10] = {
    987062115, 708508141, 497979762, 386237860, 550173610, 736104857, 800428004, 910704916,
    509438723, 596965758,
};

/* line11.linear linear 10 */
static const struct convolution layer_15 = {
    .weights = weights_15, .bias = bias_15, .factor = factor_15, .windows.in = 10,
    .windows.out = 0, .windows.height = 1, .windows.width = 1, .windows.channels = 36,
    .windows.out_height = 1, .windows.out_width = 1, .windows.out_channels = 10,
    .windows.window_height = 1, .windows.window_width = 1, .windows.stride_height = 1,
    .windows.stride_width = 1, .windows.padding_height = 0, .windows.padding_width = 0,
    .windows.dilation_height = 1, .windows.dilation_width = 1, .windows.pool_height = 1,
    .windows.pool_width = 1, .group_channels = 36, .group_out_channels = 10, .shift = 38,
    .rectify = 0, .zero = -128, .zero_stored = 46, .low = -128,
};

struct layer {
    void (*run)(const void *arguments, int8_t *arena);
    const void *arguments;
};

static const struct layer layers[] = {
    {run_image, &layer_1},
    {run_convolution, &layer_2},
    {run_convolution, &layer_3},
    {run_depthwise, &layer_4},
    {run_convolution, &layer_5},
    {run_convolution, &layer_6},
    {run_depthwise, &layer_7},
    {run_convolution, &layer_8},
    {run_depthwise, &layer_9},
    {run_convolution, &layer_10},
    {run_convolution, &layer_11},
    {run_depthwise, &layer_12},
    {run_convolution, &layer_13},
    {run_pool, &layer_14},
    {run_convolution, &layer_15},
};

static int8_t arena[MNIST_CHIP_ARENA_BYTES / sizeof(int8_t)];

static APART void run_layers(const struct layer *layer, size_t count)
{
    for (; count > 0; --count, ++layer) {
        layer->run(layer->arguments, arena);
    }
}

static APART int greatest_of(const int8_t *logits, int count)
{
    int greatest = 0;
    for (int each = 1; each < count; ++each) {
        if (logits[each] > logits[greatest]) {
            greatest = each;
        }
    }
    return greatest;
}

uint8_t *mnist_chip_image(void)
{
    return (uint8_t *)arena + 2958;
}

const int8_t *mnist_chip_logits(void)
{
    return arena + 0;
}

int mnist_chip_run(void)
{
    run_layers(layers, sizeof layers / sizeof *layers);
    return greatest_of(mnist_chip_logits(), MNIST_CHIP_CLASSES);
}
