"""What is asked of the compiler: where every command and call makes its CompileOptions.

The precision is the first of: ``--precision`` or ``precision=``; ``ROASTERY_PRECISION``;
``float32``. The passes are those of ``--passes`` or ``passes=``, else of
``ROASTERY_PASSES``, else those that suit the device. The fuel is that of ``--fuel``, else of
``ROASTERY_FUEL``, else it never runs out. The layout of images in memory is that of ``--layout``,
else of ``ROASTERY_LAYOUT``, else what the device wants. The memory budget is that of
``--memory-budget``, else of ``ROASTERY_MEMORY_BUDGET``, else there is none; where that is ``none``,
GPUs compute nothing again in backward. ``ROASTERY_WINOGRAD`` alone says whether convolutions may be
computed by Winograd's filtering. Threads of the CPU: :mod:`runtime.machine.threads`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from compiler.architecture import Architecture
from compiler.image_layout import check_layout
from compiler.options import CompileOptions
from compiler.passes.registry import passes_named
from compiler.precision import FLOAT32, OTHER_NAMES, PRECISIONS, TF32, narrow_type
from compiler.target import GENERIC, Target, typical
from ir.byte_size import parse_byte_size
from ir.errors import RoasteryError
from ir.printable import printable
from runtime.backends.backend import Backend
from runtime.machine.threads import number_of_threads

TellNote = Callable[[str], None]
Passes = str | Sequence[str] | None
"""Names of passes in order, or what ``--passes`` says: "simplify,fuse", "none", "default"."""

_DIGITS = 10  # more rewrites than anybody waits for


@dataclass(frozen=True)
class CompileRequest:
    """What a command's flags or a call's arguments ask of the compiler; None: nothing is said."""

    precision: str | None = None
    passes: Passes = None
    layout: str | None = None
    fuel: int | None = None
    threads: int | None = None
    memory_budget: str | int | None = None

    def options(self, target: Target) -> CompileOptions:
        """All of it for a target. Raises RoasteryError, see :func:`compile_options`."""
        return CompileOptions(
            choose_threads(self.threads, choose_layout(self.layout, target)),
            choose_precision(self.precision),
            choose_passes(self.passes),
            choose_fuel(self.fuel),
            choose_winograd(),
            choose_memory_budget(self.memory_budget),
            recomputes=not _says_none(self.memory_budget),
        )


NOTHING_ASKED = CompileRequest()


def compile_options(backend: Backend, asked: CompileRequest, note: TellNote) -> CompileOptions:
    """Options for a net that runs on a device.

    Args:
        note: told what has no effect: a precision that the device has no units for, passes and
            fuel on ``reference``, which runs none.

    Raises RoasteryError for an unknown precision or pass, and for a fuel that is no number.
    """
    options = device_options(backend.target, asked, note)
    if backend.name != "reference":
        return options
    for flag, given in (("--passes", options.passes), ("--fuel", options.fuel is not None)):
        if given:
            note(f"device reference runs graphs as they were lowered: {flag} has no effect there")
    return replace(options, passes=())


def device_options(target: Target, asked: CompileRequest, note: TellNote) -> CompileOptions:
    """As :func:`compile_options`, for a device that need not be there."""
    options = asked.options(target)
    if options.memory_budget is not None and not options.target.runs_kernels:
        note("a memory budget has no effect where numpy runs graphs")
    if asked.layout is not None and asked.layout != options.target.layout:
        note(f"layout {asked.layout} has no effect where numpy runs graphs")
    if options.precision not in target.precisions:
        note(_no_effect(options.precision, target))
        return replace(options, precision=FLOAT32)
    options = _by_passes(options, note)
    if target.kind == "cpu" and narrow_type(options.precision) is not None:
        note(
            f"precision {options.precision} on the CPU is that of large weights of inner products "
            f"in nets that are frozen, for small batches; all else is {FLOAT32}"
        )
    return options


def kernel_options(
    architectures: Sequence[Architecture], asked: CompileRequest, note: TellNote
) -> CompileOptions:
    """Options for kernels that are printed once and compiled for each of these GPUs.

    They are planned for that with the most processors: too few programs leave a large GPU idle,
    while a small one loses little by too many. What has no units for tf32 multiplies float32, as
    Triton compiles it; where one has none for floats of 16 bits all do without.
    """
    devices = [typical(architecture) for architecture in architectures] or [GENERIC]
    options = asked.options(max(devices, key=lambda device: device.processors))
    for device in devices:
        if options.precision not in device.precisions:
            note(_no_effect(options.precision, device))
    if all(options.precision in device.precisions for device in devices):
        return _by_passes(options, note)
    if narrow_type(options.precision) is None:
        return options
    if len(devices) > 1:
        note(f"kernels are made once, for all targets: they are of {FLOAT32}")
    return replace(options, precision=FLOAT32)


def precision_hint(options: CompileOptions, asked: CompileRequest) -> str | None:
    """What to know of a precision that nobody chose, where others could be meant."""
    chosen = asked.precision is not None or bool(os.environ.get("ROASTERY_PRECISION"))
    target = options.target
    if chosen or target.kind != "cuda" or TF32 not in target.precisions:
        return None
    return (
        f"precision {options.precision}: each product of matrices is three of tf32, as exact; "
        "--precision tf32 takes one and is faster, --precision ieee leaves matrix units out"
    )


def architectures(text: str) -> list[Architecture]:
    """``sm_80,cuda:sm_90``: GPU generations, each once. Raises RoasteryError for anything else."""
    names = [name.strip() for name in text.split(",")]
    found = [name if name.startswith("cuda:") else f"cuda:{name}" for name in names if name]
    return list(dict.fromkeys(map(Architecture.parse, found)))


def choose_precision(explicit: str | None) -> str:
    """The precision that was asked for. Raises RoasteryError for an unknown one."""
    name = os.environ.get("ROASTERY_PRECISION") or FLOAT32 if explicit is None else explicit
    if name not in PRECISIONS:
        asked = f"precision '{printable(str(name))}'"
        meant = OTHER_NAMES.get(str(name).lower())
        raise RoasteryError(
            f"ROASTERY_PRECISION has an unknown {asked}"
            if explicit is None
            else f"unknown {asked}",
            hint=f"precisions: {', '.join(PRECISIONS)}"
            + (f"; did you mean {meant}?" if meant else ""),
        )
    return name


def choose_passes(explicit: Passes) -> tuple[str, ...] | None:
    """The passes that were asked for; None: those that suit the device.

    Raises RoasteryError for a name that is no pass's.
    """
    if explicit is not None:
        return passes_named(explicit if isinstance(explicit, str) else ",".join(map(str, explicit)))
    try:
        return passes_named(os.environ.get("ROASTERY_PASSES") or "default")
    except RoasteryError as error:
        raise RoasteryError(f"ROASTERY_PASSES: {error.message}", detail=error.detail) from None


def choose_layout(explicit: str | None, target: Target) -> Target:
    """The target, as one that wants images in the layout that was asked for; numpy wants none.
    Raises RoasteryError for an unknown one."""
    name = os.environ.get("ROASTERY_LAYOUT") or target.layout if explicit is None else explicit
    try:
        check_layout(name)
    except RoasteryError as error:
        where = "ROASTERY_LAYOUT: " if explicit is None else ""
        raise RoasteryError(f"{where}{error.message}", hint=error.hint) from None
    return replace(target, layout=name) if target.runs_kernels else target


def choose_threads(explicit: int | None, target: Target) -> Target:
    """A CPU as one of as many processors as threads were asked for.

    Raises RoasteryError for what is no number of threads."""
    if target.kind != "cpu":
        return target
    return replace(target, processors=number_of_threads(explicit, target.processors))


def choose_winograd() -> bool:
    """Whether frozen nets may be a little less exact where that is faster. Raises RoasteryError for
    what is neither 0 nor 1."""
    said = os.environ.get("ROASTERY_WINOGRAD") or "1"
    if said not in ("0", "1"):
        raise RoasteryError(
            f"ROASTERY_WINOGRAD is {printable(said)!r}, not 0 or 1",
            hint="0: convolutions are plain sums of products, 1: also by Winograd's filtering",
        )
    return said == "1"


def choose_memory_budget(explicit: str | int | None) -> int | None:
    """How many bytes may be needed at one time; None: as many as what is fastest needs.

    Raises RoasteryError for what is no number of bytes, and not ``none``.
    """
    text = _memory_text(explicit)
    if text is None or _says_none(explicit):
        return None
    found = parse_byte_size(text)
    if found is None:
        what = "ROASTERY_MEMORY_BUDGET" if explicit is None else "the memory budget"
        raise RoasteryError(
            f"{what} is '{printable(text)}', which is no number of bytes",
            hint="such as 3.5GiB, 3500MB or 4G (of 1024 MiB); none: nothing is computed again",
        )
    return found


def _memory_text(explicit: str | int | None) -> str | None:
    if explicit is not None:
        return str(explicit)
    return os.environ.get("ROASTERY_MEMORY_BUDGET") or None


def _says_none(explicit: str | int | None) -> bool:
    """Whether nothing is to be computed again, not even what costs next to nothing."""
    return (_memory_text(explicit) or "").strip().lower() == "none"


def choose_fuel(explicit: int | None) -> int | None:
    """How many rewrites were asked for; None: all.

    Raises RoasteryError if ROASTERY_FUEL is no number.
    """
    text = os.environ.get("ROASTERY_FUEL")
    if explicit is not None or not text:
        return explicit
    if not (text.isascii() and text.isdecimal() and len(text) < _DIGITS):
        raise RoasteryError(
            f"ROASTERY_FUEL is '{printable(text)}'", hint="a number of rewrites, 0 or more"
        )
    return int(text)


def _by_passes(options: CompileOptions, note: TellNote) -> CompileOptions:
    """Floats of 16 bits are the work of a pass: where that is not among those named, there are
    none."""
    passes = options.passes
    if narrow_type(options.precision) is None or passes is None or "precision" in passes:
        return options
    note(f"precision {options.precision} has no effect without the pass precision: it is {FLOAT32}")
    return replace(options, precision=FLOAT32)


def _no_effect(precision: str, target: Target) -> str:
    where = str(target) if target.kind == "cuda" else "the CPU"
    return (
        f"precision {precision} has no effect on {where}, which has no units for it: "
        f"products are of {FLOAT32} there"
    )
