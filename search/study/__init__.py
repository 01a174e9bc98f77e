"""A study as it is stored: begun, opened again, its trials as records, recovery after a crash."""
