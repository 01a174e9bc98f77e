"""A network as C source: plain functions, and a table of layers that says what they are given."""
