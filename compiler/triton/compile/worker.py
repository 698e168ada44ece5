"""The process that compiles: takes jobs from a connection, sends binaries back.

Started as ``python -P -m compiler.triton.compile.worker FOLDER CONNECTION`` (the number of a file
that is open) with an environment that :mod:`.process` prepares. It greets with Triton's version,
then answers every request with either a binary or a message.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from compiler.architecture import Architecture
from compiler.binary import Binary

from .inspection import argument_layout, resource_usage
from .portable_ptx import with_lowest

_TYPES = {"f64": "fp64", "f32": "fp32", "f16": "fp16", "bool": "i1"}  # others have one name


def compile_request(request: dict[str, Any], folder: Path) -> Binary:
    """Compile one job. Whatever Triton raises goes to the caller."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    function = _import(request["source"], request["entry"], folder)
    parameters, constants = request["parameters"], dict(request["constants"])
    kinds = {
        name: f"*{_TYPES.get(dtype, dtype)}" if kind == "pointer" else _TYPES.get(kind, kind)
        for name, kind, dtype, _ in parameters
    }
    kinds.update((name, "constexpr") for name in constants)
    names = list(function.arg_names)
    if names != list(kinds):
        raise ValueError(f"{request['entry']} takes {names}, the kernel describes {list(kinds)}")
    divisible = {
        (place,): [["tt.divisibility", 16]]
        for place, (_, _, _, declared) in enumerate(parameters)
        if declared
    }
    capability = request["capability"]
    source = ASTSource(function, kinds, constants, divisible)

    def compile(**options: int) -> Any:
        return triton.compile(
            source,
            target=GPUTarget("cuda", capability, 32),
            options={**request["options"], **options},
        )

    lowest = request["lowest_ptx"]
    compiled = (
        compile()
        if lowest is None
        else with_lowest(lambda version: compile(ptx_version=version), lowest)
    )
    metadata = compiled.metadata
    ptx = compiled.asm["ptx"]
    return Binary(
        entry=metadata.name,
        architecture=Architecture(capability),
        num_warps=metadata.num_warps,
        arguments=argument_layout([kind for _, kind, _, _ in parameters], ptx),
        scratch=(metadata.global_scratch_size, metadata.global_scratch_align),
        resources=resource_usage(
            _usage_report(compiled.asm["cubin"], folder), metadata.name, metadata.shared
        ),
        triton=triton.__version__,
        cubin=compiled.asm["cubin"],
        ptx=ptx,
    )


def _import(source: str, entry: str, folder: Path) -> Any:
    """The kernel's function: Triton reads its text from a file."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:24]
    path = folder / f"{entry}_{digest}_{os.getpid()}.py"
    path.write_text(source, encoding="utf-8")
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


def serve(connection: Connection[Binary | str, dict[str, Any]], folder: Path) -> None:
    """Answer requests until nobody asks any more."""
    import triton

    connection.send(triton.__version__)
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        try:
            answer: Binary | str = compile_request(request, folder)
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
