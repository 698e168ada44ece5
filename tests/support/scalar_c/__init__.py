"""A target in some four hundred lines, plain scalar C: what kernels mean without tiles."""
