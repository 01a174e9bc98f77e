static float prelu_of(float x, float slope)
{
    return x < 0.0f ? slope * x : x;
}
