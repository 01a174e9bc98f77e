"""What computes a training step: eager torch, compiled kernels, or a CUDA graph."""
