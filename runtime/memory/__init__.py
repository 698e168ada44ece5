"""Where tensors and parameters lie while a net runs, and how parameters start."""
