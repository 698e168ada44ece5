"""Nets on a GPU, in Roastery and in PyTorch, mode against mode (benchmarks/gpu.py)."""
