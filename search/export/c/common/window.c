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
