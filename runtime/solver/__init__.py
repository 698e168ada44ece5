"""Solvers: from gradients to updates, one iteration after the other."""
