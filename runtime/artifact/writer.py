"""Writing an artifact, and putting a compiled program into the form it is stored in."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compiler.binary import Binary
from compiler.kernel import Config, Kernel, Launch, Scratch
from compiler.options import CompileOptions
from ir.errors import RoasteryError
from ir.graph import Value
from roastery.files.atomic_file import atomic_path

from .container import GRAPH, MANIFEST, MOST_LINES, WEIGHTS, write_archive
from .manifest import Manifest, Tensor, member_table
from .plan import CodeNames, LaunchPlan, StoredAllocation, StoredKernel, StoredLaunch

CPU = "cpu"


def store_launches(
    launches: Iterable[Launch],
    place: Callable[[Value | Scratch], StoredAllocation],
    binaries: Callable[[Kernel, Config], Sequence[Binary]],
) -> tuple[tuple[StoredKernel, ...], tuple[StoredLaunch, ...], dict[str, str]]:
    """Launches as an artifact stores them: kernels, steps, and sources by file name.

    ``place`` says where a buffer lies; ``binaries`` gives a kernel's code for every target.
    Launches with an empty grid are left out.
    """
    kernels: list[StoredKernel] = []
    steps: list[StoredLaunch] = []
    sources: dict[str, str] = {}
    numbers: dict[tuple[Kernel, Config], int] = {}
    files: dict[Kernel, str] = {}
    for launch in launches:
        if 0 in launch.grid:
            continue
        kernel, config = launch.kernel, launch.chosen
        if (kernel, config) not in numbers:
            if kernel not in files:
                files[kernel] = _file_name(launch.label, sources)
                sources[files[kernel]] = kernel.readable or kernel.source
            numbers[kernel, config] = len(kernels)
            kernels.append(
                StoredKernel(
                    source=files[kernel],
                    kinds=tuple(parameter.kind for parameter in kernel.parameters),
                    constants=config.constants,
                    binaries=tuple(binaries(kernel, config)),
                )
            )
        arguments = tuple(
            place(a) if isinstance(a, (Value, Scratch)) else a for a in launch.arguments
        )
        steps.append(
            StoredLaunch(
                numbers[kernel, config],
                arguments,
                launch.grid,
                launch.label,
                str(launch.location),
            )
        )
    return tuple(kernels), tuple(steps), sources


def _file_name(label: str, taken: Mapping[str, str]) -> str:
    """``kernels/conv1_relu1.py``, with a number where two labels give the same name."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", label).strip("._-")[:80] or "kernel"
    names = {name.lower() for name in taken}  # not every file system tells case apart
    name, count = f"kernels/{stem}.py", 2
    while name.lower() in names:
        name, count = f"kernels/{stem}_{count}.py", count + 1
    return name


def write_artifact(
    path: str | os.PathLike[str],
    *,
    name: str,
    versions: Mapping[str, str],
    options: CompileOptions,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    weights: Mapping[str, np.ndarray],
    graph: str,
    cpu: bool,
    plan: LaunchPlan | None = None,
    sources: Mapping[str, str] | None = None,
    memory: Mapping[str, Any] | None = None,
) -> None:
    """Write one file, whole or not at all; the same contents give the same bytes.

    Args:
        name: of the net.
        versions: of the packages that made it: roastery, triton, numpy.
        options: what the compiler was asked for.
        weights: parameters and state by the names of their variables.
        graph: the optimised IR as text.
        cpu: whether the reference interpreter may run it from that text.
        plan: what a GPU does; its binaries are the GPU targets.
        sources: the kernels' files, as people read them.
        memory: the memory plan, as people read it.

    Raises :class:`RoasteryError` when the file cannot be written.
    """
    from safetensors.numpy import save

    for key in weights:
        try:
            key.encode()
        except UnicodeEncodeError:
            raise RoasteryError(
                f"cannot write {os.fspath(path)}: {key!a} is not valid UTF-8, which names of "
                "weights in an artifact must be",
                hint="rename the layer, in the net and in its weights",
            ) from None
    contiguous = {key: np.asarray(array, order="C") for key, array in sorted(weights.items())}
    members: dict[str, bytes] = {
        GRAPH: graph.encode(errors="backslashreplace"),  # file names may be any bytes
        WEIGHTS: save(contiguous),
        **{file: text.encode() for file, text in (sources or {}).items()},
    }
    if memory is not None:
        members["memory.json"] = _json_bytes(memory)
    targets = [CPU] if cpu else []
    if plan is not None:
        targets += plan.targets
        code_names = CodeNames(b.architecture for kernel in plan.kernels for b in kernel.binaries)
        members["plan.json"] = _json_bytes(plan.json(code_names))
        for number, kernel in enumerate(plan.kernels):
            for binary in kernel.binaries:
                names = code_names(number, binary)
                members[names["cubin"]] = binary.cubin
                if "ptx" in names:
                    members[names["ptx"]] = binary.ptx.encode()
    if cpu and graph.count("\n") > MOST_LINES:
        raise RoasteryError(
            f"the net has {graph.count(chr(10))} operations; an artifact for the CPU takes at most "
            f"{MOST_LINES}",
            hint="export fewer steps of what repeats, or for a GPU alone",
        )
    if not targets:
        raise ValueError("an artifact needs a target: cpu, or binaries of every kernel")
    manifest = Manifest(
        name=name,
        versions=versions,
        targets=tuple(targets),
        options=options,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        members=member_table(members),
    )
    members[MANIFEST] = manifest.encode()
    try:
        with atomic_path(Path(path)) as temporary:
            write_archive(temporary, members)
    except OSError as error:
        raise RoasteryError(f"cannot write {os.fspath(path)}: {error.strerror}") from error


def _json_bytes(data: Any) -> bytes:
    return (json.dumps(data, indent=1) + "\n").encode()
