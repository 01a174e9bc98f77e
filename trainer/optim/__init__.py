"""What moves the weights: optimizers and the schedules of their rates."""
