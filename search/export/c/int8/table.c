/* An activation by its table. */
struct table {
    const int8_t *table; /* from -128 on */
    place in, out;
    uint32_t count;
};

static void run_table(const void *arguments, int8_t *arena)
{
    const struct table *a = arguments;
    for (uint32_t index = 0; index < a->count; ++index) {
        arena[a->out + index] = a->table[arena[a->in + index] + 128];
    }
}
