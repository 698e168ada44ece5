"""Data sources: databases, image lists, HDF5, windows, memory and dummies, read ahead."""
