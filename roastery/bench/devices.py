"""Which devices have kernels to measure."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.c.shared_library import c_compiler
from ir.errors import RoasteryError
from runtime.backends.backend import Backend

from ..devices.backends import choose_device, cuda_missing, open_backend


def benched_devices(asked: Sequence[str]) -> list[str]:
    """The canonical names of those asked for, or of all that are there but ``interpret``.

    Raises RoasteryError for one that is not there or has no kernels, and where there is none.
    """
    if not asked:
        asked = ["cpu"] * (c_compiler() is not None) + ["cuda"] * (cuda_missing() is None)
    found = list(dict.fromkeys(map(choose_device, asked)))
    if "reference" in found:
        raise RoasteryError(
            "device reference has no kernels: the others are held against it",
            hint="--device cpu, cuda or interpret",
        )
    if not found:
        raise RoasteryError("there is no device with kernels", hint="install gcc or clang")
    return found


def open_benched(device: str) -> Backend:
    """As :func:`roastery.devices.backends.open_backend`."""
    if device == "cpu":
        from runtime.backends.c import CBackend

        return CBackend()
    return open_backend(device)
