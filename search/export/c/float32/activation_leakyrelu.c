static float leakyrelu_of(float x, float slope)
{
    (void)slope;
    return x < 0.0f ? 0.01f * x : x;
}
