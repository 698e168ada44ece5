"""Prints Triton kernels: expression spelling, index arithmetic, schedules."""
