"""What needs a compiler for Cortex-M, or an emulated chip."""
