"""Worker processes: how many, on which device, started, watched, trained with and stopped."""
