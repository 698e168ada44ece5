"""What an export is for, as ``--target`` and ``--cpu-baseline`` say it."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.architecture import Architecture
from compiler.c.compile.c_compiler import HINT, CCompiler, NoCompiler, find_compiler
from ir.errors import RoasteryError

from ..building.logger import logger_report
from ..devices.compile_options import architectures
from .cpu_baselines import compilers_for


def for_c(names: Sequence[str]) -> bool:
    """Whether a folder of C is wanted, which holds nothing else.

    Raises RoasteryError where something else is wanted, too.
    """
    parts = {part.strip() for name in names for part in name.split(",")}
    if "c" in parts and (others := sorted(parts - {"c"})):
        raise RoasteryError(
            f"target c is a folder, {others[0]} a file: they cannot be exported at once",
            hint="export twice, each with an --output of its own",
        )
    return "c" in parts


def cpu_compilers(cpu: bool, baselines: Sequence[str]) -> dict[str, CCompiler]:
    """By the names of the baselines that an artifact gets machine code for.

    Raises RoasteryError for a baseline that nothing here compiles for.
    """
    if not cpu:
        if baselines:
            raise RoasteryError("--cpu-baseline is for --target cpu and --target c")
        return {}
    compilers = compilers_for(baselines)
    if not compilers and not baselines:
        found = find_compiler()
        why = found.reason if isinstance(found, NoCompiler) else "it compiles for other CPUs"
        logger_report().warn(f"{why}, so numpy will run the net on CPUs, slowly; {HINT}")
    return compilers


def asked_targets(names: Sequence[str]) -> tuple[bool, list[Architecture]]:
    """Whether the CPU is among them, and the GPUs; ``cuda:sm_80,sm_90`` is two.

    Raises RoasteryError for what is no target, and where none is named.
    """
    parts = [part.strip() for name in names for part in name.split(",")]
    cpu = "cpu" in parts
    gpus = architectures(",".join(part for part in parts if part != "cpu"))
    if not cpu and not gpus:
        raise RoasteryError("no target is given", hint="--target cpu, --target cuda:sm_80,sm_90")
    return cpu, gpus
