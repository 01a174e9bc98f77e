"""A search space by stages: convolutions between pools, then a head."""
