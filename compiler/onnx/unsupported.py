"""What a rule says of an op that ONNX has no nodes for."""

from __future__ import annotations


class Unsupported(Exception):
    """An op, or a choice of its attributes, that cannot be expressed; the text says why."""
