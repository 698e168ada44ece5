"""What is asked of the compiler: where every command and call makes its CompileOptions.

The precision of float32 matrix products is the first of: ``--precision`` or ``precision=``;
``ROASTERY_PRECISION``; ``ieee``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from compiler.architecture import Architecture
from compiler.options import IEEE, PRECISIONS, CompileOptions
from compiler.target import GENERIC, Target, typical
from ir.errors import RoasteryError
from ir.printable import printable

Note = Callable[[str], None]


def compile_options(target: Target, precision: str | None, note: Note) -> CompileOptions:
    """Options for a net that runs on a device.

    Args:
        precision: ``--precision`` or ``precision=``.
        note: told where the device cannot multiply so; it then does in ``ieee``.

    Raises RoasteryError for an unknown precision.
    """
    wanted = choose_precision(precision)
    if wanted not in target.precisions:
        note(_no_effect(wanted, target))
        wanted = IEEE
    return CompileOptions(target, wanted)


def kernel_options(
    architectures: Sequence[Architecture], precision: str | None, note: Note
) -> CompileOptions:
    """Options for kernels that are printed once and compiled for each of these GPUs.

    They are planned for that with the most processors: too few programs leave a large GPU idle,
    while a small one loses little by too many. What cannot multiply with the precision that was
    asked for does in ``ieee``, as Triton compiles it.
    """
    wanted = choose_precision(precision)
    devices = [typical(architecture) for architecture in architectures] or [GENERIC]
    for device in devices:
        if wanted not in device.precisions:
            note(_no_effect(wanted, device))
    return CompileOptions(max(devices, key=lambda device: device.processors), wanted)


def architectures(text: str) -> list[Architecture]:
    """``sm_80,cuda:sm_90``: GPU generations, each once. Raises RoasteryError for anything else."""
    names = [name.strip() for name in text.split(",")]
    found = [name if name.startswith("cuda:") else f"cuda:{name}" for name in names if name]
    return list(dict.fromkeys(map(Architecture.parse, found)))


def choose_precision(explicit: str | None) -> str:
    """The precision that was asked for. Raises RoasteryError for an unknown one."""
    name = os.environ.get("ROASTERY_PRECISION") or IEEE if explicit is None else explicit
    if name not in PRECISIONS:
        asked = f"precision '{printable(str(name))}'"
        raise RoasteryError(
            f"ROASTERY_PRECISION has an unknown {asked}"
            if explicit is None
            else f"unknown {asked}",
            hint=f"precisions: {', '.join(PRECISIONS)}",
        )
    return name


def _no_effect(precision: str, target: Target) -> str:
    where = str(target) if target.kind == "cuda" else "the CPU"
    return f"precision {precision} has no effect on {where}: products of float32 are {IEEE} there"
