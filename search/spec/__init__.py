"""The files that a user writes: study files, ladder files, and the candidates that they name."""
