"""Trained networks as a chip runs them: their folded weights, and their arithmetic in int8."""
