"""Python layers that are built in, a file for each: see :mod:`..built_in_python`."""
