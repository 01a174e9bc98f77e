"""A network as an ONNX file, in floats or with quantised operators."""
