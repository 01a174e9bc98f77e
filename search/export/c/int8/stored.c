/* Multiplies by factor / 2^shift, adds an offset in units of 2^-16, rounds to the nearest. */
static APART int8_t stored(int64_t product, int32_t offset, uint8_t shift, int8_t low)
{
    int64_t value = product + (int64_t)offset * ((int64_t)1 << (shift - 16));
    value = (value + ((int64_t)1 << (shift - 1))) >> shift;
    return value < low ? low : value > INT8_MAX ? INT8_MAX : (int8_t)value;
}
