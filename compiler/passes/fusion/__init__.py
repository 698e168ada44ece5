"""Grouping nodes into kernels; :mod:`compiler.passes.fuse` is the pass."""
