"""Which executor runs a net.

First of: an explicit device; ``-gpu`` or ``set_mode_*``; ``ROASTERY_DEVICE``; an explicit
``solver_mode: CPU``; else ``cuda`` where there is one, else ``cpu``. A GPU that is not there is an
error where the command line, ``device=`` or ``ROASTERY_DEVICE`` names it; ``set_mode_gpu()`` and
``solver_mode: GPU``, which stand in scripts and files that people share, then mean the CPU.
"""

from __future__ import annotations

import functools
import logging
import os
import re
from typing import TYPE_CHECKING

from ir.errors import RoasteryError
from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend

from .compiling import COMPILING

if TYPE_CHECKING:
    from compiler.pipeline import Lower
    from compiler.triton.compile import Job

_LOGGER = logging.getLogger("roastery.devices")
_told: set[str] = set()
DEVICES = "reference, cpu, cuda, cuda:N, interpret"


def choose_device(
    explicit: str | None = None, *, default: str | None = None, solver_mode: str | None = None
) -> str:
    """The canonical name of the device to use.

    Args:
        explicit: ``--device``, ``-gpu`` or ``device=``.
        default: what ``set_mode_*`` asked for.
        solver_mode: what the solver file says, if anything: "CPU" or "GPU".

    Raises RoasteryError for an unknown name, and for ``cuda`` where there is none.
    """
    name = explicit or default or os.environ.get("ROASTERY_DEVICE") or ""
    if not name and solver_mode == "CPU":
        return "cpu"
    if not name:
        return "cuda:0" if cuda_missing() is None else "cpu"
    if name in ("cpu", "reference", "interpret"):
        return name
    if re.fullmatch(r"cuda(:\d+)?", name):
        reason = cuda_missing()
        if reason is not None:
            raise RoasteryError(
                f"device {name} is not there: {reason}",
                hint="use --device=cpu, or leave out --device and -gpu",
            )
        return name if ":" in name else "cuda:0"
    raise RoasteryError(f"unknown device '{name}'", hint=f"devices: {DEVICES}")


def cuda_missing() -> str | None:
    """Why there is no CUDA device that can be used; None if there is one."""
    from compiler.architecture import TOO_OLD, Architecture
    from runtime.cuda.driver import available, query_devices

    found = available()
    if not found:
        return found.reason
    devices = query_devices()
    if all(Architecture(device.capability).too_old for device in devices):
        return f"{devices[0].name} (sm_{devices[0].capability}) is too old: {TOO_OLD}"
    return None


def open_backend(device: str) -> Backend:
    """The executor for a canonical device name."""
    if device == "reference":
        return ReferenceBackend()
    if device == "cpu":
        return _cpu_backend()
    if device == "interpret":
        from runtime.interpret.backend import InterpretBackend

        return InterpretBackend()
    return _cuda_backend(int(device.partition(":")[2] or 0))


def _cpu_backend() -> Backend:
    from compiler.c.compile.c_compiler import HINT, NoCompiler, find_compiler

    compiler = find_compiler()
    if isinstance(compiler, NoCompiler):
        from runtime.backends.optimised import OptimisedBackend

        if compiler.reason not in _told:
            _told.add(compiler.reason)
            _LOGGER.warning("%s, so numpy runs nets, slowly; %s", compiler.reason, HINT)
        return OptimisedBackend()
    from runtime.cpu.backend import CpuBackend

    return CpuBackend(compiler, COMPILING)


@functools.cache
def _cuda_backend(index: int) -> Backend:
    """One per GPU: nets that come one after the other share loaded kernels."""
    from runtime.cuda.backend import CudaBackend

    return CudaBackend(index, _show_compiling, lower=tuned_lowering())


def tuned_lowering() -> Lower | None:
    """What makes kernels, as ``ROASTERY_TUNED`` says: by a file of choices, or by no measured ones
    (``none``). None: by those that were measured on the device.

    Raises RoasteryError for a file that holds none.
    """
    said = os.environ.get("ROASTERY_TUNED") or ""
    if not said:
        return None
    from compiler.triton.lower import lower_node
    from compiler.triton.tuned.lowering import TunedLowering
    from compiler.triton.tuned.table import read_table

    if said == "none":
        return lower_node
    try:
        return TunedLowering(read_table(said).find)
    except RoasteryError as error:
        raise RoasteryError(f"ROASTERY_TUNED: {error.message}", hint=error.hint) from None


def _show_compiling(done: int, total: int, job: Job | None) -> None:
    COMPILING(done, total, "" if job is None else f" ({job.name})")
