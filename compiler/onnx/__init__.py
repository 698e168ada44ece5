"""Nets as ONNX models: a rule for each op of the IR, nodes for expressions and for sizes.

Needs the package onnx, which is an extra: nothing of the rest imports this.
"""
