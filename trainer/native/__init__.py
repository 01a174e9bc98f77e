"""The compiled kernels: a network traced, built for the processor at hand, called from Python."""
