"""The process that compiles: takes jobs from a connection, sends binaries back.

Started as ``python -P -m compiler.triton.compile.worker FOLDER CONNECTION`` (the number of a file
that is open) with an environment that :mod:`.process` prepares. It greets with Triton's version,
then answers every job with either a binary or a message.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from compiler.binary import Binary, Resources
from compiler.kernel import Parameter

from .early_start import waiting, waits_first
from .inspection import argument_layout, resource_usage
from .job import Job
from .portable_ptx import CAPABILITY, with_lowest

ROUNDED = "def rounded("  # the helper of kernels that need every product rounded
MOST_REGISTERS = 255  # that a thread can have
_TYPES = {"f64": "fp64", "f32": "fp32", "f16": "fp16", "bool": "i1"}  # others have one name


def compile_job(job: Job, folder: Path) -> Binary:
    """Compile one job. Whatever Triton raises goes to the caller.

    What would read something before it has waited does not begin early.
    """
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernel, config, capability = job.kernel, job.config, job.architecture.capability
    source_text = waiting(kernel.source, kernel.entry) if job.early else kernel.source
    function = _import(kernel.entry, source_text, folder)
    kinds = {p.name: _kind(p) for p in kernel.parameters}
    kinds.update((name, "constexpr") for name, _ in config.constants)
    names = list(function.arg_names)
    if names != list(kinds):
        raise ValueError(f"{kernel.entry} takes {names}, the kernel describes {list(kinds)}")
    divisible = {
        (place,): [["tt.divisibility", 16]]
        for place, parameter in enumerate(kernel.parameters)
        if parameter.divisible
    }
    source = ASTSource(function, kinds, dict(config.constants), divisible)

    def compile(**options: int) -> Any:
        options |= {"num_warps": config.num_warps, "num_stages": config.num_stages}
        options |= {"enable_fp_fusion": ROUNDED not in kernel.source}  # a * b + c may round once
        return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)

    def compile_with(**limits: int) -> tuple[Any, Resources]:
        if capability == CAPABILITY:
            compiled = with_lowest(lambda version: compile(ptx_version=version, **limits))
        else:
            compiled = compile(**limits)
        report = _usage_report(compiled.asm["cubin"], folder)
        return compiled, resource_usage(report, compiled.metadata.name, compiled.metadata.shared)

    compiled, resources = compile_with()
    if resources.spills and resources.registers < MOST_REGISTERS:
        # The assembler chose to have few registers; told that it may have more, it takes them.
        roomy, needed = compile_with(maxnreg=MOST_REGISTERS)
        if not needed.spills:
            compiled, resources = roomy, needed
    metadata = compiled.metadata
    ptx = compiled.asm["ptx"]
    if job.early and not waits_first(ptx):
        return compile_job(replace(job, early=False), folder)
    return Binary(
        entry=metadata.name,
        architecture=job.architecture,
        num_warps=metadata.num_warps,
        arguments=argument_layout([p.kind for p in kernel.parameters], ptx),
        scratch=(metadata.global_scratch_size, metadata.global_scratch_align),
        resources=resources,
        triton=triton.__version__,
        cubin=compiled.asm["cubin"],
        ptx=ptx,
        early=job.early,
    )


def _kind(parameter: Parameter) -> str:
    """As Triton spells it."""
    if parameter.kind == "pointer":
        return f"*{_TYPES.get(str(parameter.dtype), str(parameter.dtype))}"
    return _TYPES.get(parameter.kind, parameter.kind)


def _import(entry: str, text: str, folder: Path) -> Any:
    """A kernel's function: Triton reads its text from a file."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:24]
    path = folder / f"{entry}_{digest}_{os.getpid()}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, entry)


def _usage_report(cubin: bytes, folder: Path) -> str:
    from triton import knobs

    path = folder / f"usage_{os.getpid()}.cubin"
    path.write_bytes(cubin)
    tool = knobs.nvidia.cuobjdump.path
    return subprocess.run(
        [tool, "-res-usage", str(path)], capture_output=True, text=True, check=True
    ).stdout


def serve(connection: Connection[Binary | str, Job], folder: Path) -> None:
    """Compile jobs until nobody asks any more."""
    import triton

    connection.send(triton.__version__)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            answer: Binary | str = compile_job(job, folder)
        except Exception as error:
            answer = describe(error)
        connection.send(answer)


def describe(error: BaseException) -> str:
    """The messages of an exception and of its causes, outermost first."""
    parts: list[str] = []
    at: BaseException | None = error
    while at is not None and len(parts) < 4:
        text = f"{type(at).__name__}: {at}"
        if text not in parts:
            parts.append(text)
        at = at.__cause__
    return "\n".join(parts)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    serve(Connection(int(sys.argv[2])), Path(sys.argv[1]))
