"""The executor ``cpu``: kernels printed as C, run by threads."""
