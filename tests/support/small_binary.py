"""A compiled kernel as the cache keeps it, made up."""

from __future__ import annotations

from compiler.architecture import Architecture
from compiler.binary import Binary, Resources

BINARY = Binary(
    entry="axpy",
    architecture=Architecture(90),
    num_warps=4,
    arguments=("pointer", "i32", "global_scratch", "profile_scratch"),
    scratch=(0, 1),
    resources=Resources(registers=32, stack=0, local=0, shared=1024),
    triton="3.9.0",
    cubin=bytes(range(64)),
    ptx=".version 8.0\n",
)
KEY = "ab" * 32
"""What it is kept by."""
