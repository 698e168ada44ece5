"""``roastery.compile``: a net as a callable."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from runtime.python.own_exceptions import own_exceptions
from runtime.python.permission import python_allowed

from ..building import NetBuilder, NetRequest
from ..building.logger import logger_log, logger_report
from ..devices.backends import choose_device, open_backend
from ..devices.compile_options import CompileRequest, Passes, compile_options
from ..reading import nets
from ..weights.parameters import WeightsFile
from .executable import Executable
from .input_shapes import check_input_shapes


@own_exceptions()
def compile(
    net: nets.NetSource,
    weights: str | os.PathLike[str] | None = None,
    phase: str = "TEST",
    device: str | None = None,
    *,
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    observe: Sequence[str] = (),
    seed: int = 0,
    freeze: bool = False,
    precision: str | None = None,
    passes: Passes = None,
    layout: str | None = None,
    threads: int | None = None,
    memory_budget: str | int | None = None,
    allow_python: bool | None = None,
    dialect: str | None = None,
) -> Executable:
    """Compile a net.

    Args:
        net: a prototxt file (old forms are upgraded), or a NetParameter message.
        weights: a .caffemodel or .caffemodel.h5 to copy parameters from, by layer name.
        phase: "TEST" or "TRAIN".
        device: ``reference``, ``cpu``, ``cuda[:N]`` or ``interpret``; default: CUDA where there is
            one, else the CPU.
        shapes: input shapes that replace those of the prototxt.
        observe: inner blobs to return besides the outputs: names, or one name.
        seed: of fillers and dropout.
        freeze: parameters will not change any more: BatchNorm and Scale are folded into weights
            on the first call, and later edits of ``parameters`` do not count. What no later call
            reads leaves memory, and is read from ``weights`` again where somebody asks for it: the
            file stays open, and may be renamed, replaced or removed, but not written into.
        precision: how exact numbers are: "float32", "tf32", "bfloat16", "float16" or "ieee"
            (`roastery help precision`); default: ROASTERY_PRECISION, else "float32".
        passes: the passes to run, in order: "simplify,fuse", a list of names, or "none"; default:
            ROASTERY_PASSES, else those that suit the device. With passes named, and on
            ``reference``, nothing is frozen.
        layout: in which order of memory kernels compute images: "row-major",
            "channels-last" or "channels-by-N"; results are the same; default: ROASTERY_LAYOUT,
            else what suits the device.
        threads: how many run the net on the CPU; default: ROASTERY_THREADS, else OMP_NUM_THREADS,
            else as many as there are processors. Results are the same.
        memory_budget: how much memory a pass may need at one time: bytes, or "3.5GiB"; where what
            is fastest needs more, backward computes values again (`roastery help memory`). "none":
            even on GPUs it computes nothing again. Results are the same; default:
            ROASTERY_MEMORY_BUDGET, else as much as what is fastest needs, or nearly so.
        allow_python: Python layers may import modules that are neither installed nor on PYTHONPATH,
            from the working directory and the prototxt's; default: ROASTERY_PYTHON_LAYERS, else no.
        dialect: the fork whose text the net is, where forks differ (`roastery help forks`):
            "nvcaffe"; default: ROASTERY_DIALECT, else Caffe.

    What was ignored or upgraded in the net, and layers of the weights that the net lacks, go to the
    logger "roastery" at level INFO; what may be a mistake (names that repeat) as WARNING.

    Raises RoasteryError for every mistake in the files, with its place.
    """
    message = nets.read_net(net, dialect)
    request = NetRequest(
        message,
        nets.net_state(message, phase, level, stages),
        shapes or {},
        allow_python=python_allowed(allow_python),
    )
    backend = open_backend(choose_device(device))
    report = logger_report()
    asked = CompileRequest(precision, passes, layout, threads=threads, memory_budget=memory_budget)
    options = compile_options(backend, asked, report.note)
    stored = None if weights is None else WeightsFile(weights)
    built = NetBuilder(backend, options, report, freeze=freeze).build(
        request,
        seed,
        observe=[observe] if isinstance(observe, str) else observe,
        given=stored.gives if stored else None,
    )
    check_input_shapes("shapes", request.shapes, built.net.inputs.shapes)
    if stored is not None:
        stored.load(built.program, built.store, logger_log(), again=freeze)
    return Executable(built.net)
