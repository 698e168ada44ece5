"""Finds the fastest kernels of a net by measuring: what `roastery tune` does."""
