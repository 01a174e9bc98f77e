/* mnist-chip: a network of 5,176 parameters in floats,
   for mnist.
   Written by flyweight. Standard C99 without heap; README.md tells more.
   Functions: (c) 2026 The flyweight authors, MIT licence. Weights: whoever trained them. */
#include "mnist_chip.h"

#include <math.h>
#include <stddef.h>

/* A function of its own, so that its bytes do not depend on what calls it. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define APART __attribute__((noipa))
#else
#define APART
#endif

/* A place in the arena, in elements. */
typedef uint16_t place;
typedef float element;

/* Normalises an image, in place. */
struct image {
    const float *scale; /* of each channel */
    const float *shift; /* of each channel */
    place map;
    uint32_t pixels;
    uint16_t channels;
};

static void run_image(const void *arguments, float *arena)
{
    const struct image *a = arguments;
    float *map = arena + a->map;
    for (uint32_t pixel = 0; pixel < a->pixels; ++pixel) {
        for (uint16_t channel = 0; channel < a->channels; ++channel, ++map) {
            *map = *map * a->scale[channel] + a->shift[channel];
        }
    }
}

/* What is done to the sum of a convolution before it is stored. */
struct finish {
    const float *scale; /* of each channel, behind the activation; NULL: none */
    const float *shift; /* of each channel */
    float (*activation)(float value, float slope); /* NULL: none */
    float slope;
    uint8_t rectify, relu;
};

static APART float finished(const struct finish *a, float value, int32_t channel)
{
    if (a->rectify && value < 0.0f) {
        value = 0.0f;
    }
    if (a->scale) {
        value = value * a->scale[channel] + a->shift[channel];
    }
    if (a->activation) {
        value = a->activation(value, a->slope);
    }
    return a->relu && value < 0.0f ? 0.0f : value;
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

/* The greatest or the mean of each window. */
struct pool {
    struct windows windows;
    uint8_t is_mean, relu;
};

static element pool_at(const void *layer, const element *map, const struct span *rows,
                       const struct span *columns, int32_t channel)
{
    const struct pool *a = layer;
    const struct windows *w = &a->windows;
    float sum = 0.0f;
    float greatest = 0.0f;
    int is_first = 1;
    for (int32_t row = rows->from; row < rows->to; ++row) {
        const int32_t y = rows->first + row;
        float of_row = 0.0f; /* many values in one sum would lose digits */
        for (int32_t tap = columns->from; tap < columns->to; ++tap) {
            const float value = map[(y * w->width + columns->first + tap) * w->channels + channel];
            of_row += value;
            if (is_first || value > greatest) {
                greatest = value;
                is_first = 0;
            }
        }
        sum += of_row;
    }
    const float value =
        a->is_mean ? sum / (float)(w->window_height * w->window_width) : greatest;
    return a->relu && value < 0.0f ? 0.0f : value;
}

static void run_pool(const void *arguments, element *arena)
{
    const struct pool *a = arguments;
    run_windows(&a->windows, a, arena, pool_at);
}

/* scales */
static const float scale_1[1] = {
    3.24561715f,
};

/* shifts */
static const float shift_1[1] = {
    -0.424073905f,
};

/* the image */
static const struct image layer_1 = {
    .scale = scale_1, .shift = shift_1, .map = 2958, .pixels = 784, .channels = 1,
};

/* weights of line1.conv */
static const float weights_2[125] = {
    0.0270071793f, -0.0243114922f, 0.03101594f, 0.0177395493f, -0.0267884228f, -0.0590690561f,
    0.112187266f, -0.00752031012f, -0.10604161f, -0.0892612636f, 0.193746701f, 0.27784586f,
    -0.0460419059f, -0.240326568f, -0.180296808f, 0.339048028f, 0.190975621f, -0.0750575513f,
    -0.135961667f, -0.0712422505f, -0.104366504f, -0.0122662215f, -0.063467443f, -0.0727510527f,
    -0.0177743491f, -0.0106838541f, -0.31516546f, -0.224764466f, -0.213891044f, -0.206595838f,
    -0.0875557438f, 0.275692761f, 0.497178286f, 0.0752433687f, -0.168050051f, -0.142690599f,
    0.359315574f, 0.503043354f, 0.183076113f, -0.114034347f, -0.00736091472f, -0.0737927631f,
    -0.0639036074f, 0.0961281434f, 0.0156923383f, -0.13406691f, -0.0944176689f, -0.0943258777f,
    0.10052754f, -0.010761898f, -0.0887003317f, -0.147180974f, -0.0944696516f, -0.0790497661f,
    -0.0731199533f, -0.253123492f, -0.230158821f, 0.065907605f, 0.209036604f, 0.0816320851f,
    -0.226433292f, -0.0845537037f, 0.18773374f, 0.225454301f, 0.0898526534f, 0.0162527207f,
    0.0752540231f, 0.121831506f, 0.0658782572f, 0.0883052647f, 0.123126104f, -0.0436136797f,
    -0.0742178634f, -0.099296473f, 0.100708939f, -0.227811426f, 0.160002679f, 0.135874197f,
    -0.0168204308f, -0.105397232f, -0.231292993f, -0.0927003995f, -0.0679082796f,
    -0.0296851955f, -0.033866141f, 0.104095094f, -0.0590740517f, -0.155000046f, -0.13104026f,
    -0.10204462f, 0.158806935f, -0.0271019898f, -0.126315996f, -0.146658704f, -0.202641442f,
    -0.0183314066f, -0.00688750017f, 0.00762856565f, 0.0575464442f, -0.0929693952f,
    -0.0375893004f, -0.124996237f, -0.124432974f, -0.102206022f, -0.0861561522f, -0.23858425f,
    -0.179901063f, 0.272645772f, 0.340654343f, 0.331990927f, -0.171559647f, 0.155911744f,
    0.522528827f, 0.246234208f, -0.001804295f, 0.0218764618f, -0.031464573f, -0.149691179f,
    -0.268253028f, -0.128637299f, 0.0116608124f, -0.136153176f, -0.158649936f, -0.00737787317f,
    0.0864020735f,
};

/* biases of line1.conv */
static const float bias_2[5] = {
    -0.318224013f, 1.00008392f, -0.457409531f, 0.454098582f, 0.975091159f,
};

/* line1.conv conv5 5 pad1 */
static const struct convolution layer_2 = {
    .weights = weights_2, .bias = bias_2, .finish.rectify = 0, .finish.relu = 1,
    .windows.in = 2958, .windows.out = 274, .windows.height = 28, .windows.width = 28,
    .windows.channels = 1, .windows.out_height = 26, .windows.out_width = 26,
    .windows.out_channels = 5, .windows.window_height = 5, .windows.window_width = 5,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 1,
    .windows.padding_width = 1, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .group_channels = 1,
    .group_out_channels = 5,
};

/* weights of line2.conv */
static const float weights_3[315] = {
    -0.374685347f, -1.26943707f, 0.129638195f, 1.44305062f, -1.2553283f, -0.366011053f,
    -0.247178122f, -0.0736226365f, 1.71464109f, 0.387777448f, -0.771853268f, 0.0783509165f,
    0.513028204f, 0.186172813f, 1.36651742f, -0.0670897886f, 0.213976383f, 0.0408549719f,
    -0.618488073f, -0.87295121f, 0.212371245f, -1.10696173f, -0.500973403f, 1.09701669f,
    -0.717382729f, -0.478401542f, -1.34043586f, -0.299200088f, 1.21650398f, 1.59842622f,
    0.969718933f, 1.1291461f, 1.57006884f, -0.848811984f, -0.891114414f, -0.0144814914f,
    -0.14757672f, 0.222464249f, -0.0457470119f, -1.31619799f, 0.0940026343f, -0.963270843f,
    -0.452213377f, 1.20725381f, 0.0163131859f, -0.464513451f, 0.519384444f, 1.04331124f,
    0.137986138f, -0.254879922f, -1.34859014f, -0.132901937f, 0.178556249f, -0.584553719f,
    -0.881282091f, -1.37312019f, -0.219192252f, -0.375054568f, -1.72322619f, -0.391914487f,
    -0.647189498f, 0.655377388f, 0.429573506f, 0.224263147f, -0.747431993f, -1.16142118f,
    -1.47833157f, -0.455791056f, -0.749822855f, -1.43121517f, -0.898881614f, -1.34477592f,
    -0.263081193f, -1.42646492f, 0.631311059f, -0.349421173f, 0.776987851f, 0.887795389f,
    -0.431390822f, 0.423238724f, -0.567359805f, -0.897069454f, 0.492796451f, -0.665238082f,
    0.26672703f, 0.325982392f, 0.356591195f, 0.478547633f, -1.31835091f, 1.76772106f,
    -0.884080648f, 0.87136966f, -0.143312037f, -0.814543545f, -0.678131938f, -0.933774292f,
    -0.112157628f, -0.57451421f, 0.0676247552f, -0.483219028f, -1.61170423f, -2.06534648f,
    -0.616211653f, 0.00258225831f, -1.97076571f, -0.0344127342f, 1.34614503f, -0.0805778578f,
    -0.971967161f, 0.891729057f, -0.337756246f, 2.31226087f, -1.08244097f, -0.377932787f,
    1.51840878f, -1.09408057f, -0.0435701236f, -1.38373256f, -0.210926726f, 0.707782686f,
    -0.0280800983f, -1.35159612f, 0.130004838f, -0.940421939f, -0.429824412f, 0.343474209f,
    0.345420063f, -0.258379936f, -0.837981522f, -0.166782945f, -0.497994244f, 0.727454603f,
    -1.40445673f, -0.781441331f, -0.247969642f, -1.8004849f, -0.616355121f, -0.221314073f,
    0.173732415f, -0.294959664f, -0.813846171f, -0.551359296f, -0.502183259f, -0.235143438f,
    -0.214459777f, -0.745704651f, -1.16785085f, -0.381510645f, -0.0451715328f, 0.654868424f,
    -0.194186538f, -1.29671359f, 0.37240544f, 0.973823667f, -0.170722812f, 0.107364245f,
    -0.767545223f, -0.463090301f, 0.77638185f, -1.08461368f, -0.398450017f, -1.1794492f,
    -0.391012162f, 0.801362514f, -1.90103769f, -0.0211308394f, 0.623226225f, 0.602214694f,
    1.00775337f, 0.0155130234f, -0.62909025f, 1.0310961f, 0.570780933f, 0.582950532f,
    -0.614785373f, -0.981818795f, 1.38191295f, 1.01423061f, 0.90882802f, -0.569660425f,
    0.604619205f, -0.610069573f, -0.143743515f, -0.589829624f, 0.70139873f, 0.112047181f,
    0.654507399f, 0.433655322f, 0.00903154537f, 1.1091274f, -0.799151838f, 0.589838624f,
    0.412318856f, 0.149247527f, 0.0632421896f, 0.971716404f, 0.773900449f, -0.17710273f,
    -0.255008042f, 0.197503477f, -0.818563044f, 0.395321906f, -0.310536444f, -0.30266574f,
    -1.64211094f, -1.1894598f, -1.49665999f, -0.700783849f, -0.282161981f, -2.58310199f,
    -0.87408042f, -1.04069865f, -0.377037078f, -0.0305611491f, -0.425478578f, -0.988460541f,
    -1.32666624f, -0.322466552f, -0.770834506f, -1.35878897f, -0.437102318f, -0.860435307f,
    0.474675804f, -0.869969547f, -0.230388805f, -0.238418326f, 0.925195694f, -1.16771233f,
    -1.04810715f, 0.0605972111f, -1.13237667f, 0.792901576f, -0.491349787f, -0.67437166f,
    0.264296979f, -0.354906946f, 1.11574054f, -0.26880157f, -0.270362735f, 0.851679087f,
    -0.272459656f, -0.335620761f, -0.159035057f, -0.354511261f, 0.328077555f, -2.12983489f,
    -0.0395297706f, -0.948294818f, -0.145257875f, -0.0541899838f, -1.17401385f, 0.876161695f,
    -0.938731313f, -0.107763566f, -0.435025156f, 1.0231905f, -0.421840429f, 0.220921233f,
    0.227612033f, -0.428202868f, -0.0171267372f, -1.26322961f, -1.48573995f, 0.436608076f,
    -0.944759846f, 0.137817815f, -1.69727921f, -1.50017381f, 0.154447392f, 0.267187983f,
    -1.51793683f, 0.983724594f, -0.66197902f, -0.0432104208f, 0.403055608f, 0.160859749f,
    -0.36228627f, 0.18276599f, 0.231699109f, -1.04749513f, -0.335156381f, -1.70888925f,
    -0.190731183f, -1.64336133f, -1.04022455f, 0.302367628f, 1.26123631f, 0.325488508f,
    0.608036816f, 1.56686544f, 0.319812298f, -0.911422253f, -0.0576150343f, 1.29533064f,
    -1.03973997f, -1.03620601f, -2.07011628f, 0.186926305f, -1.7216028f, 0.378081977f,
    0.685468495f, 2.30989456f, 1.09822667f, 2.08755922f, 0.888434291f, -0.843916953f,
    -1.47671497f, -0.296265274f, 1.54124343f, -0.688765883f, -1.88731825f, -2.00402069f,
    -1.28854048f, -0.789803386f, 0.874970675f,
};

/* biases of line2.conv */
static const float bias_3[7] = {
    2.05157089f, 8.73164368f, 2.87627149f, 6.08054304f, 9.25552368f, 1.45411146f, 0.656605363f,
};

/* line2.conv conv3 7 maxpool2 */
static const struct convolution layer_3 = {
    .weights = weights_3, .bias = bias_3, .finish.rectify = 0, .finish.relu = 1,
    .windows.in = 274, .windows.out = 267, .windows.height = 26, .windows.width = 26,
    .windows.channels = 5, .windows.out_height = 12, .windows.out_width = 12,
    .windows.out_channels = 7, .windows.window_height = 3, .windows.window_width = 3,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 2, .windows.pool_width = 2, .group_channels = 5,
    .group_out_channels = 7,
};

/* weights of line4.separable.depthwise */
static const float weights_4[63] = {
    -1.20690477f, -2.08072114f, 0.428694904f, 0.461106062f, 3.67203474f, 0.89357841f,
    4.13373756f, 6.82918072f, 6.62482595f, 0.163002267f, -0.469453692f, -2.21335244f,
    1.33224308f, 2.29450798f, 4.11672163f, 4.49146748f, 1.2714684f, 0.605491817f, 2.50391388f,
    -3.95116997f, 2.73677993f, 0.708055437f, -0.127265647f, -1.80526042f, -5.29432058f,
    -7.14228153f, 0.392904371f, 0.201559171f, 6.869452f, -0.248203039f, -3.78179884f,
    -8.44703579f, 1.25464427f, -7.45569134f, -2.40130687f, 1.69741821f, 2.90728354f,
    -5.1991601f, -1.24649119f, 4.669209f, -1.34676456f, 0.195229068f, -4.52166653f,
    -4.19251442f, -2.1442132f, -4.73973656f, -5.0170784f, -4.01211691f, -1.98613977f,
    -1.73568046f, -1.56800663f, -3.92944717f, -7.16852236f, -4.92827797f, -4.62112808f,
    -3.82324505f, -2.1133604f, 2.29586434f, -1.81934023f, 0.595932722f, -0.189083979f,
    -0.81784153f, -3.4940412f,
};

/* biases of line4.separable.depthwise */
static const float bias_4[7] = {
    0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
};

/* line4.separable.depthwise depthwise3 pad1 */
static const struct depthwise layer_4 = {
    .weights = weights_4, .bias = bias_4, .finish.rectify = 0, .finish.relu = 0,
    .windows.in = 267, .windows.out = 169, .windows.height = 12, .windows.width = 12,
    .windows.channels = 7, .windows.out_height = 12, .windows.out_width = 12,
    .windows.out_channels = 7, .windows.window_height = 3, .windows.window_width = 3,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 1,
    .windows.padding_width = 1, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1,
};

/* weights of line4.separable.pointwise */
static const float weights_5[56] = {
    0.00046170014f, -0.0132046835f, -0.00380777079f, -8.78282081e-05f, -0.010090949f,
    -0.00402958412f, -0.00125863519f, 0.0176126342f, 0.00236842479f, -0.00368427299f,
    -0.00583793875f, 0.00441072416f, 0.00898558646f, -0.00955436472f, 0.00305382442f,
    -0.00045234515f, -0.0117084775f, 0.0104148192f, 0.000258434215f, -0.0023492719f,
    0.00321362843f, -0.00344878784f, -0.00202728366f, 0.00486991415f, 0.012392344f,
    -0.000572994759f, 0.00142023503f, -0.0168170426f, -0.000149801417f, 0.00465634046f,
    -0.00347903767f, 0.0075645498f, 0.015654942f, 0.00573116494f, 0.00208413904f,
    -0.0101843709f, -0.0129415914f, -0.0115663353f, -0.00698158238f, 0.0113784606f,
    0.00212230254f, -0.00348903774f, -0.0126042906f, 0.01334967f, -0.00488103367f,
    -0.000129860477f, 0.00100708997f, 0.00352734164f, 0.00193338981f, 0.00146310136f,
    -0.00263632811f, 0.00372297945f, 0.00152324256f, -0.00668373471f, 0.0162561852f,
    0.00100717612f,
};

/* biases of line4.separable.pointwise */
static const float bias_5[8] = {
    -0.11133229f, -0.941866815f, 2.62862253f, 2.98984361f, 1.58756661f, 2.67592692f,
    2.03542566f, 2.21257353f,
};

/* line4.separable.pointwise conv1 8 */
static const struct convolution layer_5 = {
    .weights = weights_5, .bias = bias_5, .finish.rectify = 0, .finish.relu = 1,
    .windows.in = 169, .windows.out = 18, .windows.height = 12, .windows.width = 12,
    .windows.channels = 7, .windows.out_height = 12, .windows.out_width = 12,
    .windows.out_channels = 8, .windows.window_height = 1, .windows.window_width = 1,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .group_channels = 7,
    .group_out_channels = 8,
};

/* weights of line5.conv */
static const float weights_6[648] = {
    0.0473318137f, -0.0634478331f, -0.238125339f, -0.189822093f, -0.117761351f, 0.00389432535f,
    -0.116876051f, -0.00146945508f, 0.0523080491f, 0.0174068175f, -0.070677489f, -0.0432120822f,
    -0.0769136325f, -0.145675257f, -0.0348111168f, -0.0810461044f, 0.101777449f, 0.0995219424f,
    -0.0222751554f, -0.0311245639f, -0.060595274f, 0.0617086329f, -0.0672136843f, -0.126379937f,
    -0.0254613888f, -0.0420445241f, -0.141983077f, 0.0395768061f, -0.0386172049f,
    -0.0413971469f, -0.183256447f, -0.0961438566f, 0.0479926616f, -0.0311815552f, 0.0430173129f,
    -0.0521219783f, -0.0581976511f, 0.00725475606f, -0.201415241f, 0.00520196557f,
    0.0013186736f, 0.0136867343f, 0.138438657f, -0.101402923f, 0.0377766453f, 0.112510182f,
    -0.146628916f, 0.0890424103f, 0.00389090227f, -0.160179973f, -0.122138016f, 0.210110247f,
    0.125294968f, -0.0413322523f, 0.23613295f, -0.0526319481f, 0.0365514494f, -0.0315886401f,
    0.116063774f, -0.0649736226f, 0.0943722799f, -0.0227860734f, 0.133731171f, -0.0508958325f,
    0.0158922933f, 0.0132929264f, 0.163341135f, -0.0524498112f, 0.103976078f, -0.00951196346f,
    0.053780023f, -0.0615043826f, -0.0522372052f, 0.0954593197f, 0.062683709f, -0.0489878468f,
    0.166360304f, -0.00620194757f, 0.0179265048f, -0.12597625f, -0.0349464491f, 0.0208843183f,
    -0.0150624514f, -0.0266796574f, 0.107579395f, -0.112393655f, 0.0751179755f, -0.0752562061f,
    0.0915361345f, -0.00992153492f, 0.0527634546f, -0.0669120625f, 0.0184872523f,
    -0.0759658739f, 0.162070096f, -0.0793424398f, -0.0509778149f, 0.0272924416f, -0.0330692381f,
    -0.124543764f, 0.0353398733f, 0.0984844789f, 0.0155583639f, 0.030736452f, -0.104060791f,
    -0.0238521229f, 0.0286680944f, -0.0140310973f, 0.0438073464f, -0.000822587404f,
    0.203566998f, 0.0110062687f, -0.01982137f, -0.103564799f, 0.0542929173f, 0.00355469505f,
    -0.029319305f, 0.0780011192f, 0.160518482f, -0.044193767f, -0.0221520122f, 0.115392387f,
    -0.0522023216f, -0.210398719f, -0.122309484f, -0.054909315f, -0.141004533f, -0.0138135105f,
    0.0322035924f, 0.015765531f, 0.0660276115f, -0.0900402293f, -0.167837322f, -0.122843251f,
    -0.0312444195f, 0.00335591473f, 0.0688432083f, -0.107260145f, 0.0611801185f, 0.019781597f,
    -0.115338758f, -0.00463704206f, -0.00619978551f, -0.0105988728f, -0.0190213397f,
    0.0699435771f, -0.0260628257f, 0.0388964638f, 0.079526417f, -0.0168500021f, 0.0499480926f,
    0.138320133f, -0.00152426364f, -0.0314028896f, -0.0225046743f, 0.00154760259f,
    -0.0974175632f, -0.0469960347f, 0.016573552f, 0.136176616f, -0.018991949f, -0.123282753f,
    0.0112467511f, -0.0277482234f, -0.0833469033f, -0.0919229835f, 0.0378058478f, 0.0260775741f,
    -0.0516114235f, 0.0590420663f, 0.0590828769f, -0.052724462f, 0.225094467f, -0.0210896004f,
    -0.014127586f, 0.0514726192f, -0.0273900777f, 0.0288939346f, 0.0409040079f, -0.0651374087f,
    0.0826806724f, 0.0919902474f, -0.0550941452f, 0.0662224963f, 0.0290209763f, -0.00120805891f,
    0.0439713374f, 0.0767477527f, -0.0829319581f, -0.0179368965f, -0.0486936346f, 0.0959775671f,
    -0.0270250272f, 0.0239377245f, 0.147344694f, -0.0129957907f, 0.162850395f, -0.0223065801f,
    0.0981120914f, -0.0827480108f, -0.0579233915f, -0.0325987898f, 0.0782327652f, -0.105950169f,
    0.157309189f, 0.0812767223f, 0.223978609f, -0.21572347f, -0.0496091135f, 0.00123056851f,
    0.0222046878f, -0.0150848012f, 0.017204361f, 0.0363768861f, 0.190221742f, -0.193992153f,
    -0.0181492604f, -0.153163359f, -0.108165137f, -0.140115514f, -0.0230221022f, 0.022876665f,
    0.0736020282f, -0.0494855903f, 0.0384446383f, -0.0943808407f, -0.144693464f, 0.00808683783f,
    -0.100030497f, 0.0115381042f, -0.0317564309f, 0.105453491f, 0.0155330999f, -0.0742544085f,
    -0.289587766f, -0.212917328f, -0.105458513f, 0.0218546558f, -0.0655719712f, 0.163844258f,
    -0.0291336011f, -0.124890231f, 0.0287958961f, -0.0615107492f, -0.0522866324f, 0.0350731872f,
    0.0169796608f, 0.0248065777f, -0.0134716975f, -0.0578700118f, 0.0487214103f, -0.0604868606f,
    -0.0434905924f, 0.0149289845f, 0.0898132771f, 0.0863497555f, 0.00856053084f, 0.0728144273f,
    0.060059309f, -0.182793945f, 0.0152224228f, 0.1827925f, 0.0574011803f, -0.0230965093f,
    0.00473007606f, 0.0311469119f, -0.00695052929f, 0.16488041f, 0.0732628703f, -0.0780512094f,
    -0.0020121478f, 0.0676188618f, 0.0268237051f, 0.0970145985f, 0.015034046f, 0.0885749757f,
    0.0879119709f, -0.0317584649f, -0.0339807123f, -0.0152884237f, 0.0941471234f, 0.132515669f,
    0.125024065f, 0.0365238115f, 0.016855482f, 0.0683022961f, -0.135755375f, -0.0995117202f,
    -0.0110019101f, -0.130455568f, 0.0338546149f, 0.116161406f, -0.0285891984f, -0.102337159f,
    -0.0631434396f, -0.0576912127f, 0.0410644487f, -0.125129491f, 0.075429216f, -0.0146677177f,
    0.00260351365f, -0.0481066778f, 0.0807392001f, -0.166442454f, 0.0309566185f, 0.063577503f,
    -0.0267008543f, -0.117800027f, -0.0309616271f, -0.013297095f, 0.0946781188f, -0.136285096f,
    0.012534624f, -0.23004958f, 0.00599486753f, 0.335802227f, 0.189519852f, 0.0691895708f,
    0.0873567536f, 0.134347111f, -0.0624803975f, -0.114136279f, 0.0424760059f, 0.0853840262f,
    -0.024744181f, -0.0102952365f, 0.0298281647f, -0.0611326024f, -0.0577401258f, 0.100546144f,
    -0.00699550053f, -0.186918408f, -0.172752798f, -0.00639882591f, 0.0183536522f,
    -0.0342919417f, 0.102710605f, -0.154623076f, 0.159739837f, 0.165202409f, 0.232086986f,
    0.230603024f, 0.0363812409f, -0.0705203265f, -0.00397761399f, 0.0657685027f, 0.072874248f,
    0.117199197f, -0.110303402f, -0.148526594f, -0.203149438f, -0.0533229969f, 0.0257920809f,
    0.10419023f, -0.0112072527f, -0.0255448464f, -0.13710995f, -0.0217736866f, -0.0789204687f,
    0.115455814f, 0.104031891f, 0.0251256935f, 0.210999489f, -0.0556621216f, -0.0659233108f,
    0.0556273237f, -0.00951701496f, -0.052485697f, 0.0487539098f, -0.00859830994f, 0.182560399f,
    -0.083728224f, 0.0685655177f, 0.105498254f, 0.0269412734f, -0.0237509906f, -0.00614414504f,
    -0.00563832978f, 0.112839445f, -0.0781467855f, 0.148894459f, 0.071861349f, 0.0216507297f,
    -0.00311434106f, 0.00107954303f, -0.0546881445f, 0.0469198488f, 0.0617572516f,
    -0.0609851331f, -0.146019995f, 0.0167304836f, 0.0209417511f, 0.0128940418f, -0.134670556f,
    0.0484011024f, -0.0531754009f, 0.0284975506f, -0.0507426001f, 0.0360882506f, -0.10477642f,
    0.0295140538f, -0.119520873f, 0.0254899953f, -0.0434585996f, -0.0077616917f, -0.106669314f,
    0.0297148749f, -0.190840125f, -0.055212263f, -0.0136440024f, -0.11580532f, 0.0796328783f,
    -0.0032730028f, 0.0525885522f, -0.0218524169f, -0.0509827994f, 0.0728637651f,
    -0.0842298791f, -0.0284823347f, 0.125176355f, -0.0468547791f, 0.0823385343f, -0.114268407f,
    -0.036979612f, 0.0606619902f, -0.0329118818f, 0.0498266667f, 0.130799398f, -0.0758290216f,
    0.0551486015f, -0.0350506492f, 0.00381985842f, 0.0449383073f, -0.028891813f, 0.0191173088f,
    -0.246453926f, -0.133988842f, -0.0348236859f, -0.00297006778f, -0.0366090164f,
    -0.0081124017f, -0.00293760165f, 0.00925426465f, -0.0585363917f, -0.0650440231f,
    0.0295801964f, -0.0642462596f, -0.0713223368f, -0.0370166898f, 0.0337273292f, 0.111903019f,
    0.203500077f, -0.0228537209f, -0.0686190203f, -0.0220590495f, 0.0421530046f, 0.092360802f,
    -0.0380014144f, -0.112890281f, 0.0126199163f, -0.0832900777f, -0.147190049f, -0.0909910426f,
    0.0953967422f, 0.0129251294f, -0.0649954975f, -0.04397377f, 0.193295002f, 0.137502253f,
    -0.0788512453f, 0.0989567637f, 0.112039998f, -0.0784909725f, -0.119065374f, 0.092545256f,
    0.204629064f, 0.233349055f, 0.0775934756f, 0.0924491808f, -0.0503848903f, 0.0404473506f,
    -0.0353043452f, -0.119772606f, -0.00537933595f, 0.057388667f, -0.0776797235f, 0.145960733f,
    0.039703235f, 0.0720868632f, -0.0653819218f, 0.00253294036f, -0.028248338f, 0.0841865242f,
    0.129561856f, 0.0462289602f, -0.022348728f, 0.113554932f, -0.0620664693f, 0.133022159f,
    -0.0777374506f, -0.0047933138f, 0.022012515f, -0.117505431f, -0.0634281039f, -0.0453249626f,
    -0.0633897632f, 0.0125922319f, 0.0741149113f, 0.0333850943f, -0.0800663456f, 0.108236f,
    -0.0188488197f, 0.0495417118f, -0.0671750084f, 0.0567698143f, -0.0328477807f, 0.0138386479f,
    0.0960530415f, 0.00174140814f, -0.155290216f, 0.02190019f, 0.0677877516f, 0.146021396f,
    -0.0420753397f, -0.0510588773f, 0.00582279498f, -0.083973594f, -0.159244776f, 0.0120865069f,
    -0.117095195f, -0.0147226537f, 0.0525506213f, 0.045540303f, 0.00409367215f, 0.0939331055f,
    0.023664901f, 0.081519641f, -0.0787105784f, 0.0195977744f, 0.00106146152f, 0.0221303552f,
    0.103100449f, -0.00536537822f, 0.019242581f, -0.00387658342f, 0.0421274677f, 0.0324736312f,
    0.0654798523f, 0.00988719612f, 0.0169116464f, -0.121140458f, 0.0340850689f, 0.0242981464f,
    -0.0290305298f, -0.0244863797f, -0.0202165414f, -0.135393977f, -0.107141949f, 0.160563469f,
    0.0477784798f, 0.0249617435f, 0.0575274043f, 0.125162154f, -0.0444457792f, 0.0888974518f,
    0.0765065178f, 0.134728447f, -0.0487298481f, -0.0501234531f, 0.0663817227f, 0.147709832f,
    0.129354194f, 0.163150266f, 0.0471343361f, -0.0311978832f, -0.122498833f, 0.110998757f,
    -0.000517360691f, 0.0500046834f, 0.0136658605f, 0.0577290095f, -0.0253375694f,
    -0.0348904841f, -0.00639097486f, 0.119762957f, 0.0483845398f, 0.0637076497f, 0.0300881155f,
    0.0102968803f, 0.0578295104f, -0.089078933f, 0.0191018619f, -0.079342261f, 0.0763739869f,
    -0.0657120943f, -0.0469401665f, -0.0310192648f, 0.0424990021f, 0.0245398749f, 0.0896888301f,
    0.11103303f, 0.0617177151f, 0.00348686217f, 0.0230114218f, 0.0631099418f, 0.0501752906f,
    -0.0918593109f, -0.0247210879f, 0.0426667854f, 0.074840866f, 0.109700054f, 0.106680855f,
    0.0337665491f, 0.0146740014f, -0.0890350044f, 0.11610508f, -0.119170837f, 0.0808922797f,
    0.0428047404f, 0.0964177325f, 0.0165865775f, 0.00974569283f, -0.0174113922f, 0.126296118f,
    -0.0536386743f, 0.025062941f, -0.050871186f, 0.02114412f, -0.0116345258f, -0.0156601928f,
    0.031076964f, -0.0329025015f, -0.0182638131f, 0.0366453491f, 0.0196273942f, 0.070383586f,
    0.0538956113f, 0.00845507905f, -0.0445919894f, 0.120281115f, 0.12531805f, 0.0050757248f,
    0.0329578035f, -0.00119283609f, -0.0485054217f, -0.0154415267f, -0.0724789128f,
    0.207830966f,
};

/* biases of line5.conv */
static const float bias_6[9] = {
    2.01446486f, 1.26966763f, -0.923674285f, 0.424477488f, -0.845277011f, -0.743623853f,
    -0.322758466f, -2.21763325f, -1.90248907f,
};

/* line5.conv conv3 9 */
static const struct convolution layer_6 = {
    .weights = weights_6, .bias = bias_6, .finish.rectify = 0, .finish.relu = 1,
    .windows.in = 18, .windows.out = 0, .windows.height = 12, .windows.width = 12,
    .windows.channels = 8, .windows.out_height = 10, .windows.out_width = 10,
    .windows.out_channels = 9, .windows.window_height = 3, .windows.window_width = 3,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .group_channels = 8,
    .group_out_channels = 9,
};

/* weights of line6.separable.depthwise */
static const float weights_7[81] = {
    1.85932624f, -5.89133358f, 3.94512677f, 0.493434697f, 6.6569252f, 2.77635241f, 0.58864677f,
    -5.65515423f, 0.0409917384f, -1.30676377f, -5.11006355f, -0.68581152f, -0.688974798f,
    2.81165171f, 0.186898917f, 2.99010515f, -2.98408341f, -0.715608597f, -0.236082673f,
    -4.42328167f, -3.35540056f, -2.62781715f, -0.939109802f, -4.87568521f, 6.9354682f,
    0.839592218f, 2.68960619f, 8.62840462f, -2.36363816f, 5.16654205f, -1.51501286f,
    7.40865231f, -8.15337276f, 10.6232281f, -6.28036547f, 5.98161316f, 3.46004152f, 1.08773971f,
    2.92619109f, -4.23731232f, 2.42418671f, -6.99576616f, 4.79737711f, -4.13462973f,
    5.85275173f, 0.811706245f, 0.961097002f, -2.80099297f, -5.64337063f, -0.384326249f,
    -2.89469337f, 3.11480641f, 2.84517026f, 7.80879021f, 1.81000447f, -2.78297091f, 2.24398541f,
    -1.44962001f, -1.1561048f, -6.94720888f, 3.96987605f, 0.760339677f, 1.06639636f,
    2.33397722f, 0.966366589f, 1.90361285f, -2.71117854f, -3.61327076f, -2.29913473f,
    -1.50590312f, 3.52871561f, -1.41366255f, 0.816890955f, -0.243400723f, 4.49408913f,
    -1.83689392f, -3.58483982f, 1.42526805f, -0.396385103f, 4.92088032f, 2.71671867f,
};

/* biases of line6.separable.depthwise */
static const float bias_7[9] = {
    0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
};

/* line6.separable.depthwise depthwise3 pad1 */
static const struct depthwise layer_7 = {
    .weights = weights_7, .bias = bias_7, .finish.rectify = 0, .finish.relu = 0,
    .windows.in = 0, .windows.out = 1751, .windows.height = 10, .windows.width = 10,
    .windows.channels = 9, .windows.out_height = 10, .windows.out_width = 10,
    .windows.out_channels = 9, .windows.window_height = 3, .windows.window_width = 3,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 1,
    .windows.padding_width = 1, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1,
};

/* weights of line6.separable.pointwise */
static const float weights_8[216] = {
    -0.332094431f, 0.0810636356f, -0.175152615f, 0.0548708588f, -0.0841406509f, 0.37592417f,
    0.00412631733f, 0.100925982f, 0.100711048f, -0.0867947862f, 0.130608648f, -0.231352687f,
    -0.150045976f, 0.303417653f, 0.165156931f, 0.00343855307f, 0.0613261126f, -0.288062215f,
    -0.0010423538f, 0.0636550561f, -0.0672352463f, 0.0185584109f, -0.174080968f, -0.287543923f,
    -0.197555095f, 0.0116078975f, -0.0944042876f, -0.0636945665f, 0.139112979f, 0.394434124f,
    0.0714730695f, 0.141440824f, 0.130299225f, -0.102831937f, -0.185072646f, 0.00753305387f,
    0.172689036f, -0.0842564926f, -0.0523200817f, 0.297608018f, 0.0444698483f, 0.164165422f,
    -0.100340813f, -0.318245113f, 0.208329603f, -0.22090736f, 0.284022063f, -0.0767208189f,
    -0.285238653f, -0.0720323175f, 0.371886879f, -0.121659644f, 0.0210530199f, -0.124756701f,
    0.158729181f, -0.0925529525f, 0.170350403f, -0.0024609752f, -0.291551471f, 0.0931776315f,
    -0.258131772f, 0.0884901434f, -0.0361626334f, 0.0916457698f, 0.183545873f, -0.131103918f,
    -0.145177171f, 0.314548433f, -0.220955908f, 0.234355226f, 0.383764952f, 0.0234531537f,
    0.086317651f, 0.252864838f, -0.0110765472f, -0.0275693778f, -0.0289382599f, -0.184454724f,
    -0.199377403f, 0.146238089f, -0.21618472f, -0.0400178432f, 0.20758006f, -0.166025698f,
    -0.175126389f, -0.388809919f, 0.323727697f, -0.462810665f, -0.0962125957f, -0.298096836f,
    0.0593193471f, -0.0436149798f, 0.331108302f, 0.0189302973f, -0.0643339008f, -0.0271782801f,
    -0.0944471136f, 0.00843477342f, -0.0109176449f, -0.00797875784f, 0.0465404354f,
    -0.00916618668f, 0.0147168413f, 0.216124386f, 0.0012083886f, -0.255146474f, 0.0427355766f,
    -0.2386114f, -0.0304036532f, 0.0886655822f, 0.109717108f, -0.123380743f, -0.453663439f,
    0.10270004f, -0.176278934f, 0.0387207493f, -0.304709017f, -0.0430090986f, 0.0827989355f,
    -0.174914807f, -0.0112222591f, 0.101078406f, 0.0194823463f, -0.176970974f, 0.110906124f,
    0.550691843f, -0.135962442f, -0.0773241892f, -0.101409465f, 0.0791395605f, -0.0443375856f,
    -0.262327522f, 0.0302389283f, -0.0826219842f, -0.153418034f, -0.171898559f, -0.0686449409f,
    -0.197227329f, 0.0953566283f, -0.0526753776f, -0.0513729602f, -0.062070068f, -0.279313445f,
    -0.107615776f, -0.139186502f, 0.217468992f, 0.0127034849f, -0.0357988998f, -0.204238221f,
    0.099943541f, 0.142833948f, 0.167093769f, -0.207109645f, 0.161586359f, 0.0663873479f,
    -0.0953251347f, -0.285220593f, -0.0166521072f, -0.0196815394f, -0.00279622246f,
    0.0895125866f, 0.125926748f, -0.227078944f, -0.278784961f, -0.196252763f, -0.0896105096f,
    -0.270671129f, -0.0807939246f, -0.0582887381f, 0.363067567f, 0.076519981f, 0.183001369f,
    -0.234952345f, -0.0635984689f, 0.0282236002f, -0.246950462f, 0.102545395f, -0.403671324f,
    0.152063072f, -0.220096603f, 0.131983086f, -0.245546073f, 0.0286427215f, 0.032929223f,
    0.0807867274f, -0.0427418686f, 0.107502118f, -0.0164608806f, 0.0990153253f, -0.043801818f,
    0.122844033f, -0.0399454087f, 0.195993215f, -0.188571021f, 0.302224159f, 0.229085311f,
    -0.242632046f, 0.0209770035f, 0.344249249f, -0.0691709593f, 0.102664106f, -0.369990736f,
    0.161647946f, 0.107146785f, -0.0323538072f, -0.184354261f, -0.274260044f, 0.0203159507f,
    -0.174369201f, -0.0299627576f, -0.153611183f, 0.15696238f, 0.027480796f, -0.184844181f,
    -0.00225135405f, 0.124712877f,
};

/* biases of line6.separable.pointwise */
static const float bias_8[24] = {
    13.4262009f, 4.45514202f, 0.347101539f, -3.54263043f, 4.03974533f, 11.7676706f, 5.00737238f,
    -3.0626061f, 4.37930059f, 12.8689117f, -3.26918769f, 7.97844124f, 5.31728077f, 4.19518518f,
    -0.91446197f, 6.8226285f, 3.78550601f, -2.30957294f, 2.58110285f, 7.27229214f, -5.35659885f,
    5.6349659f, -11.1878996f, 3.2455976f,
};

/* line6.separable.pointwise conv1 24 */
static const struct convolution layer_8 = {
    .weights = weights_8, .bias = bias_8, .finish.rectify = 0, .finish.relu = 1,
    .windows.in = 1751, .windows.out = 242, .windows.height = 10, .windows.width = 10,
    .windows.channels = 9, .windows.out_height = 10, .windows.out_width = 10,
    .windows.out_channels = 24, .windows.window_height = 1, .windows.window_width = 1,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .group_channels = 9,
    .group_out_channels = 24,
};

/* weights of line7.separable.depthwise */
static const float weights_9[216] = {
    8.04990292f, -0.344387919f, 5.36644506f, -0.32820797f, -0.702753782f, -4.02269602f,
    3.59683132f, -0.383116037f, 5.22465181f, 5.67255878f, 1.20387268f, 0.0256383084f,
    4.65750217f, 7.79958534f, 5.77580214f, -1.97465622f, 6.78607178f, 0.328801155f,
    -0.588490963f, 0.0624950491f, 5.10540676f, -3.86840081f, 9.23210716f, -3.25263214f,
    6.86218596f, 2.11629105f, 2.63763213f, -1.06724f, 4.893116f, -7.81345701f, 1.87499261f,
    5.26368761f, 4.10578489f, 2.96757293f, -0.752414644f, 0.646898687f, 3.07698178f,
    4.67784023f, 4.4892745f, -2.30346775f, 4.00945187f, 1.72383821f, 1.45289469f, -0.388412952f,
    2.65966272f, -3.9549427f, 0.667412043f, -1.29189003f, 6.16460991f, 4.01489544f,
    -1.19844258f, 2.62840271f, 6.30968714f, -9.70980549f, -0.881038487f, 6.91231966f,
    3.3472929f, 6.09243727f, 1.34786749f, 2.93808031f, 3.08591056f, 2.16333032f, 2.32351089f,
    -7.21094227f, 1.84172392f, 5.10459614f, 3.27829814f, -2.20185614f, 1.26053667f,
    -1.01497948f, -4.87118196f, -0.455836475f, -0.626775682f, 3.07711673f, 2.8159101f,
    -5.56209421f, 1.80478013f, 3.72868466f, -3.6130085f, -1.31786239f, 2.15461564f,
    0.388421327f, 3.89568734f, -3.74131536f, 5.27373123f, 3.45077944f, 3.22664928f,
    -2.84138751f, 4.34199095f, -0.141210228f, -5.80887794f, 8.78335381f, 3.88066149f,
    5.45561361f, 4.55734634f, -3.54815149f, -0.69361788f, 1.51317382f, -1.12316585f,
    -4.53454304f, 0.45273596f, 1.80587864f, -0.273601472f, 1.48961151f, -0.232599571f,
    -4.82595396f, 0.265588433f, 3.7075994f, 2.79438901f, -0.0811275914f, 1.3727119f,
    -2.03155494f, 1.53047931f, 2.020262f, -0.539958835f, 2.49024248f, 0.205497906f, 1.03915751f,
    -0.114099465f, 4.4854784f, -1.63224936f, 0.611771464f, -1.02732539f, -3.9187634f,
    -1.46776378f, -2.07764935f, 0.607455671f, -0.602601051f, 1.26299226f, 2.88299656f,
    1.30856633f, 6.66989088f, 0.595536292f, -2.07377815f, -0.637455523f, -3.16439295f,
    -0.775436819f, 4.85737753f, 4.09217262f, -5.20969248f, -3.1918335f, -2.3540535f,
    -4.63820982f, 8.83446407f, -5.63541412f, -3.65966678f, -5.90015984f, -4.09628677f,
    -0.0385993533f, 5.8458724f, -10.1623449f, -3.86717463f, 1.75631237f, -3.46876717f,
    5.44240189f, 1.09369206f, 2.74155259f, -1.25837719f, -2.01865244f, -0.836449564f,
    -2.19947267f, 0.0141251283f, -7.9609108f, 4.86270666f, 3.46413279f, 8.68166161f,
    -3.95059109f, 0.149548382f, -6.26906776f, -5.61346674f, -7.11710024f, -1.72390044f,
    -3.40428066f, 1.39265347f, -1.70996213f, -2.38685584f, -0.135964423f, 2.75220656f,
    2.85156918f, 5.74265099f, 0.501365304f, -4.15079927f, -5.11736488f, 0.416005999f,
    -1.74914694f, 0.726149976f, -2.97199512f, -2.06400633f, -0.834853768f, 0.221176267f,
    -4.41648197f, 4.22810555f, -6.90941048f, -8.3693409f, -2.5266664f, -3.79055738f,
    -4.83814764f, 1.58153129f, 1.98683679f, -1.79949093f, 1.20368481f, 15.2475872f, 2.29778481f,
    2.711092f, -0.834254503f, -4.98254299f, -3.31716037f, 3.4520545f, -0.0524383821f,
    2.77524829f, 2.35620761f, -6.40194082f, -2.55738544f, -5.8990798f, -3.48582625f,
    1.85396063f,
};

/* biases of line7.separable.depthwise */
static const float bias_9[24] = {
    0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
    0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
};

/* line7.separable.depthwise depthwise3 */
static const struct depthwise layer_9 = {
    .weights = weights_9, .bias = bias_9, .finish.rectify = 0, .finish.relu = 0,
    .windows.in = 242, .windows.out = 218, .windows.height = 10, .windows.width = 10,
    .windows.channels = 24, .windows.out_height = 8, .windows.out_width = 8,
    .windows.out_channels = 24, .windows.window_height = 3, .windows.window_width = 3,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1,
};

/* weights of line7.separable.pointwise */
static const float weights_10[336] = {
    0.00677392585f, -0.000368914334f, -0.000488783815f, -0.0029551175f, -0.00184906134f,
    -0.0010237518f, 0.000322776235f, -0.000533832586f, -0.00485017477f, -0.00462179445f,
    0.00222200481f, -0.00347286509f, -0.00449063582f, 0.00365128159f, -0.000475217064f,
    -0.0010558269f, -0.00289198477f, -0.00485456083f, 0.00197826303f, -0.00321799447f,
    -0.0058486904f, 0.00222330401f, 0.00210327422f, -0.00163965253f, -0.00180512643f,
    0.000563817972f, -0.000613118056f, 0.000163376113f, -0.00234763464f, -0.00038013552f,
    -0.00643609883f, -0.000130872053f, 0.000185835335f, -0.00459776819f, 0.00467165746f,
    -0.000857620907f, -0.00225126813f, -0.0021944046f, -0.00184226094f, 0.000755635381f,
    -0.00112197828f, -0.000744585472f, -0.000660316146f, 0.00573662808f, -0.00169035932f,
    -0.00316968351f, -0.00173029769f, 0.000401777826f, 0.00119400327f, -0.010560262f,
    0.00284709409f, 0.00373588898f, 0.00337802386f, -0.000407585991f, 0.00235532504f,
    -0.00241090893f, 0.000947870896f, 0.00192118098f, -0.00392209645f, 0.00177155354f,
    -0.00356983393f, -0.0013731597f, 0.00364775257f, -0.00171402388f, 0.003143118f,
    0.00013060552f, 0.00226627127f, -0.00188403879f, -0.00143647811f, 0.00472372863f,
    0.00300168036f, 0.00191750994f, -0.0008749197f, -0.00211770367f, -0.00385935022f,
    0.00402124459f, -0.000370955066f, -0.00404258585f, -0.000923204527f, -0.0026458432f,
    0.00308069098f, 0.00399150001f, 0.000627485395f, 0.00186954171f, 0.00394521235f,
    0.00132569787f, 0.000827151933f, 0.000135313516f, -0.000391078269f, -0.00103843259f,
    0.00205461984f, -0.000945742708f, 0.000636188895f, 0.00397116365f, 0.00311856391f,
    -0.000650125323f, 0.0022482886f, -0.00127870613f, 0.00359880854f, -0.000720402924f,
    0.00510451477f, 0.00554292277f, -0.00080777012f, -0.00507082092f, 0.00360111822f,
    -0.00124494219f, 0.00181903178f, -0.00202061585f, 0.00138751394f, 0.00426924787f,
    -0.00219814014f, 0.000492494961f, -0.00331033091f, 0.00402038358f, 0.00586312963f,
    -0.000312956865f, 0.00029734202f, 0.00100453722f, 0.00145326101f, -0.00280266278f,
    0.00190796179f, -0.000113712675f, -0.00281814556f, 7.51147672e-05f, -0.000621383195f,
    0.00219075894f, -0.000967633387f, -0.00157029554f, 0.0011520033f, -0.0038502831f,
    -0.00281283795f, -0.0021894041f, -0.00333424821f, 0.00156555406f, -0.00441505015f,
    0.00120449741f, -0.000565804541f, -0.00474905781f, -0.00271719205f, 0.00426055025f,
    0.00162997865f, -0.00329725444f, -0.00203584787f, -0.00206296169f, 0.00452486053f,
    0.00277137128f, -0.000222605129f, 0.00272915093f, -0.000785466225f, -0.00541299069f,
    0.00207472523f, -0.00163365295f, 0.000241068294f, -0.00293658464f, 0.000483676617f,
    0.000770184619f, 0.000427234219f, -0.000777457259f, -0.00219823862f, 0.0045257681f,
    0.00464353198f, 0.0029159917f, -0.000236558626f, -0.000885763264f, -7.9664409e-05f,
    -0.00380113069f, -0.00777519261f, -0.00159574184f, -0.00220052013f, 0.00141482521f,
    0.00517026847f, 0.00152614492f, 0.00245693815f, 0.000412013062f, 0.00193254638f,
    0.00357906334f, 0.000943880586f, -0.00341016217f, -0.00183455367f, -0.00551831676f,
    -0.000197157759f, 0.00111824297f, 5.3355172e-05f, 0.00657698326f, 0.00052090903f,
    0.00532759214f, -0.00324047473f, 0.00235505146f, 0.00311705866f, 0.00274796272f,
    0.00334254676f, -0.000256186351f, -0.00272242585f, 0.000586856622f, -0.000567984825f,
    0.00593890017f, 1.5182103e-06f, 0.00558591308f, -0.00471505569f, 0.00431117229f,
    0.00132082705f, -0.00264336728f, -0.00164234987f, 4.98203699e-05f, 0.00183528708f,
    0.00507812295f, 0.00041942898f, -0.00112857041f, 8.93299148e-05f, 1.87717751e-06f,
    0.000662861334f, -0.00157710456f, -0.00342633366f, -0.00298243202f, -0.0015673273f,
    0.000854634156f, -0.00109011494f, 0.00170287455f, -0.000377209828f, 0.00455226749f,
    -0.00323397992f, -0.00126535364f, 0.000472941843f, -5.43239912e-06f, -0.000726494356f,
    -0.00463772798f, 0.00157639966f, -0.00059991359f, -0.000914971984f, -0.00437542703f,
    8.30373538e-05f, 0.000609544106f, -0.00761746056f, -8.93581237e-05f, 0.00283710146f,
    -0.00240594125f, 0.00379357091f, -0.000236801396f, -0.00429470697f, 0.00873820018f,
    -0.0053462442f, -0.00149904797f, 0.00356727117f, 0.00297177443f, -0.00386567367f,
    0.000517885084f, 0.00397322141f, -0.000368880108f, -0.000582604553f, -0.00402547419f,
    -0.000601430249f, -0.00108489674f, 0.00148356124f, 0.00141260866f, 0.00599395577f,
    -0.00188534893f, -0.00141848437f, -0.00079668418f, 0.00311776879f, -0.000684432336f,
    -0.00145507476f, 0.00156903884f, -0.00155940827f, -0.000876369537f, -0.00181540474f,
    0.00172404561f, 0.000681323581f, -0.00138255709f, -0.00535575533f, 0.00125968049f,
    -0.000708293344f, 0.00376849994f, 0.00257892767f, -0.00197862112f, 0.00230687787f,
    -0.00405720249f, 0.00155116303f, -0.00483793113f, 0.000327812071f, 0.00454448862f,
    0.00271945144f, 0.00233393302f, 0.00127781928f, -0.000520008791f, -0.00356156426f,
    0.00226505287f, 0.000480619987f, 0.00286329305f, -0.00333116087f, 0.00216740184f,
    0.000903416774f, -0.00201925705f, 0.00086043647f, -0.00197618618f, -0.00667887973f,
    -0.00296140299f, -0.00271174731f, 0.00604989007f, -0.0045848405f, -0.00415703189f,
    4.83010808e-06f, 0.000547661446f, 0.00428327313f, -0.00462400261f, 0.0045518619f,
    0.00179605687f, -0.00883052964f, 0.00062708091f, 0.00276814611f, -0.000495996501f,
    -0.00299352151f, 0.00457107928f, 0.000235806336f, 0.00164802372f, 0.000116367803f,
    -0.00471110176f, -0.00184869929f, 0.00341868447f, 0.00522402534f, 0.00169802026f,
    0.00502689835f, -0.00144643325f, -0.00392807275f, 0.00200574775f, 0.0003785718f,
    -0.0010657066f, -0.00159581366f, -0.000921860279f, 0.0052376762f, -0.00429825624f,
    -0.00254352367f, -0.00400179066f, 8.84764377e-05f, 0.00350103853f, -0.00161869719f,
    0.00437420513f,
};

/* biases of line7.separable.pointwise */
static const float bias_10[14] = {
    2.6263988f, 0.33635062f, -0.385023534f, -0.442551762f, 1.57265937f, 1.56816566f,
    0.881992161f, 0.863977134f, 0.718625128f, -0.261223942f, 1.50705171f, 0.869649827f,
    -1.49180663f, 0.272422075f,
};

/* line7.separable.pointwise conv1 14 */
static const struct convolution layer_10 = {
    .weights = weights_10, .bias = bias_10, .finish.rectify = 0, .finish.relu = 1,
    .windows.in = 218, .windows.out = 204, .windows.height = 8, .windows.width = 8,
    .windows.channels = 24, .windows.out_height = 8, .windows.out_width = 8,
    .windows.out_channels = 14, .windows.window_height = 1, .windows.window_width = 1,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .group_channels = 24,
    .group_out_channels = 14,
};

/* weights of line8.conv */
static const float weights_11[1890] = {
    0.269905239f, 0.0435468405f, -0.0229985993f, -0.17255117f, 0.0594517142f, 0.107279748f,
    0.0355801322f, -0.0192875136f, -0.189489767f, 0.120924726f, -0.13635537f, 0.05301366f,
    0.106802538f, 0.158971235f, 0.0216015857f, -0.0181554351f, 0.0280261841f, -0.0418095961f,
    0.161165014f, 0.0247198567f, 0.0089880256f, 0.0228357613f, -0.18616806f, 0.065032132f,
    -0.0362214521f, 0.0085657062f, 0.126592979f, -0.0225761607f, -0.0128341885f, -0.040607933f,
    0.0164073426f, 0.0299066175f, -0.0381670035f, -0.0663484186f, 0.0158783868f, 0.0181706343f,
    -0.0323784314f, 0.0522466153f, -0.0174821373f, 0.0342298374f, 0.0611646026f, 0.0176103152f,
    -0.163206682f, 0.123996876f, -0.0650486499f, 0.0133293858f, -0.0899418667f, 0.227560699f,
    -0.0472928435f, -0.0430496857f, -0.0158323497f, 0.0688767508f, 0.0678793639f, -0.120462932f,
    0.221256927f, -0.121811017f, -0.106898904f, 0.0556548275f, -0.0465046912f, 0.0632706359f,
    -0.0413169675f, 0.0563890785f, 0.0780616477f, 0.0292044021f, -0.0712592006f,
    -0.00241763541f, 0.0546182916f, -0.0291676f, 0.0228825193f, -0.0965916887f, 0.0888396576f,
    0.0947756618f, 0.0206571184f, 0.0562112443f, -0.0840575472f, -0.0335328467f, 0.0589438379f,
    0.0204444584f, 0.0955462232f, -0.028708864f, 0.1292229f, -0.00417962018f, -0.192918867f,
    -0.00627920032f, -0.248089552f, 0.00771276187f, -0.00727542676f, 0.0123173073f,
    0.0960672349f, -0.0212816373f, -0.0709915683f, 0.108605884f, 0.12632443f, 0.0573145822f,
    0.17605564f, -0.00427272543f, 0.210186884f, -0.0246368367f, -0.105722874f, 0.0524558946f,
    0.108629815f, 0.0367149077f, 0.100559466f, -0.13797155f, 0.0426510833f, 0.0941005275f,
    0.044275675f, 0.00354712573f, -0.0175754707f, 0.0254496504f, -0.0306651536f, -0.0259053018f,
    0.00602556625f, 0.277280301f, 0.241704017f, 0.0256385561f, 0.0686386451f, 0.0125819175f,
    -0.00506847771f, -0.0228542108f, 0.205664635f, -0.110029012f, 0.0220020209f, -0.107986853f,
    -0.17973657f, -0.0884801298f, -0.0313426927f, 0.0513537042f, -0.0389778167f, 0.0246258806f,
    0.0094443243f, 0.0807035491f, 0.0146224834f, 0.00644224789f, 0.0160705633f, -0.05062747f,
    -0.0957612991f, 0.0439089574f, 0.00644333195f, -0.030818386f, -0.0237328112f,
    -0.0483065322f, -0.073997952f, -0.084287256f, -0.0621955618f, 0.169314921f, 0.0163955633f,
    -0.000256344094f, -0.0798560008f, -0.0431551561f, -0.0974977762f, -0.0484195426f,
    -0.0228752978f, -0.0236901622f, 0.0697289631f, -0.104936384f, 0.0193382986f, -0.121612646f,
    -0.0933235511f, 0.102183595f, 0.0298812799f, -0.0106880534f, -0.154450029f, -0.0300931092f,
    -0.0365141258f, -0.17180787f, 0.00546759693f, -0.0284048859f, 0.00906051323f, 0.0907675996f,
    -0.0557088479f, -0.0358120315f, 0.0218499489f, 0.141669974f, -0.040937338f, -0.0471996553f,
    0.00995802041f, -0.0905647948f, 0.0115976222f, -0.0829450339f, -0.0321791135f,
    -0.0822687224f, 0.0500258468f, -0.0269385464f, -0.0549566746f, -0.057774134f,
    -0.0734156296f, 0.0458136499f, -0.0165758096f, -0.0317454822f, -0.0534787849f,
    -0.0261060484f, 0.0701223016f, -0.0857190266f, -0.0535510108f, -0.0126864435f,
    0.00274759205f, -0.039926175f, 0.174117699f, -0.0357409343f, -0.125142306f, -0.1070159f,
    0.0527499728f, -0.0448601507f, -0.0125036733f, 0.0211934075f, 0.146861002f, -0.114493616f,
    0.0310736112f, 0.0802997202f, -0.0202169381f, 0.0345933363f, 0.00856691692f,
    -0.00593104446f, -0.027418118f, 0.132767886f, -0.0624463931f, 0.0850283802f, -0.0307548773f,
    -0.073789753f, 0.100267544f, -0.0462506488f, -0.16694954f, -0.0422612913f, 0.0936949998f,
    0.00893702637f, 0.045703914f, -0.0184722152f, -0.0434726998f, 0.0553800426f, 0.0236644503f,
    0.0380753949f, -0.0903851762f, -0.0625118911f, 0.0750708058f, -0.0226742961f, -0.142972291f,
    0.018305447f, 0.0351919904f, -0.0227660332f, 0.195760444f, -0.0287823211f, -0.0198484119f,
    -0.106907815f, 0.130108699f, -0.0508307703f, -0.0817461237f, -0.0179525502f, 0.049467884f,
    -0.0543773584f, -0.0195763819f, 0.0577138923f, 0.169514269f, 0.0145378886f, -0.0751168951f,
    0.0694098324f, 0.102614932f, 0.0142367184f, -0.0405569002f, -0.111162402f, -0.00291113579f,
    -0.139833003f, -0.0551264025f, -0.0732237548f, 0.0241323076f, -0.173513129f, -0.0214042421f,
    0.0615326427f, -0.107639574f, -0.00249477313f, -0.122003086f, 0.00198223512f,
    -0.0536793359f, -0.0660236776f, -0.059972506f, 0.0188445877f, -0.0384784192f,
    -0.00136837678f, 0.0258938782f, -0.120533906f, -0.119811781f, 0.0880756229f, 0.0483606756f,
    0.0246910173f, -0.136346474f, -0.00650907028f, -0.0757333487f, -0.037890587f, 0.0425712019f,
    0.0955115184f, 0.124461479f, -0.0206264928f, 0.0922679231f, -0.0212694295f, 0.187064156f,
    0.0496847741f, -0.0580270104f, 0.0167845562f, 0.0258180089f, 0.138252497f, 0.0174725f,
    0.0806155428f, 0.00425224565f, -0.031768363f, 0.0394948795f, 0.0424606316f, -0.15259476f,
    0.150248855f, 0.048911538f, 0.12747027f, 0.00483866269f, -0.0389274843f, 0.067708537f,
    0.176128745f, -0.0117214713f, 0.0590251796f, -0.0287129357f, 0.098387666f, 0.0153540894f,
    0.0506030023f, -0.130242571f, -0.0194070749f, -0.058602985f, 0.111616902f, 0.212494344f,
    0.0286119897f, 0.106083646f, 0.118449636f, -0.0373214781f, -0.00258288253f, 0.0234276541f,
    0.235744283f, 0.0771976337f, 0.0644550622f, -0.04709775f, -0.0508907624f, -0.138261944f,
    -0.163580373f, -0.0056420723f, -0.0742700472f, -0.181807056f, -0.153510153f,
    -0.00937637966f, -0.0276764259f, 0.00436873781f, -0.128810883f, 0.00240551564f,
    -0.0746962205f, 0.0666026548f, 0.0909942985f, -0.133783564f, -0.163648576f, -0.117320858f,
    -0.0144706806f, -0.0474273264f, -0.0957561657f, -0.0784389526f, -0.0681543797f,
    -0.0457543842f, -0.112579301f, -0.173363358f, -0.0543719791f, 0.0620571338f, -0.123114668f,
    -0.093521677f, -0.130698219f, -0.0802972689f, 0.0645637438f, -0.0134882871f, -0.0664511919f,
    -0.175842851f, -0.0841809139f, -0.021563258f, 0.0473809652f, -0.211004257f, 0.0227246713f,
    0.0388144627f, -0.159673691f, 0.0580709055f, -0.061264459f, 0.0767393112f, -0.0707006752f,
    -0.0891222134f, 0.000643150241f, 0.0459337458f, -0.206675544f, -0.0928201154f,
    0.0594131313f, -0.0522793457f, -0.111377321f, 0.0152977947f, 0.266838551f, -0.136487126f,
    -0.00735633494f, -0.0392267667f, -0.0563229807f, -0.000538690656f, 0.0565620549f,
    0.0208023991f, -0.111057423f, 0.0643107072f, 0.0702408254f, 0.00414561993f, 0.00746137789f,
    0.0364338234f, 0.0498170331f, -0.207072392f, -0.045656655f, -0.0610983297f, 0.034638904f,
    0.00732709281f, -0.0244464222f, 0.0848133639f, -0.0674126744f, 0.156448156f, 0.0187458135f,
    -0.011656181f, 0.117643535f, 0.0909418985f, -0.00745584257f, 0.102316409f, 0.00848574471f,
    -0.0442803428f, -0.145630851f, -0.0456891991f, -0.00768419215f, 0.0292935893f, -0.14862147f,
    -0.0910006464f, 0.0858225673f, -0.0293454584f, -0.0669154152f, -0.0361710712f, 0.170093507f,
    -0.0820167884f, -0.0290260464f, -0.0790267885f, -0.0786164701f, 0.0223513301f,
    0.0151663963f, -0.0218405891f, -0.0430656709f, 0.00540045369f, 0.118843593f, 0.0389145836f,
    0.0407087244f, -0.0627655983f, 0.00903193839f, -0.17835246f, -0.12628141f, -0.0104864081f,
    0.0764860958f, -0.0464924984f, -0.0870997384f, -0.0322935581f, -0.012658949f, 0.0162213184f,
    0.131276116f, 0.0323724858f, 0.164410204f, -0.0383601077f, 0.0606444925f, 0.191089809f,
    0.0466633588f, -0.12508668f, -0.0638849661f, 0.0336828828f, -0.0366379097f, 0.0636930466f,
    0.00198311335f, -0.0289869793f, 0.00853398535f, -0.00362529024f, 0.0505536683f,
    0.0175871495f, 0.0381717458f, 0.132717326f, -0.0322287977f, -0.0299867932f, 0.00920011476f,
    0.115314707f, -0.0672458187f, -0.00949978642f, 0.0355183445f, -0.00910186116f, 0.042059049f,
    0.0194126926f, 0.0915502459f, -0.022489734f, -0.0419743136f, 0.0608849786f, -0.11454016f,
    0.154070318f, 0.141874522f, 0.0148893641f, -0.179264501f, -0.0884710103f, 0.0117983492f,
    -0.026363153f, 0.101923376f, 0.0393804908f, 0.155937448f, -0.0206693951f, 0.0511042811f,
    0.0146285985f, 0.0283475723f, 0.055106461f, -0.16968365f, -0.079098776f, 0.0935987905f,
    -0.0544009805f, 0.106859721f, 0.103339806f, 0.000312427786f, -0.0149777634f, -0.0158639029f,
    -0.0938038751f, -0.0124189882f, 0.0556096695f, 0.0113863777f, 0.0094687501f, -0.0777145848f,
    0.0192964952f, -0.0651730374f, -0.0101796873f, 0.0692780986f, 0.0340755805f, 0.0222484469f,
    -0.0407741368f, -0.0363399461f, -0.101422958f, 0.00184883131f, 0.105605938f, 0.0260096528f,
    -0.0519778095f, -0.00247311196f, 0.0355105363f, -0.147799462f, 0.0630659387f, 0.0424955003f,
    -0.0146706058f, 0.106414154f, -0.0831565186f, 0.0515743084f, -0.110239074f, -0.0225395504f,
    -0.0356551185f, -0.0445918478f, 0.00394847989f, -0.144898668f, -0.0609413609f,
    0.0597623065f, 0.0483335443f, 0.0772157386f, 0.0476539955f, -0.100351192f, -0.0823640376f,
    -0.151015878f, 0.0228648242f, -0.0817423239f, -0.104226559f, -0.069282487f, -0.0157563053f,
    -0.0753746107f, -0.0278982446f, -0.100032806f, 0.113734104f, -0.0155001478f, 0.00571731338f,
    0.0375361815f, -0.0472083688f, -0.0768954307f, 0.0398850143f, -0.0785884708f, -0.238811284f,
    0.0482642874f, -0.0574860275f, -0.0441710129f, -0.135364607f, -0.165699869f, 0.123879828f,
    -0.0410523899f, 0.0338416845f, 0.165287554f, -0.0184310321f, 0.105215549f, 0.0448510461f,
    -0.0984257907f, 0.206854284f, 0.0476644263f, -0.0268728472f, -0.0788437799f, 0.141216725f,
    0.016802093f, 0.221470848f, -0.0790062994f, -0.0132043976f, 0.0592394583f, -0.136457413f,
    0.00412783679f, -0.0278227963f, -0.103144608f, 0.0202017482f, 0.100461759f, -0.0581981875f,
    0.0151666366f, 0.131885901f, -0.0642661601f, 0.0595615469f, -0.0640660599f, 0.00888914894f,
    0.189383909f, 0.00191838155f, 0.170511559f, -0.028435871f, -0.100766778f, -0.146540314f,
    0.21866031f, -0.18369785f, 0.0339903347f, 0.0599728674f, -0.0348497778f, -0.0315581001f,
    0.0654540807f, 0.0456087478f, 0.219494715f, 0.0310702249f, 0.341309458f, -0.0470529757f,
    -0.0810116604f, 0.272875637f, -0.079382576f, 0.179317266f, -0.146924257f, -0.111966118f,
    -0.0883394703f, -0.0935015082f, -0.0569145568f, -0.23778601f, 0.0289786141f, 0.101008676f,
    0.0474660881f, -0.137520283f, 0.322738558f, 0.223237514f, -0.0360271968f, -0.00632997788f,
    -0.162521765f, 0.196542338f, 0.107382245f, -0.118487492f, 0.0364971384f, 0.0570415147f,
    -0.181484371f, 0.0220339932f, -0.00896713138f, 0.00313191349f, -0.0212463439f,
    0.0571874157f, 0.0679448768f, 0.0393275991f, -0.0493372604f, 0.0223677568f, -0.0454631299f,
    0.0128161991f, -0.0824284628f, 0.0490692668f, -0.136063576f, -0.182835624f, 0.091031611f,
    0.0778614953f, 0.0823692679f, -0.0159417503f, 0.0925693437f, 0.139272809f, -0.19728829f,
    -0.142163619f, -0.101334058f, -0.127460629f, -0.0905701369f, -0.16151242f, 0.0836157873f,
    0.132564858f, 0.0130627761f, -0.0276711136f, 0.102407329f, -0.0843459442f, 0.0607110187f,
    -0.0290724337f, -0.108836003f, -0.0638954863f, 0.019715447f, 0.0374626145f, 0.00574562931f,
    -0.0525167063f, -0.144995451f, -0.00680739619f, -0.0586503446f, 0.0247242227f,
    -0.139064714f, -0.102112584f, 0.0573876835f, 0.0471837223f, 0.0782588795f, -0.131332368f,
    -0.076459527f, 0.157522738f, 0.00336923986f, -0.111249186f, -0.116053261f, -0.164425775f,
    -0.0375161432f, -0.0353226289f, -0.0679164082f, 0.0179106612f, 0.0774521083f, 0.15069589f,
    -0.133657292f, -0.016550079f, -0.0245931111f, -0.161536098f, -0.0266990382f, -0.0508196615f,
    0.165954188f, 0.125075907f, 0.0571963973f, -0.0638370737f, 0.11578846f, 0.0480625778f,
    0.015220454f, -0.0226180144f, -0.0135332234f, 0.00254926761f, -0.0173091609f,
    -0.0362863131f, 0.0604339093f, -0.0649868399f, 0.027501069f, 0.0294516198f, -0.0430568866f,
    -0.0622609705f, -0.0639627874f, 0.0838473365f, 0.000429687323f, 0.0936765745f,
    0.0534034893f, 0.00156652427f, -0.0922070444f, -0.0615064912f, 0.10947261f, -0.0327951424f,
    0.0917448923f, 0.0960791931f, -0.0275133736f, -0.165213957f, -0.032248985f, -0.0658081993f,
    -0.0675122291f, -0.0407487154f, 0.267982036f, 0.27841568f, -0.166205123f, 0.0428150818f,
    0.067893438f, -0.023042202f, 0.0763762519f, 0.162688911f, 0.0540834107f, 0.0425896496f,
    -0.171388537f, 0.0962000862f, -0.0831239894f, -0.142715588f, 0.00332380133f, 0.117659479f,
    -0.0965798721f, -0.0148720201f, -0.127904177f, -0.0745328292f, 0.082219705f, 0.0117498953f,
    -0.157443061f, -0.000640206155f, -0.171206549f, 0.257622272f, -0.0958057567f, -0.187731117f,
    -0.115773439f, -0.025942754f, 0.153231263f, 0.0500866733f, -0.0753636211f, -0.0703488737f,
    0.0235441383f, -0.0289982632f, -0.282887518f, -0.0227976888f, -0.161308095f,
    -0.00483707013f, -0.149255395f, -0.0135534545f, 0.040239919f, -0.000995321316f,
    -0.188169956f, 0.0280124061f, 0.0275866445f, -0.0308155119f, 0.0436869115f, -0.0276343003f,
    0.146173745f, -0.00847587921f, 0.449151576f, 0.0477999635f, -0.107024491f, 0.0145376474f,
    0.00311995903f, -0.000819747045f, -0.136978284f, -0.0728287995f, -0.0544762313f,
    -0.0138035985f, 0.134110481f, 0.00963054784f, 0.0586110353f, -0.0933008716f, 0.217442602f,
    0.124529012f, -0.122699142f, 0.0654234961f, 0.0705058202f, 0.0440424383f, 0.0397474468f,
    0.0895762965f, -0.020502666f, -0.0118289301f, 0.212537721f, 0.245621249f, 0.0106490133f,
    -0.0327741392f, 0.0305176489f, -0.0103074806f, -0.022476824f, -0.0202659611f, -0.11934264f,
    0.0211929549f, 0.063350983f, 0.00991670694f, -0.0425865725f, 0.109961435f, -0.0814983174f,
    -0.180036798f, -0.0316035375f, 0.153787151f, 0.0180462673f, -0.116110899f, -0.0288145933f,
    0.0515726022f, -0.0331887081f, -0.0654447749f, 0.116931997f, -0.105495624f, -0.0602659844f,
    0.0579182096f, -0.0934993252f, -0.0413194858f, -0.102293417f, 0.0827178136f, -0.0746675581f,
    -0.0524224713f, -0.110818617f, 0.0862812996f, 0.0424197502f, -0.163112313f, 0.188600242f,
    0.0765710548f, -0.0889924318f, 0.0426233746f, -0.0165927373f, 0.154757783f, -0.123144783f,
    0.0607499145f, 0.0581853092f, 0.00440536439f, -0.0140073737f, 0.0153075801f, 0.145586565f,
    0.0628453568f, -0.0274103172f, -0.00473115873f, -0.00629010238f, -0.0404666699f,
    -0.0371024162f, -0.092194505f, -0.0346344002f, -0.0782216787f, 0.00845844671f,
    0.00445757806f, -0.024584474f, -0.0713831782f, 0.00887125172f, -0.0723200068f,
    -0.0571742989f, -0.0140450532f, -0.0462851748f, -0.0750692934f, -0.0260108225f,
    -0.129956901f, -0.0311925542f, -0.0681001097f, 0.0274463668f, -0.00957847387f,
    -0.0111921169f, -0.165647984f, -0.0710550174f, -0.205773577f, -0.134543762f, 0.141035512f,
    -0.00899879541f, -0.0931924954f, 0.0440529026f, -0.139443964f, 0.125374734f, -0.0125802495f,
    0.0728705376f, 0.0143956384f, 0.0927272588f, 0.112504028f, 0.0139572667f, 0.0575911142f,
    0.0655773282f, -0.120758839f, 0.0320812315f, 0.168875754f, -0.0487512834f, 0.0921400338f,
    0.017867351f, -0.0955751315f, 0.0753890723f, -0.0189451147f, 0.0171234235f, 0.0455746055f,
    -0.0604855083f, 0.0289132129f, 0.0375758447f, -0.093545258f, 0.0169717651f, 0.0665960312f,
    -0.0297431517f, 0.0595574714f, -0.0304652601f, -0.113809653f, 0.0460872129f, -0.043069575f,
    -0.0556281842f, -0.0718325749f, -0.0461222194f, 0.0229318626f, 0.0721059665f, 0.0752195045f,
    0.086583592f, -0.00245473767f, 0.00797383301f, 0.072828345f, 0.0214293879f, -0.075418286f,
    0.0382132977f, -0.0131500782f, 0.0398169421f, 0.111772455f, 0.00472483737f, -0.0287579764f,
    -0.0363774486f, -0.0295124017f, -0.0314195268f, 0.134970248f, 0.0455972552f, 0.265793622f,
    -0.0423779339f, -0.0462531447f, 0.0261935107f, -0.00330545404f, -0.0315577239f,
    0.0679823533f, -0.0627586246f, -0.0362165272f, -0.0686692372f, -0.0309979301f,
    -0.0278619565f, 0.0150802238f, 0.104817614f, 0.210136563f, 0.000956900709f, -0.0759006813f,
    0.049404189f, 0.0142356222f, -0.0594018474f, -0.00943971239f, -0.104854301f, 0.0426879227f,
    0.0760155022f, 0.015590311f, 0.0561545528f, 0.0176466405f, 0.0878815874f, 0.210258663f,
    0.0549340695f, -0.0822656602f, 0.0445381925f, 0.246843874f, -0.0288943462f, 0.0071004983f,
    -0.0850328282f, 0.0682342276f, 0.0532577708f, 0.111327849f, -0.0690537617f, -0.00496449508f,
    -0.115743928f, -0.0836471915f, -0.0158345662f, -0.0383852236f, -0.0079639433f,
    0.00990739372f, 0.0173373111f, 0.0144024473f, -0.112738252f, -0.00172324129f, -0.038011536f,
    0.0589471832f, -0.0557556935f, -0.0326878428f, -0.0411641337f, -0.0804947317f,
    0.0406512469f, -0.0403189324f, -0.00761079695f, -0.0108110346f, 0.059284199f, 0.103112794f,
    0.0257179812f, -0.0309976768f, -0.0894395858f, 0.189209729f, -0.0261736028f, -0.0166353751f,
    0.00253690453f, -0.0451999828f, 0.147401512f, -0.0209481698f, -0.00548131857f, 0.113765903f,
    -0.0240337513f, 0.0198307838f, -0.106699921f, 0.0809584856f, 0.0637079999f, 0.0223009102f,
    0.0675722286f, 0.013431998f, -0.0555187836f, -0.0490898266f, -0.0471661687f, 0.0331059471f,
    -0.0556352772f, -0.0461993702f, 0.00134779012f, -0.00497190794f, -0.136744633f,
    0.0164464917f, 0.0246580057f, 0.0166022517f, 0.0335505381f, -0.0411898009f, 0.00228574686f,
    -0.0931344479f, -0.0134060336f, 0.0228855554f, -0.0243913177f, 0.0295128115f, 0.0275703631f,
    0.00396703789f, -0.0309193544f, 0.0253548659f, 0.0338124558f, 0.190705359f, 0.0278499797f,
    -0.0333378874f, 0.00192337239f, -0.0939493999f, 0.0897710547f, 0.00211619074f,
    -0.0076353862f, 0.034763664f, -0.0117515773f, 0.00973794982f, -0.0312431585f, 0.0415116325f,
    0.0616257973f, 0.0565149672f, 0.0461213663f, 0.0582671203f, -0.0162754115f, 0.0224180296f,
    0.00174396869f, 0.0538460054f, -0.0470444076f, -0.0901271105f, -0.0502012745f,
    -0.0634431317f, -0.0612659417f, -0.0650578514f, 0.0835255235f, 0.0545090586f, 0.0179217458f,
    -0.0447546914f, 0.0200399682f, -0.0402506366f, -0.0104472032f, -0.00133891637f,
    -0.00112651812f, 0.0443731882f, -0.0516977273f, -0.074243851f, 0.0219200775f,
    -0.0690983832f, 0.154478595f, 0.169394493f, 0.0364576951f, -0.0380484089f, 0.00664456142f,
    -0.0053818142f, 0.0465934947f, -0.0427547693f, 0.0526100062f, 0.0231112074f, 0.0992510691f,
    0.0254937001f, 0.0515223369f, -0.0344622172f, -0.00786216836f, 0.176801816f, -0.06145107f,
    -0.0748936236f, 0.0922252759f, -0.277454913f, -0.0467667691f, 0.0718757585f, -0.141883254f,
    -0.0113590052f, 0.0600492246f, 0.0206629261f, -0.0286462512f, 0.0981900468f, 0.235978171f,
    0.00150586525f, -0.00489071058f, 0.129564971f, 0.0299849156f, 0.0102339592f, -0.109861858f,
    -0.011179789f, -0.0668708682f, -0.0254026949f, 0.0566068813f, 0.132191226f, -0.0905544683f,
    0.0815227926f, 0.164770067f, -0.176969707f, -0.0907214731f, 0.112412855f, 0.0378876068f,
    0.000632991083f, -0.154708028f, -0.0544271767f, 0.0413032807f, 0.0812101886f, 0.0787548572f,
    -0.133325115f, 0.0729196966f, 0.0936568454f, -0.0758315846f, 0.0720213801f, -0.0457080007f,
    -0.138425261f, 0.0203845426f, -0.164807424f, 0.0745163634f, -0.0627459064f, 0.0909364447f,
    -0.0167455394f, 0.021697592f, -0.115464717f, -0.0749135539f, 0.0850093737f, 0.0642517507f,
    0.0230453238f, -0.0367375761f, 0.0254115593f, -0.0384390205f, -0.143898651f, -0.0407640487f,
    -0.0580628626f, 0.0756585971f, -0.0983081609f, -0.0140095018f, -0.104581214f, -0.161504f,
    -0.00746959541f, -0.00843210705f, -0.0448019467f, -0.0900536105f, 0.0421320796f,
    -0.0394986235f, -0.291856736f, -0.126737699f, -0.0593369715f, 0.0271319002f, 0.0442502126f,
    -0.155006498f, -0.138161153f, 0.0582804494f, 0.13253963f, -0.156100631f, 0.0564783104f,
    0.0685546771f, -0.0637595952f, -0.0602375865f, 0.0729346424f, 0.0937748924f, 0.0704411492f,
    0.110695302f, 0.0209952872f, -0.151434705f, -0.133883968f, -0.101489961f, 0.117774449f,
    -0.0922124162f, 0.146425471f, 0.0448805243f, 0.11492914f, -0.0920704901f, 0.0538493395f,
    -0.0101415087f, 0.111747906f, 0.0372742824f, 0.0276487768f, -0.230025321f, -0.0871018395f,
    -0.169623882f, 0.0533811338f, -0.211017221f, 0.190217733f, 8.88256109e-05f, 0.0840048417f,
    -0.0648278818f, 0.0295488313f, -0.0918095857f, 0.0894973502f, 0.0293119457f, -0.199008793f,
    -0.0574626178f, -0.0294037219f, 0.044563096f, -0.166459441f, 0.0217204168f, 0.0296645984f,
    -0.0222506113f, -0.0095253f, -0.185313061f, -0.00836156029f, 0.0903536454f, -0.0839035287f,
    0.197395086f, 0.00307897199f, -0.0899961293f, -0.0834413618f, 0.0399676599f, 0.00821787585f,
    -0.0449528992f, -0.041744452f, 0.133146182f, -0.0201729424f, -0.0580371656f, -0.0169461071f,
    0.195016503f, -0.0708095729f, 0.146582738f, 0.0419784486f, -0.0656768233f, -0.0542306118f,
    -0.0415095314f, 0.0332007259f, -0.118163384f, -0.106868424f, 0.125591621f, 0.0379047766f,
    0.0742384419f, 0.0419117622f, 0.0479541384f, -0.0551452711f, -0.152346388f, -0.0356767811f,
    -0.0179811772f, -0.0748682618f, -0.0548964888f, -0.106588364f, 0.042508062f, 0.068170853f,
    -0.0245554596f, -0.0507108867f, -0.0985973924f, -0.0547550507f, 0.0581121221f,
    -0.0982793197f, 0.247613847f, 0.0977334976f, 0.0437855572f, -0.115033343f, -0.076150924f,
    0.000590838725f, -0.00344455987f, -0.0454004407f, 0.0543090813f, -0.0989232436f,
    0.0307041202f, -0.119596682f, 0.0781791806f, -0.00620984193f, 0.15373981f, 0.0352188908f,
    0.103995427f, -0.105748013f, -0.12256293f, 0.00298859295f, -0.160578385f, -0.0668814331f,
    0.0482941903f, 0.0349912569f, 0.115281478f, 0.00413717795f, 0.0342024714f, 0.0187537987f,
    -0.194365621f, 0.125939503f, -0.0295696706f, 0.00113280024f, -0.0232342388f, -0.028776003f,
    0.0414895117f, 0.0905940235f, -0.0841904953f, -0.138002902f, -0.0981914774f, -0.170296624f,
    -0.0367269889f, -0.0309259761f, 0.0861243382f, -0.0254361015f, 0.0765469149f, 0.0279977527f,
    -0.0198198929f, -0.0353552215f, 0.0269827191f, -0.0498069823f, -0.0154242991f,
    -0.0928336158f, -0.100066729f, -0.0815250203f, -0.0737494379f, 0.161563143f, 0.0194267984f,
    -0.114058308f, 0.0634638146f, 0.0696417019f, -0.0255867746f, 0.0338194631f, -0.166531682f,
    -0.102679156f, 0.0746147037f, 0.0676699728f, -0.144195676f, 0.0866604969f, -0.0358110145f,
    0.130243808f, -0.161757052f, -0.0381742939f, 0.0393665284f, -0.0780620426f, -0.00946418755f,
    -0.0381509028f, -0.0418740921f, 0.0413420163f, -0.0320651792f, 0.0173484068f, 0.171608478f,
    -0.142841011f, 0.152943283f, -0.0339747258f, 0.061936155f, -0.132065579f, -0.0359225981f,
    -0.0262825843f, -0.064854674f, 0.0713597983f, -0.019320352f, -0.051235646f, 0.0238384046f,
    0.0473212413f, 0.16618222f, 0.0238987189f, 0.119435519f, -0.0630078316f, 0.173256889f,
    -0.101970121f, -0.0854934156f, 0.0666428432f, -0.0323474966f, 0.168716073f, -0.0682400614f,
    -0.0670720711f, -0.0470985062f, 0.120271035f, 0.0365664624f, 0.0980629995f, -0.00804464612f,
    0.00446052756f, 0.17819196f, 0.189035356f, 0.172468111f, -0.0922565311f, -0.0526152924f,
    0.0413239785f, 0.0779946074f, 0.0255738907f, -0.123370215f, -0.175510794f, 0.0594212413f,
    -0.228194505f, 0.0402983613f, -0.00517022004f, -0.179729387f, -0.0362132452f, 0.0258352365f,
    -0.0340604521f, -0.0765203908f, 0.0168804675f, 0.0546154715f, -0.0538454391f,
    -0.0138271488f, -0.21433261f, 0.000844670227f, -0.0499530286f, -0.0207534228f,
    -0.0410464332f, 0.00272724731f, -0.0563665442f, -0.127045289f, 0.0722723976f, 0.0312953591f,
    0.0505658314f, -0.0799961537f, 0.0275855791f, -0.00773823401f, -0.198513895f, -0.151138097f,
    -0.0104746809f, -0.128111109f, -0.0378752165f, 0.0471182689f, 0.10212668f, 0.260770172f,
    0.0278279856f, -0.0651803389f, 0.0257862788f, 0.0963407606f, -0.154962659f, -0.17896539f,
    0.0730631575f, 0.023207549f, -0.0261199698f, 0.00390802324f, 0.0157371853f, -0.208373562f,
    -0.121864647f, 0.208013713f, 0.0322358906f, -0.0469027087f, -0.106167808f, 0.0332074836f,
    -0.16062066f, -0.0574928783f, 0.0669881627f, 0.0373358801f, 0.102604665f, 0.0352213904f,
    -0.0170920882f, -0.179488361f, -0.204418108f, 0.070037879f, 0.125834912f, 0.126661703f,
    -0.161487713f, -0.148727849f, 0.00753042288f, 0.0346326083f, 0.00933097582f, 0.00348967081f,
    0.128353715f, 0.065717496f, -0.0338332057f, -0.140706033f, -0.0906963199f, -0.0940631181f,
    0.0690737516f, 0.0857485905f, 0.0743267089f, -0.0471040681f, 0.0277428832f, -0.0506845415f,
    0.102073118f, -0.146509722f, -0.093283549f, -0.0128731243f, -0.0797680616f, 0.0181431863f,
    -0.105352513f, 0.0037326864f, -0.0158354081f, -0.0467817895f, -0.000725555874f,
    -0.0328094512f, -0.0612766445f, 0.0199359916f, 0.124682583f, -0.0256112069f, -0.109336838f,
    0.0454876013f, -0.0800293088f, -0.0122023644f, 0.0272086244f, 0.0138548641f, -0.0305395983f,
    0.011979227f, 0.111894228f, -0.0211944226f, 0.013096923f, 0.0967341512f, 0.174947143f,
    -0.0225020461f, -0.0287489966f, -0.0207527112f, -0.02865877f, -0.149121225f, -0.11759489f,
    0.182973728f, -0.0185041204f, -0.0818635523f, -0.139135972f, 0.0474890843f, -0.0724863112f,
    0.0938250497f, 0.212229356f, 0.0221426245f, 0.0674932897f, 0.119820245f, 0.00613737758f,
    -0.0214013867f, -0.0760507062f, 0.167377979f, -0.051648505f, -0.126510069f, -0.026135888f,
    0.1277055f, -0.095998615f, 0.134361595f, 0.0453638025f, 0.0284879506f, 0.0305488762f,
    0.0319419354f, -0.0783712268f, -0.0701917931f, 0.098448649f, 0.0249455906f, 0.0857161731f,
    -0.0109519521f, 0.168806449f, 0.0900895745f, 0.0453901999f, 0.0384705216f, -0.0368101001f,
    -0.04187176f, -0.0253197346f, -0.0985438153f, -0.0728433505f, -0.0917025357f,
    -0.0441488847f, 0.094044596f, 0.0223544985f, 0.0277667865f, 0.0169137157f, -0.0346018299f,
    -0.00487216515f, 0.112948544f, 0.0184363909f, -0.00568571081f, 0.0955692381f, 0.153826997f,
    -0.0547874533f, 0.0225612745f, -0.0141389193f, -0.0157696065f, 0.07917808f, -0.0105380518f,
    -0.0284094103f, 0.0645290762f, -0.0401907973f, -0.0146714076f, -0.140200421f,
    -0.00299124722f, 0.0127949687f, -0.033289019f, -0.0340777189f, 0.0278554913f, 0.0383451581f,
    -2.51851598e-05f, 0.238593817f, 0.0260264575f, -0.0443325266f, 0.109162942f, 0.0220049974f,
    -0.142588228f, -0.00820019841f, -0.00661850534f, -0.00326755038f, -0.112615995f,
    0.0656520724f, 0.0600055307f, 0.152244359f, -0.172055826f, 0.0917623639f, -0.105413422f,
    -0.00617358275f, -0.161416262f, 0.0657187328f, 0.0573802404f, -0.296114266f, -0.0199091863f,
    -0.0631649047f, -0.00590411806f, -0.121356696f, 0.068661809f, 0.00437822565f,
    -0.0382091515f, -0.0294614006f, -0.0153657375f, -0.0660396367f, -0.137740448f,
    0.0147016458f, -0.0535945222f, -0.0235758796f, 0.00555079477f, -0.0248022601f,
    0.0102877906f, -0.03959243f, -0.0425175428f, 0.121523522f, 0.0905152336f, -0.141424924f,
    -0.146119267f, -0.0318716578f, 0.114282385f, -0.0483808331f, 0.0219431426f, 0.217092529f,
    0.0956214443f, 0.175101548f, 0.144671381f, -0.0159577746f, -0.0362087414f, 0.274950862f,
    -0.129164711f, 0.100882515f, -0.0398027562f, -0.033706937f, -0.0318142548f, 0.0703285635f,
    0.0537873805f, -0.23893857f, -0.0356817171f, -0.0791250393f, -0.0553221665f, -0.0981699079f,
    0.0447204411f, 0.011414418f, -0.0515983067f, -0.033904165f, 0.0799971744f, -0.00100241345f,
    0.0376837514f, 0.0282075536f, -0.0513123684f, -0.0332614519f, -0.0302021746f,
    -0.0169207454f, -0.0234311838f, -0.00487404736f, -0.0875235498f, 0.0541076809f,
    0.042098932f, -0.0221038759f, -0.0982745215f, 0.0457627922f, 0.145141304f, -0.0801882744f,
    -0.00781230116f, 0.143109381f, -0.0385752097f, 0.119194642f, 0.00542786438f, 0.0206026305f,
    -0.0904360339f, 0.305204064f, -0.0532483943f, 0.036879234f, -0.0596187972f, -0.15694125f,
    0.0624146424f, 0.0241962578f, 0.0404501818f, -0.0943088681f, -0.0138913328f, 0.0452752598f,
    -0.0385912918f, -0.0313723907f, 0.128074363f, -0.06949801f, -0.0435097665f, -0.0113549791f,
    0.0716061592f, -0.0452951752f, 0.100810491f, -0.0224465076f, -0.026821522f, -0.00161649974f,
    -0.000691867899f, 0.131706595f, -0.0521730222f, 0.0606328137f, -0.0497552827f,
    -0.159606621f, -0.0604817681f, 0.188392669f, -0.0430360995f, 0.0448811017f, 0.0125829233f,
    -0.185320616f, -0.0169074368f, 0.120271191f, -0.0938322917f, 0.173931971f, -0.144789785f,
    0.115305081f, -0.00968967378f, 0.0420624614f, 0.0765392557f, 0.00463414984f, -0.0775561929f,
    0.054643359f, 0.0451171212f, -0.111340955f, 0.0104806144f, 0.0214200765f, -0.210631922f,
    0.10731864f, -0.0175604075f, -0.0309777409f, 0.0200257674f, 0.0729735196f, 0.0822750106f,
    -0.0617946014f, -0.116056353f, 0.156747371f, 0.0865927413f, -0.0786994398f, 0.0579394773f,
    -0.0619447976f, -0.150145113f, -0.0599874482f, -0.0720653683f, 0.0366688371f,
    -0.0850754753f, 0.153521493f, 0.0396420211f, -0.146922648f, -0.155295417f, 0.203950882f,
    0.0727985129f, -0.00810718816f, 0.104711518f, -0.0795926452f, -0.043187473f, -0.119922243f,
    -0.044628039f, 0.044245299f, -0.0976896659f, -0.0275236741f, -0.0317554288f, 0.00427406747f,
    0.0221787728f, 0.124742761f, -0.0996540338f, -0.158792853f, 0.0244363043f, 0.00531519344f,
    -0.166238651f, 0.183778822f, -0.113751218f, -0.0919797644f, -0.140637666f, -0.0379632786f,
    -0.0833835155f, -0.101023681f, -0.0172525458f, -0.0423621461f, -0.154641137f,
    -0.0398106426f, 0.0400187969f, -0.0829155445f, 0.0372405052f, 0.103748187f, -0.132124811f,
    -0.058094997f, -0.0663858429f, -0.0193092357f, -0.0615264215f, -0.0681586862f,
    -0.0116369817f, -0.138798594f, -0.198138922f, 0.116282798f, 0.0808012709f, -0.0959534422f,
    0.206694603f, 0.0527408533f, -0.0593168102f, -0.0199330579f, 0.00119114819f, 0.136985093f,
    -0.00492463447f, -0.136018515f, -0.0439028926f, -0.0896191075f, -0.0123207495f,
    -0.137932241f, 0.0972422883f, 0.0170854591f, 0.112003289f, 0.0713558123f, 0.0435581915f,
    -0.0635404661f, 0.169150352f, 0.0193175469f, 0.0176431816f, -0.130843669f, -0.0456934944f,
    -0.0961473063f, -0.0454311259f, -0.0633905157f, 0.135083452f, 0.0192407742f, 0.240175411f,
    0.0681923851f, 0.0525378808f, 0.0373982936f, 0.11903391f, -0.0269782841f, 0.0822878629f,
    -2.72664656e-05f, 0.0864246264f, 0.0152671365f, -0.00924912561f, 0.071599707f,
    0.0914315581f, 0.0631811023f, 0.128500402f, -0.120589279f, 0.0357296988f, 0.0592882708f,
    0.032403484f,
};

/* biases of line8.conv */
static const float bias_11[15] = {
    -0.327336431f, 0.669833541f, 1.52439916f, 1.78482819f, 0.748734713f, 1.73159003f,
    -0.643413544f, -0.0861480385f, 0.0822652578f, 0.791438878f, 1.29625738f, 2.03906894f,
    1.29076767f, 0.257945001f, -0.0890252665f,
};

/* line8.conv conv3 15 pad1 */
static const struct convolution layer_11 = {
    .weights = weights_11, .bias = bias_11, .finish.rectify = 0, .finish.relu = 1,
    .windows.in = 204, .windows.out = 0, .windows.height = 8, .windows.width = 8,
    .windows.channels = 14, .windows.out_height = 8, .windows.out_width = 8,
    .windows.out_channels = 15, .windows.window_height = 3, .windows.window_width = 3,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 1,
    .windows.padding_width = 1, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .group_channels = 14,
    .group_out_channels = 15,
};

/* weights of line9.separable.depthwise */
static const float weights_12[135] = {
    8.89040279f, -4.57625866f, -5.76416254f, -1.31828904f, 0.279738784f, 12.4939089f,
    -2.01818299f, -2.69616652f, 5.794168f, 0.0376206487f, 0.34372285f, -3.93416762f,
    -2.37546182f, 7.17311382f, -0.124860615f, 2.79842973f, 4.68233776f, 3.79394531f,
    -2.68940401f, -2.07987714f, 5.91611385f, 2.17857814f, -4.22971296f, 3.61882329f,
    0.988080263f, -7.31454706f, 0.208144888f, 3.49831557f, -0.960228264f, -0.991296828f,
    1.29562151f, 9.23580837f, 9.55266094f, -2.31475163f, 2.16478658f, -0.558356166f,
    3.36609578f, -1.32794666f, 5.38109636f, -0.495167464f, -4.11069679f, -0.0779318362f,
    7.61969042f, -4.14705992f, -3.48589253f, 6.62939024f, 1.26285601f, -4.97542143f,
    0.315815538f, -6.89458895f, 3.59664965f, 4.38632345f, -5.48836708f, 2.70853734f,
    -7.12138653f, -2.21921849f, -5.16159296f, 7.80388165f, 8.00030994f, -0.519622624f,
    4.19548368f, 5.92376471f, -6.93485355f, -5.17499971f, -2.0142839f, -0.732259393f,
    6.22950506f, -8.19241333f, 2.41085029f, -5.7329402f, -10.4088993f, -3.95615935f,
    6.34663439f, 1.93073881f, -4.22819281f, 1.32086039f, 3.47754574f, -6.11330175f, -7.2158885f,
    3.08753586f, -3.61499453f, 4.13608503f, -6.63679028f, 4.57342148f, -2.53845644f,
    -4.33660221f, -3.82942104f, 0.748084247f, -0.381143898f, -7.23519945f, 7.40536642f,
    -4.59823751f, -1.46504974f, 1.30685139f, 2.1877048f, -0.0122532696f, -0.591821551f,
    0.299822539f, 2.66932344f, -7.79229879f, 3.5629375f, -4.66452885f, 0.882011116f,
    6.21829748f, -4.35009575f, 1.21071398f, -0.86334759f, -7.68330383f, -4.00546598f,
    8.32505035f, -0.8689816f, -0.230189264f, 1.41554439f, 0.253450722f, -5.91014528f,
    -1.9923116f, -4.28069639f, -2.20641732f, 2.39210463f, -5.96753311f, -8.02837086f,
    -1.19556963f, -7.0224371f, -3.96688509f, 8.18715477f, -1.37735391f, 0.442083627f,
    2.7361443f, 1.48865628f, -4.18434095f, 0.40997678f, -3.14454794f, 3.24457526f, 1.99606812f,
    -1.65971625f,
};

/* biases of line9.separable.depthwise */
static const float bias_12[15] = {
    0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
};

/* line9.separable.depthwise depthwise3 pad1 */
static const struct depthwise layer_12 = {
    .weights = weights_12, .bias = bias_12, .finish.rectify = 0, .finish.relu = 0,
    .windows.in = 0, .windows.out = 1405, .windows.height = 8, .windows.width = 8,
    .windows.channels = 15, .windows.out_height = 8, .windows.out_width = 8,
    .windows.out_channels = 15, .windows.window_height = 3, .windows.window_width = 3,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 1,
    .windows.padding_width = 1, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1,
};

/* weights of line9.separable.pointwise */
static const float weights_13[540] = {
    -0.0110959392f, -0.030410599f, -0.0200138055f, -0.0861495808f, -0.00314675365f,
    0.0876146853f, -0.115051739f, -0.0256009344f, 0.132120773f, 0.0597070754f, 0.0305032451f,
    0.0252257437f, -0.00783860683f, 0.00160365121f, -0.0738683864f, -0.0612446256f,
    0.0402237736f, 0.0774039328f, -0.00407478074f, -0.0255801696f, 0.0316258445f, 0.0087713236f,
    0.0259637181f, -0.0555388555f, -0.0218447745f, -0.0283870343f, 0.0271661468f, 0.0697898343f,
    0.136222884f, -0.0142003624f, -0.0760887712f, -0.0237649921f, 0.00312532904f, 0.0730145648f,
    0.0453242771f, -0.0147121316f, -0.0526140817f, -0.0258625112f, 0.0157318935f, 0.0223545786f,
    -0.046484191f, -0.049685888f, 0.0113809751f, 0.0390713178f, -0.0733922869f, 0.0833930895f,
    0.0711653307f, 0.00861236267f, 0.0397142395f, -0.0178961214f, 0.0476641953f, -0.0402911603f,
    -0.0398831517f, 0.109484181f, 0.0182586517f, 0.0182454027f, 0.0307091027f, 0.0204181764f,
    0.0187733211f, 0.0379771516f, 0.00848634914f, 0.0208272655f, 0.00397414807f, -0.0195236541f,
    0.0123079633f, 0.0218012687f, -0.00231215986f, 0.00808160752f, -0.0212010778f, -0.02679969f,
    -0.00343280751f, 0.00964829698f, 0.00852155592f, 0.0160355922f, 0.0172868166f, -0.06331186f,
    0.0399788208f, 0.00747827906f, 0.0297708306f, 0.136511773f, -0.0345790796f, -0.00644979114f,
    0.014216071f, -0.00309543568f, -0.0440650657f, 0.00838432834f, 0.0344233513f, 0.0516253822f,
    -0.0532422066f, -0.028212741f, -0.082878083f, -0.0436811335f, 0.00958070438f, 0.0214650575f,
    0.0634385422f, -0.00269477488f, -0.0304287672f, -0.0639635995f, 0.00319141569f,
    0.074054338f, -0.0178488288f, 0.0230773482f, 0.0930852741f, 0.0394785777f, 0.00258629071f,
    -0.00558903255f, -0.0326116867f, 0.00377112161f, -0.0780717358f, -0.0166705754f,
    0.0454061776f, -0.0536871403f, 0.0107807349f, 0.0582686998f, -0.0325623602f, -0.0449879169f,
    0.0676821694f, -0.00517590297f, -0.00954634883f, 0.052553162f, -0.0304489993f, 0.167087018f,
    0.0116530145f, 0.0289784838f, 0.0636585727f, -0.0193310007f, -0.0659384876f, 0.00111422606f,
    0.0707126036f, 0.0076359082f, 0.0232719947f, -0.00252714357f, 0.0643283948f, -0.0176183004f,
    0.106925756f, -0.0124196354f, -0.00140800979f, -0.0152351549f, -0.0142800808f,
    0.0120672835f, -0.0581056736f, 0.270090312f, 0.00336723705f, -0.0383882597f, 0.0206604376f,
    0.0774676129f, -0.0603754781f, -0.00682757189f, 0.0132197021f, -0.0413409881f,
    -0.045521304f, -0.033338055f, 0.0300537776f, -0.0999470502f, 0.0115624387f, -0.038141191f,
    0.00417800853f, -0.051173117f, 0.0183529332f, 0.0410113707f, -0.000362455234f,
    -0.0555759072f, -0.00343393022f, 0.0332878307f, 0.0377587415f, 0.0578577928f, -0.028918419f,
    -0.130349621f, 0.0334078744f, -0.0113065876f, -0.0562562123f, -0.032503657f, 0.0636918545f,
    0.0789038911f, -0.0181472413f, 0.0236437041f, -0.0371589325f, 0.0116198845f,
    -0.00257593417f, 0.0569192581f, 0.000167489532f, -0.00876502134f, 0.0192767996f,
    -0.0201562326f, -0.00606204988f, -0.0222770125f, 0.0210475195f, -0.0056547164f,
    -0.0291500483f, -0.00782538112f, -0.147674888f, 0.00637899386f, 0.020142315f, 0.0335777663f,
    0.010696535f, -0.0505525358f, -0.0423244201f, 0.0280061699f, -0.0225102287f, -0.0070274272f,
    0.170134053f, -0.0250531826f, 0.0215021931f, -0.0390251875f, 0.0343039334f, 0.0322009213f,
    -0.0343579128f, -0.0105146272f, -0.032056544f, -0.0104926508f, -0.0712780952f,
    0.00371773681f, 0.0791583136f, 0.00208213227f, 0.0308468919f, 0.0569611788f, 0.00802118052f,
    0.0287316311f, 0.00641411915f, 0.000741496915f, 0.0601331033f, -0.037233036f, 0.11110232f,
    -0.0271617584f, 0.0505198166f, -0.0019690569f, 0.189958528f, -0.0389952734f, 0.0332124159f,
    0.0154323373f, -0.0128020216f, 0.00840830524f, 0.0240960158f, -0.0164494812f, 0.0972574949f,
    -0.00872908253f, 0.0269697476f, 0.0751897469f, -0.0198764037f, 0.0148367956f,
    -0.0574469306f, -0.0174109843f, 0.0394170322f, -0.0267229639f, -0.0607467629f,
    0.0302353855f, -0.00897800643f, 0.0310359076f, -0.00207265164f, -0.0932875425f,
    0.0428790711f, 0.000651937502f, 0.168096647f, -0.0200599208f, 0.0547042564f, -0.0326786637f,
    -0.0174814984f, 0.0368555486f, -0.00543471426f, -0.029455876f, -0.0703307018f,
    0.0468459763f, -0.0395803936f, -0.0419213511f, 0.0550162196f, 0.0313386768f,
    -0.00320714992f, 0.00270191161f, 0.10287717f, -0.0251869969f, -0.00297461567f, 0.138239622f,
    -0.0448406935f, -0.0629719421f, -0.00290898699f, 0.0376574434f, 0.0181968156f,
    -0.0731305704f, -0.0150276497f, -0.0050450773f, -0.0041028643f, -0.0117237903f,
    -0.0440411121f, -0.0769420564f, -0.0430777408f, -0.0113787577f, 0.0082504591f,
    0.0420861989f, -0.0074725342f, -0.0573672093f, -0.00137736532f, -0.00631794706f,
    -0.0300827585f, -0.00160401722f, -0.136462286f, -0.00128994556f, 0.0163697768f,
    -0.00435987441f, -0.0260600168f, -0.0337923951f, 0.0131636001f, 0.085733436f, 0.0341047533f,
    -0.0464186892f, 0.0966310278f, -0.00903297402f, -0.0661196485f, 0.0584564209f, 0.012797934f,
    0.0157826245f, -0.00952418894f, 0.0426356122f, 0.00273615005f, -0.0240799431f,
    0.0502508171f, -0.0604417697f, -0.0352335982f, 0.0393594988f, -0.0244404152f,
    -0.0835031122f, 0.0163462274f, 0.0257490631f, 0.0162370224f, 0.138690367f, 0.0494555943f,
    0.012996464f, -0.00401855493f, 0.0199859869f, 0.135062918f, 0.0351837352f, -0.0173990149f,
    -0.0118760327f, -0.000453003333f, -0.00426736195f, -0.024347689f, -0.00595932081f,
    0.128822178f, 0.0599007718f, 0.0469175503f, 0.0167398285f, -0.103892379f, -0.0119676888f,
    -0.00143108971f, -0.0312159862f, -0.000291481847f, 0.116062589f, 0.0714743137f,
    -0.0645268857f, 0.0106055057f, -0.0119888261f, 0.0131985964f, -0.00282921572f,
    0.0609363504f, -0.0256813597f, 0.0232696123f, -0.00277868402f, -0.0159081239f, 0.105000034f,
    -0.0510170162f, 0.0224495381f, -0.041062437f, 0.058552254f, 0.0385329463f, 0.0416797474f,
    -0.0272341371f, -0.0650531054f, 0.0943966433f, -0.00733199669f, 0.0680668056f,
    -0.0747061744f, 0.0351745039f, 0.007038943f, 0.00276786298f, -0.00097398553f,
    -0.0252498351f, -0.0764636099f, 0.0292913523f, -0.159008384f, -0.0504035428f,
    -0.0582597442f, -0.0369401276f, -0.0171184279f, 0.0301862676f, -0.0509300195f,
    0.0371939093f, 0.0163261089f, -0.0376742147f, 0.0424398594f, 0.0155907022f, 0.0030475934f,
    -0.0122124813f, 0.0516938232f, -0.0527297519f, -0.0198979545f, 0.010968945f, 0.0393235981f,
    -0.0461298451f, 0.0433158837f, -0.0512780324f, -0.0932607874f, 0.0288767684f, -0.053316284f,
    -0.00966722146f, 0.149624407f, 0.0428392328f, -0.0546582267f, -0.0271172356f, 0.0515127927f,
    0.0207245201f, -0.0103988061f, -0.0154643757f, -0.0256828722f, 0.0202631522f,
    -0.00679349666f, -0.0192891918f, -0.0236998033f, -0.0377217419f, 0.0892910808f,
    0.0143154357f, -0.125052795f, 0.0184767488f, -0.0189624205f, 0.0289052241f, 0.0319215991f,
    -0.0209343079f, -0.0105552291f, 0.0413537845f, -0.166124389f, -0.0055108876f, 0.0066590691f,
    0.0298901219f, -0.0266047493f, 0.0130529981f, -0.0268995333f, 0.0321249217f, -0.0524185561f,
    -0.0423015058f, -0.116392732f, -0.0327165797f, -0.0395615213f, 0.0165566839f,
    -0.00875502825f, -0.0162297059f, -0.0176767521f, -0.0345250778f, -0.0117321406f,
    -0.0465209931f, -0.0458622202f, 0.0499701351f, -0.00659202924f, -0.0627592355f,
    -0.0245372951f, -0.0229620822f, 0.0165612213f, 0.153674886f, -0.00566449715f, 0.0192827247f,
    -0.0208477341f, 0.0360887684f, 0.0780193061f, 0.0262137558f, -0.0491966344f, 0.0404066816f,
    0.00947467983f, -0.0665289685f, 0.0366546698f, 0.094521597f, -0.0481755808f, -0.02669595f,
    -0.0272822231f, 0.0411501788f, 0.0957881808f, 0.00938505959f, 0.00218928535f,
    0.00193753955f, 0.0268021319f, 0.0330550186f, -0.0300582871f, -0.00661777426f,
    -0.159344599f, -0.00834609941f, -0.0371759236f, 0.0529758818f, -0.0576997176f,
    0.0567262918f, -0.027724959f, -0.00592528097f, 0.0529820099f, 0.0197513048f, 0.0258483235f,
    0.0112585332f, -0.155104518f, 0.0210006945f, -0.0371013507f, -0.0395282805f, -0.0161796883f,
    0.0152708059f, -0.017905388f, -0.025788188f, 0.00161633303f, 0.0236665793f, 0.0130548216f,
    -0.00360186747f, -0.0104041239f, -0.0577574335f, 0.00313919317f, -0.0109280916f,
    -0.0170077924f, -0.00253186189f, -0.0418067016f, -0.0143149067f, 0.0241967794f,
    0.0132995257f, -0.0141230505f, -0.0107136676f, -0.0229633357f, -0.0124009829f,
    0.00704411929f, 0.0219645724f, 0.0184111558f, 0.0126564074f, 0.0193322711f, 0.00521023711f,
    0.0108741056f, 0.00492035504f, 0.0509119555f, -0.0159422662f, -0.0225031916f,
    -0.0651960224f, 0.177999422f, 0.00394521886f, -0.0166323353f, 0.0222951565f, -0.045591943f,
    -0.0725901648f, -0.00444879662f, 0.0216363296f, -0.0215037614f, -0.0386277698f,
    0.0576002151f,
};

/* biases of line9.separable.pointwise */
static const float bias_13[36] = {
    -12.819725f, -6.66717529f, -4.70517778f, -8.03133297f, -5.36154985f, -3.71839476f,
    -5.17016649f, -8.48937416f, -6.01114321f, -5.56913805f, -9.46177864f, -7.8585639f,
    -6.1242013f, -5.2436161f, -6.22511959f, -5.27996159f, -11.3387327f, -1.83431697f,
    -9.27095222f, -7.1577487f, -4.51336384f, -9.2563076f, -5.57479572f, -8.69026279f,
    -2.79594541f, -8.22200966f, -11.4897699f, -6.76131439f, -3.87923622f, -9.3194828f,
    -7.9204855f, -6.96359205f, -9.48822498f, -8.4443264f, -2.44106412f, -6.07075453f,
};

/* line9.separable.pointwise conv1 36 */
static const struct convolution layer_13 = {
    .weights = weights_13, .bias = bias_13, .finish.rectify = 0, .finish.relu = 1,
    .windows.in = 1405, .windows.out = 46, .windows.height = 8, .windows.width = 8,
    .windows.channels = 15, .windows.out_height = 8, .windows.out_width = 8,
    .windows.out_channels = 36, .windows.window_height = 1, .windows.window_width = 1,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .group_channels = 15,
    .group_out_channels = 36,
};

/* gap */
static const struct pool layer_14 = {
    .windows.in = 46, .windows.out = 10, .windows.height = 8, .windows.width = 8,
    .windows.channels = 36, .windows.out_height = 1, .windows.out_width = 1,
    .windows.out_channels = 36, .windows.window_height = 8, .windows.window_width = 8,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .is_mean = 1, .relu = 0,
};

/* weights of line11.linear */
static const float weights_15[360] = {
    -4.26545334f, 2.59705806f, -2.82174039f, -10.7693911f, 0.5068174f, -3.94756103f,
    1.74601841f, 1.45400286f, -2.9873383f, -3.09406114f, 0.867013276f, -1.17261004f,
    2.00980973f, -3.53487992f, 0.628371596f, -8.39021301f, -1.63768148f, 2.22007632f,
    -3.90427589f, 2.44646192f, 0.341641247f, -1.21764266f, 1.77608132f, -12.5169582f,
    -0.860925734f, -1.79726923f, 5.29157162f, -3.958745f, 0.213462368f, 1.8706969f,
    -1.57220161f, -5.11234331f, -5.87572479f, 1.36753225f, 0.382425934f, -0.713941514f,
    -2.38321209f, -0.752260208f, -3.75757742f, -0.25923416f, -0.36520043f, -0.200562388f,
    -2.03773403f, -1.51200962f, 3.47168255f, -7.64212608f, -5.43158674f, 3.64469934f,
    -7.05121565f, 3.01550865f, 1.6999054f, 1.4096787f, -0.660307586f, 0.93586129f, -4.01271677f,
    -3.04819345f, -0.056840647f, -8.77159977f, -2.87070656f, -1.41050267f, 1.40780079f,
    -3.74289989f, -8.98460865f, -2.97966456f, -5.91152239f, -4.32978868f, -4.75966072f,
    -1.63127804f, -4.87299919f, -1.43286502f, 0.480078816f, -2.64768219f, -0.72379458f,
    1.0818249f, -0.383493453f, -3.77058363f, -0.02999603f, 0.87555027f, 0.336652309f,
    0.924499929f, -0.109541915f, 2.90229177f, -4.74773264f, -1.32206833f, 1.06447208f,
    -6.31489325f, 0.963604867f, -4.75621986f, 3.39095473f, -0.00373894279f, -1.72626746f,
    0.0817702636f, 2.13534307f, -3.21113205f, 1.49670327f, -2.23369336f, 2.73363876f,
    -5.2596755f, -4.1626792f, 2.01705837f, 0.129860088f, -2.84980249f, -2.56223178f,
    2.89906955f, -3.49723029f, 1.18629313f, 0.0237087402f, 3.29642463f, 0.810248852f,
    -3.09427023f, 2.19644952f, -2.7950418f, -0.674557686f, 2.97130299f, 2.3969655f,
    -4.48063755f, -4.07454062f, 0.31062898f, -4.89789152f, 3.11865425f, -3.8616178f,
    -2.9026885f, 1.7437582f, -3.74901938f, 0.22629784f, -3.13371873f, -3.61762667f,
    -0.615889668f, -4.59998846f, -3.1255517f, -3.08283043f, 0.640358269f, -1.93162024f,
    3.45130658f, 2.55151772f, 3.02590132f, -0.995652974f, 2.22275591f, 2.53839302f,
    -0.481928945f, 1.99707711f, 0.342916518f, -3.14921951f, 0.886147678f, -3.146101f,
    -0.229786441f, -0.30337283f, 2.99805021f, -0.81063652f, 0.426990002f, -1.27135384f,
    0.437451422f, -1.54132283f, 1.01551771f, -3.24666691f, -1.88927209f, -5.01552868f,
    -0.181743816f, -6.97676468f, 2.24266195f, -6.35228348f, -1.39886498f, 2.93025661f,
    1.580616f, -0.130831853f, 2.7788372f, 1.07614076f, 2.63496137f, 3.08310127f, -0.569835663f,
    0.319087237f, -3.38396096f, 0.890811503f, -5.58489799f, -4.51237488f, 1.35592306f,
    -2.92468786f, -1.49730706f, 0.342402965f, -4.79523849f, 0.505781412f, -6.17538786f,
    0.130516738f, -2.84187531f, -0.357869297f, 0.408262044f, -4.29787827f, -1.61938357f,
    -1.67438376f, 1.22857165f, 2.78610373f, 2.90077209f, -1.81138754f, 1.22887301f,
    -3.00871468f, -9.33456326f, 0.485770464f, 2.40477133f, 0.946207583f, 1.17651606f,
    0.682866454f, -1.16418898f, -1.132406f, 0.279691994f, -1.57540846f, 0.700191617f,
    1.76541555f, -6.41625595f, 1.0608865f, 1.28851223f, 1.90312767f, -4.39393139f, 3.76198411f,
    -0.754232705f, -1.24783564f, 1.69458175f, 2.54369473f, -3.47840595f, -0.735265315f,
    -2.51165056f, -0.0922074765f, 4.64888859f, -2.82916427f, 2.14574695f, 1.61110985f,
    -5.16648817f, 3.09356642f, -2.27951431f, 2.14009261f, -0.0912091061f, -0.889319837f,
    -2.76242232f, -7.63444138f, -3.34309816f, 1.12248957f, 0.523387671f, 0.983989298f,
    4.31287861f, -0.427925348f, -10.1502466f, 0.153156236f, -3.89499736f, 0.638683617f,
    -2.98147321f, -3.41568923f, 1.41495693f, -0.896042228f, -3.06993747f, -0.525220692f,
    -0.32037428f, 0.328069806f, 1.85998118f, -1.47577071f, 0.99380964f, -3.56053615f,
    0.381262243f, -0.837625742f, -3.0746274f, 1.67702997f, -7.63559866f, 1.72268701f,
    -0.119922183f, 0.762191772f, -3.20258236f, -2.1710043f, -1.74961305f, 2.1141696f,
    3.18416357f, 2.26699805f, 0.584353745f, 2.0951581f, -2.68490553f, -0.184872791f,
    -2.17103934f, -11.5486708f, 1.69505298f, -3.94561434f, 1.40666378f, -8.86279678f,
    1.53727257f, 3.95519376f, -6.95335054f, -5.30760145f, -0.771394432f, -5.91813326f,
    -3.76856709f, -0.144372851f, -2.14496398f, 4.70429897f, -0.471537083f, 0.710547924f,
    2.21720886f, 0.320424169f, -1.81610858f, -0.918663144f, -0.455654442f, -4.89225245f,
    1.40818226f, -0.691774011f, -5.13244963f, 0.936153889f, 3.47268224f, -2.75975871f,
    -1.06562507f, -0.737282872f, -1.15818858f, 2.36639905f, 0.429201901f, -1.36696935f,
    -2.50759196f, 1.59838247f, -6.4602046f, -1.25516033f, 1.44714189f, -0.423720896f,
    1.34291458f, -1.76781905f, 1.84893739f, 2.56305265f, 3.15260744f, 1.71236908f, 1.47720337f,
    -0.0746880919f, -2.81888866f, -5.06769371f, 2.16618896f, 2.13014579f, 2.41426826f,
    1.50216699f, -7.57013702f, 0.321405232f, -0.102976695f, -0.796430528f, 0.401667118f,
    0.0386836678f, 0.458428413f, 3.19570374f, 0.165897384f, -1.45865655f, 2.20983696f,
    -1.80889177f, -0.462752223f, -1.98793161f, -3.00929403f, -0.043270912f, 1.85972667f,
    1.82008576f, 3.73456597f, -3.8817265f, 0.210494593f, -1.75702298f, -0.475874275f,
    -1.78198981f, -2.27527833f, -0.887353063f, -0.918463528f, 0.393241018f, -1.95720232f,
    -0.372513026f, -1.51384771f,
};

/* biases of line11.linear */
static const float bias_15[10] = {
    1.57745123f, 5.51809978f, 0.16328904f, -1.25506496f, -0.255896956f, -0.588116407f,
    -0.298568606f, -0.126845047f, -0.386837035f, -2.48484945f,
};

/* line11.linear linear 10 */
static const struct convolution layer_15 = {
    .weights = weights_15, .bias = bias_15, .finish.rectify = 0, .finish.relu = 0,
    .windows.in = 10, .windows.out = 0, .windows.height = 1, .windows.width = 1,
    .windows.channels = 36, .windows.out_height = 1, .windows.out_width = 1,
    .windows.out_channels = 10, .windows.window_height = 1, .windows.window_width = 1,
    .windows.stride_height = 1, .windows.stride_width = 1, .windows.padding_height = 0,
    .windows.padding_width = 0, .windows.dilation_height = 1, .windows.dilation_width = 1,
    .windows.pool_height = 1, .windows.pool_width = 1, .group_channels = 36,
    .group_out_channels = 10,
};

struct layer {
    void (*run)(const void *arguments, float *arena);
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

static float arena[MNIST_CHIP_ARENA_BYTES / sizeof(float)];

static APART void run_layers(const struct layer *layer, size_t count)
{
    for (; count > 0; --count, ++layer) {
        layer->run(layer->arguments, arena);
    }
}

static APART int greatest_of(const float *logits, int count)
{
    int greatest = 0;
    for (int each = 1; each < count; ++each) {
        if (logits[each] > logits[greatest]) {
            greatest = each;
        }
    }
    return greatest;
}

float *mnist_chip_image(void)
{
    return arena + 2958;
}

const float *mnist_chip_logits(void)
{
    return arena + 0;
}

int mnist_chip_run(void)
{
    run_layers(layers, sizeof layers / sizeof *layers);
    return greatest_of(mnist_chip_logits(), MNIST_CHIP_CLASSES);
}
