"""Whether a sampler finds better networks than drawing at random, by trainings of minutes."""
