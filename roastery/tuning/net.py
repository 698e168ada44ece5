"""Tunes the kernels of a lowered net, at one or several batch sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compiler.options import CompileOptions
from compiler.partitions import in_one
from frontends.lowering.input_sizes import BATCH
from ir.errors import RoasteryError
from ir.graph import Graph
from ir.printable import printable
from ir.program import NetProgram
from ir.size import Evaluation
from runtime.cuda.backend import CudaBackend

from ..devices.backends import choose_device, open_backend
from .groups import tunable_groups
from .tuner import Told, Tuner


def tuning_backend(device: str) -> CudaBackend:
    """The GPU to measure on. Raises RoasteryError where a device is none, or not there."""
    name = _device(device or "cuda")
    backend = open_backend(name)
    if not isinstance(backend, CudaBackend):
        raise RoasteryError(
            f"device {name} has nothing to tune: tiles and splits are tuned of GPU kernels",
            hint="--device cuda; kernels for CPUs are chosen by sizes and caches alone",
        )
    return backend


def _device(name: str) -> str:
    try:
        return choose_device(name)
    except RoasteryError as error:
        if not name.startswith("cuda"):
            raise
        raise RoasteryError(
            f"tuning measures kernels on a GPU: {error.message}",
            hint="tune where there is one, with --output FILE, and use that elsewhere: "
            "`roastery export --tuned FILE`, ROASTERY_TUNED=FILE",
        ) from None


def tune_program(
    program: NetProgram,
    options: CompileOptions,
    tuner: Tuner,
    told: Told,
    *,
    backward: bool | None = None,
    batches: Sequence[int] = (),
) -> None:
    """Tune what `train` runs of a net, or what `test` and `export` do.

    Args:
        backward: with backward; None: in phase TRAIN, where there is a loss and something to learn.
        batches: sizes of the batch; none: that of the net.

    Raises RoasteryError for a batch size that the net cannot have.
    """
    _, graph = in_one(program, options, backward)
    tune_graph(graph, list(_values(program, batches)), options, tuner, told)


def tune_graph(
    graph: Graph,
    values: Sequence[Mapping[str, int]],
    options: CompileOptions,
    tuner: Tuner,
    told: Told,
) -> None:
    """Likewise, of a graph before its passes. ``values``: of the symbols of its sizes."""
    for each in values:
        tuner.tune(tunable_groups(graph, each, options), told)


def _values(program: NetProgram, batches: Sequence[int]) -> Iterator[Mapping[str, int]]:
    """What the symbols are at each batch size."""
    if not batches:
        yield program.values
    for batch in dict.fromkeys(batches):
        values = {**program.values, BATCH: batch}
        if BATCH not in program.values or program.sizes is None:
            raise RoasteryError(
                f"--batch {batch}: the batch size of this net is fixed",
                hint="give the shapes of its inputs: --shape data=8,3,224,224",
            )
        failing = Evaluation(values).failing(program.sizes.scope.conditions)
        if failing is not None:
            raise RoasteryError(
                f"--batch {batch}: layer '{printable(failing.place.layer)}' ({failing.layer_type}) "
                f"needs {failing}",
                location=failing.place,
                hint="give the shapes of its inputs: --shape data=8,3,224,224",
            )
        yield values
