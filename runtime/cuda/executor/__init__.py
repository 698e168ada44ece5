"""What runs compiled graphs on a GPU: memory with two sides, kernels, captured launches."""
