"""A GPU's properties, line by line. Caffe: src/caffe/common.cpp, Caffe::DeviceQuery."""

from __future__ import annotations

from runtime.cuda.driver import DeviceProperties


def property_lines(device: DeviceProperties) -> list[str]:
    """The properties as Caffe's ``device_query`` lists them."""
    a = device.attributes
    rows = [
        ("Device id", device.index),
        ("Major revision number", a["major"]),
        ("Minor revision number", a["minor"]),
        ("Name", device.name),
        ("Total global memory", device.memory),
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
