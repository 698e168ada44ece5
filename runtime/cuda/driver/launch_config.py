"""A launch with attributes, as ``cuLaunchKernelEx`` takes it.

Reference: CUlaunchConfig and CUlaunchAttribute in NVIDIA's cuda.h.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_int, c_uint, c_void_p

from .libcuda import Driver

_PROGRAMMATIC = 6  # CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
_OLDEST = (12, 3)  # CUDA, whose graphs keep the attribute


class _Attribute(ctypes.Structure):
    _fields_ = (("id", c_int), ("pad", c_int), ("value", c_int), ("rest", c_char * 60))


class LaunchConfig(ctypes.Structure):
    """Of a kernel that waits by itself for the launch before it, and may begin before that ends."""

    _fields_ = (
        ("grid", c_uint * 3),
        ("block", c_uint * 3),
        ("shared", c_uint),
        ("stream", c_void_p),
        ("attributes", c_void_p),
        ("count", c_uint),
    )

    def __init__(
        self, grid: tuple[int, int, int], threads: int, shared: int, stream: c_void_p
    ) -> None:
        self._attribute = _Attribute(_PROGRAMMATIC, 0, 1)  # it has to stay where it is
        super().__init__(
            (c_uint * 3)(*grid),
            (c_uint * 3)(threads, 1, 1),
            shared,
            stream,
            ctypes.addressof(self._attribute),
            1,
        )


def starts_early(driver: Driver) -> bool:
    """Whether a driver knows such launches, captured ones too."""
    return driver.version >= _OLDEST and driver.has("cuLaunchKernelEx")
