/* An activation by itself. */
struct activation {
    float (*activation)(float value, float slope);
    float slope;
    place in, out;
    uint32_t count;
};

static void run_activation(const void *arguments, float *arena)
{
    const struct activation *a = arguments;
    for (uint32_t index = 0; index < a->count; ++index) {
        arena[a->out + index] = a->activation(arena[a->in + index], a->slope);
    }
}
