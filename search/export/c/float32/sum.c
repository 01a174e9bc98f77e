/* The sum of two maps. */
struct sum {
    place in, other, out;
    uint32_t count;
    uint8_t relu;
};

static void run_sum(const void *arguments, float *arena)
{
    const struct sum *a = arguments;
    for (uint32_t index = 0; index < a->count; ++index) {
        const float value = arena[a->in + index] + arena[a->other + index];
        arena[a->out + index] = a->relu && value < 0.0f ? 0.0f : value;
    }
}
