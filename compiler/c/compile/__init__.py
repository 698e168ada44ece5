"""Printed kernels to machine code: which C compiler, what it is told, what it made before."""
