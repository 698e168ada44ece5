"""Writing an artifact."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from compiler.options import CompileOptions
from compiler.plan.plan import Plan
from compiler.plan.saved import plan_to_json
from ir.errors import RoasteryError
from ir.graph import Graph, Port, Role
from ir.graph_sizes import graph_symbols
from ir.text import format_graph
from roastery.files.atomic_file import atomic_path

from ..layer_counts import NetCount
from .archive_writer import write_archive
from .code import Code, code_members, targets
from .container import GRAPH, MANIFEST, MOST_LINES, PLAN, WEIGHTS
from .cpu_code import CpuCode, cpu_members
from .layers import layer_members
from .manifest import FORMAT, Manifest, Member, Tensor
from .pictures import Pictures, picture_members
from .planned import PlannedSizes, planned_members
from .sizes import SizeCondition
from .weights import weights_bytes

CPU = "cpu"
NO_PICTURES = Pictures()


def write_artifact(
    path: str | os.PathLike[str],
    *,
    versions: Mapping[str, str],
    options: CompileOptions,
    weights: Mapping[str, np.ndarray],
    graph: Graph,
    cpu: bool,
    cpu_codes: Sequence[CpuCode] = (),
    plan: Plan | None = None,
    code: Code | None = None,
    sources: Sequence[str] = (),
    conditions: Sequence[SizeCondition] = (),
    pictures: Pictures = NO_PICTURES,
    planned: Sequence[PlannedSizes] = (),
    layers: NetCount | None = None,
) -> None:
    """Write one file, whole or not at all; the same contents give the same bytes.

    Types of the graph and of the plan may hold sizes, whose symbols are extents of inputs.

    Args:
        versions: of the packages that made it: roastery, triton, numpy.
        options: what the compiler was asked for.
        weights: parameters and state by the names of their variables.
        graph: what is computed, with the net's name, inputs and outputs.
        cpu: whether the CPU may run it, from the graph. cpu_codes: what it runs faster.
        plan: what a GPU does. code: its machine code, which tells the GPU targets. sources: its
            kernels, as people read them.
        conditions: what has to hold of sizes.
        pictures: how they become its input, and the names of its classes.
        planned: sizes that were planned for in advance.
        layers: what its layers take, as forms over sizes.

    Raises :class:`RoasteryError` when the file cannot be written.
    """
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
    text = format_graph(graph)
    if cpu and text.count("\n") > MOST_LINES:
        raise RoasteryError(
            f"the net has {text.count(chr(10))} operations; an artifact for the CPU takes at most "
            f"{MOST_LINES}",
            hint="export fewer steps of what repeats, or for a GPU alone",
        )
    members: dict[str, bytes] = {
        GRAPH: text.encode(errors="backslashreplace"),  # file names may be any bytes
        WEIGHTS: weights_bytes(contiguous),
        **cpu_members(cpu_codes),
        **picture_members(pictures),
        **planned_members(planned),
        **layer_members(layers),
    }
    names = [CPU] if cpu else []
    if plan is not None and code is not None:
        names += targets(code)
        members[PLAN] = json.dumps(plan_to_json(plan)).encode()
        members |= code_members(plan, code, sources)
    if not names:
        raise ValueError("an artifact needs a target: cpu, or binaries of every kernel")
    manifest = Manifest(
        FORMAT,
        graph.name,
        dict(versions),
        tuple(names),
        _tensors(graph.inputs, Role.DATA),
        _tensors(graph.outputs, Role.RESULT),
        {name: Member.of(data) for name, data in sorted(members.items())},
        options,
        {symbol.key: symbol.value for symbol in graph_symbols(graph)},
        tuple(conditions),
    )
    try:
        with atomic_path(Path(path)) as temporary:
            write_archive(temporary, {**members, MANIFEST: manifest.encode()})
    except OSError as error:
        raise RoasteryError(f"cannot write {os.fspath(path)}: {error.strerror}") from error


def _tensors(ports: Sequence[Port], role: Role) -> tuple[Tensor, ...]:
    types = {port.name: port.value.type for port in ports if port.role is role}
    return tuple(Tensor(name, type.shape, type.dtype) for name, type in types.items())
