"""What the CUDA driver says about a GPU, asked through libcuda alone: no torch, no toolkit."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from ir.errors import RoasteryError

# CUdevice_attribute, from the CUDA driver API's documentation.
_ATTRIBUTES = {
    "threads_per_block": 1,
    "block_x": 2,
    "block_y": 3,
    "block_z": 4,
    "grid_x": 5,
    "grid_y": 6,
    "grid_z": 7,
    "shared_memory": 8,
    "constant_memory": 9,
    "warp_size": 10,
    "pitch": 11,
    "registers": 12,
    "clock_rate": 13,
    "texture_alignment": 14,
    "overlap": 15,
    "multiprocessors": 16,
    "timeout": 17,
    "major": 75,
    "minor": 76,
}


@dataclass(frozen=True, slots=True)
class DeviceProperties:
    """One GPU. ``memory`` in bytes; ``attributes`` by the names above, as the driver counts."""

    index: int
    name: str
    memory: int
    attributes: dict[str, int]

    def lines(self) -> list[str]:
        """The properties as Caffe's ``device_query`` lists them."""
        a = self.attributes
        rows = [
            ("Device id", self.index),
            ("Major revision number", a["major"]),
            ("Minor revision number", a["minor"]),
            ("Name", self.name),
            ("Total global memory", self.memory),
            ("Total shared memory per block", a["shared_memory"]),
            ("Total registers per block", a["registers"]),
            ("Warp size", a["warp_size"]),
            ("Maximum memory pitch", a["pitch"]),
            ("Maximum threads per block", a["threads_per_block"]),
            ("Maximum dimension of block", f"{a['block_x']}, {a['block_y']}, {a['block_z']}"),
            ("Maximum dimension of grid", f"{a['grid_x']}, {a['grid_y']}, {a['grid_z']}"),
            ("Clock rate", a["clock_rate"]),
            ("Total constant memory", a["constant_memory"]),
            ("Texture alignment", a["texture_alignment"]),
            ("Concurrent copy and execution", "Yes" if a["overlap"] else "No"),
            ("Number of multiprocessors", a["multiprocessors"]),
            ("Kernel execution timeout", "Yes" if a["timeout"] else "No"),
        ]
        return [f"{name + ':':<30} {value}" for name, value in rows]


class CudaUnavailable(RoasteryError):
    """There is no CUDA driver, or it finds no device."""


def query_devices() -> list[DeviceProperties]:
    """All GPUs of the machine, at least one.

    Raises:
        CudaUnavailable: says whether the driver or the device is missing.
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise CudaUnavailable(
            "no CUDA device: the driver's library libcuda.so.1 is not on this machine"
        ) from None
    _check(driver, driver.cuInit(0))
    count = ctypes.c_int(0)
    _check(driver, driver.cuDeviceGetCount(ctypes.byref(count)))
    if count.value == 0:
        raise CudaUnavailable("no CUDA device: the driver is there and finds none")
    return [_query(driver, index) for index in range(count.value)]


def _query(driver: ctypes.CDLL, index: int) -> DeviceProperties:
    device = ctypes.c_int(0)
    _check(driver, driver.cuDeviceGet(ctypes.byref(device), index))
    name = ctypes.create_string_buffer(256)
    _check(driver, driver.cuDeviceGetName(name, len(name), device))
    memory = ctypes.c_size_t(0)
    _check(driver, driver.cuDeviceTotalMem_v2(ctypes.byref(memory), device))
    values = {}
    for key, number in _ATTRIBUTES.items():
        value = ctypes.c_int(0)
        _check(driver, driver.cuDeviceGetAttribute(ctypes.byref(value), number, device))
        values[key] = value.value
    return DeviceProperties(index, name.value.decode(errors="replace"), memory.value, values)


def _check(driver: ctypes.CDLL, code: int) -> None:
    if code == 0:
        return
    text = ctypes.c_char_p()
    driver.cuGetErrorString(code, ctypes.byref(text))
    said = text.value.decode(errors="replace") if text.value else f"error {code}"
    raise CudaUnavailable(f"no CUDA device: the driver says: {said}")
