"""Worker processes: how many, on which device, started, watched and stopped."""
