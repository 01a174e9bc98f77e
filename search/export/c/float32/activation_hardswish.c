static float hardswish_of(float x, float slope)
{
    (void)slope;
    return x <= -3.0f ? 0.0f : x >= 3.0f ? x : x * (x + 3.0f) / 6.0f;
}
