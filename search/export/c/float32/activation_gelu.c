static float gelu_of(float x, float slope)
{
    (void)slope;
    return 0.5f * x * (1.0f + erff(x * 0.70710678f));
}
