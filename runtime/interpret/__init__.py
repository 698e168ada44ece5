"""The executor ``interpret``: kernels under Triton's interpreter, every access watched."""
