"""Kernels as C, for CPUs: vectors by extensions of gcc and clang, threads by their caller."""
