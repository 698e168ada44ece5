"""Kernels of an exported net, by choices that were measured: here, or elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from compiler.architecture import Architecture
from compiler.options import CompileOptions
from compiler.pipeline import Lower
from compiler.target import Target
from compiler.triton.lower import lower_node
from compiler.triton.tuned.lowering import TunedLowering
from compiler.triton.tuned.table import TunedTable, read_table
from ir.errors import RoasteryError
from ir.graph import Graph

from .net import tune_graph, tuning_backend
from .tuner import Tuner

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TuneRequest:
    """What an export is asked for.

    Attributes:
        file: choices that were measured elsewhere; "": none.
        limit: seconds to measure for on this machine's GPU; None: not.
    """

    file: str | os.PathLike[str] = ""
    limit: float | None = None


NOT_TUNED = TuneRequest()


@dataclass(frozen=True)
class ExportedKernels:
    """Who chooses an export's kernels: for which options, and how."""

    request: TuneRequest
    options: CompileOptions
    table: TunedTable | None = None

    @staticmethod
    def of(
        request: TuneRequest, options: CompileOptions, targets: Sequence[Architecture]
    ) -> ExportedKernels:
        """Options for the device that was measured or will be, which must be one of the targets.

        Raises RoasteryError where it is none, and for what is no table.
        """
        if request.file and request.limit is not None:
            raise RoasteryError("kernels are tuned here, or as a file says: leave one out")
        if request.file:
            table = read_table(request.file)
            where = f"the kernels in {os.fspath(request.file)} were tuned on"
            return ExportedKernels(request, _for(table.target, options, targets, where), table)
        if request.limit is not None:
            device = tuning_backend("").target
            options = _for(device, options, targets, "this machine's GPU is")
        return ExportedKernels(request, options)

    def lowering(
        self,
        graph: Graph,
        values: Mapping[str, int],
        progress: Progress | None,
        note: Callable[[str], None],
    ) -> Lower:
        """Makes kernels of a graph; measures first where that is asked for, and tells of it."""
        if self.request.limit is None:
            return lower_node if self.table is None else TunedLowering(self.table.find)
        from .report import tuning_summary

        backend = tuning_backend("")
        tuner = Tuner(backend, backend.tuned, self.request.limit)
        tune_graph(graph, [values], self.options, tuner, progress or _untold)
        note(f"{backend.target.name}: {tuning_summary(tuner.report)}")
        return TunedLowering(backend.tuned.find)


def _untold(done: int, total: int) -> None:
    """Nobody waits."""


def _for(
    device: Target, options: CompileOptions, targets: Sequence[Architecture], where: str
) -> CompileOptions:
    if device.architecture not in targets:
        named = ", ".join(map(str, targets)) or "no GPU"
        raise RoasteryError(
            f"{where} {device.name}, a {device.architecture}; the targets are {named}",
            hint=f"--target {device.architecture}",
        )
    return replace(options, target=replace(device, layout=options.target.layout))
