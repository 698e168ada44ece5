"""NVIDIA GPUs through libcuda alone: no toolkit, no torch. Importing needs no GPU."""

from .device import Device, query_devices
from .libcuda import Availability, CudaError, CudaUnavailable, Driver, available, cuda_driver
from .memory import DeviceBuffer, PinnedBuffer
from .module import Function, Module
from .properties import DeviceProperties
from .stream import CapturedGraph, Event, Stream

__all__ = [
    "Availability",
    "CapturedGraph",
    "CudaError",
    "CudaUnavailable",
    "Device",
    "DeviceBuffer",
    "DeviceProperties",
    "Driver",
    "Event",
    "Function",
    "Module",
    "PinnedBuffer",
    "Stream",
    "available",
    "cuda_driver",
    "query_devices",
]
