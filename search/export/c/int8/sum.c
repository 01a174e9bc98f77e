/* The sum of two maps. */
struct sum {
    const int32_t *factor; /* of either map */
    place in, other, out;
    uint32_t count;
    uint8_t shift;
    int8_t zero, zero_other, zero_stored, low;
};

static void run_sum(const void *arguments, int8_t *arena)
{
    const struct sum *a = arguments;
    for (uint32_t index = 0; index < a->count; ++index) {
        const int64_t one = (int64_t)(arena[a->in + index] - a->zero) * a->factor[0];
        const int64_t other = (int64_t)(arena[a->other + index] - a->zero_other) * a->factor[1];
        arena[a->out + index] = stored(one + other, a->zero_stored * 65536, a->shift, a->low);
    }
}
