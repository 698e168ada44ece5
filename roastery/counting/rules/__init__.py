"""A file for each kind of ops: rules that register themselves."""

from . import convolution, matmul, movement, pointwise, windows

__all__ = ["convolution", "matmul", "movement", "pointwise", "windows"]
