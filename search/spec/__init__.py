"""What a user writes: study files, ladder files, and the candidates that these name."""
