"""Nets as PyTorch modules: text that a person reads, and weights beside it."""
