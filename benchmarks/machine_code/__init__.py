"""What hot layers become in machine code: no GPU is needed."""
