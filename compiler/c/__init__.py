"""Kernels as plain scalar C: to test what kernels mean, and where a fast CPU target begins."""
