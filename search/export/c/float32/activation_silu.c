static float silu_of(float x, float slope)
{
    (void)slope;
    return x / (1.0f + expf(-x));
}
