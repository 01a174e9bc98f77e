"""The backends of a training step: eager torch, compiled kernels, or a CUDA graph."""
