static float sigmoid_of(float x, float slope)
{
    (void)slope;
    return 1.0f / (1.0f + expf(-x));
}
