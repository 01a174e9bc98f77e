"""A network as a chip runs it: a list of kernels, where their maps lie in memory, their bytes."""
