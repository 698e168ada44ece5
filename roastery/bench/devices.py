"""Which devices have kernels to measure."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.c.compile.c_compiler import HINT, CCompiler, find_compiler
from ir.errors import RoasteryError

from ..devices.backends import choose_device, cuda_missing


def benched_devices(asked: Sequence[str]) -> list[str]:
    """The canonical names of those asked for, or of all that are there but ``interpret``.

    Raises RoasteryError for one that is not there or has no kernels, and where there is none.
    """
    compiles = isinstance(find_compiler(), CCompiler)
    if not asked:
        asked = ["cpu"] * compiles + ["cuda"] * (cuda_missing() is None)
    found = list(dict.fromkeys(map(choose_device, asked)))
    if "reference" in found:
        raise RoasteryError(
            "device reference has no kernels: the others are held against it",
            hint="--device cpu, cuda or interpret",
        )
    if not found or ("cpu" in found and not compiles):
        raise RoasteryError("there is no C compiler that makes kernels", hint=HINT)
    return found
