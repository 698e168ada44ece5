"""``roastery time``: how long a net takes, layer by layer. Caffe: tools/caffe.cpp, time."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag
from ..devices import DEVICE_FLAGS, PRECISION_FLAG, requested_device
from ..nets import (
    LOG_FLAGS,
    PYTHON_FLAG,
    SHAPE_FLAG,
    STATE_FLAGS,
    log_device,
    needed,
    open_log,
    python_layers,
    shapes,
    stages,
)
from ..passes import (
    FUEL_FLAG,
    LAYOUT_FLAG,
    MEMORY_BUDGET_FLAG,
    PASSES_FLAG,
    THREADS_FLAG,
    requested_compilation,
)

if TYPE_CHECKING:
    from runtime.backends.backend import Backend
    from runtime.logging import CaffeLog
    from runtime.net import PartitionedNet
    from runtime.solver.nets import RunnableNet


def _run(arguments: Arguments) -> None:

    from runtime.data.notes import to_log

    from ...building import ExecutionMode, LogReport, NetBuilder, NetRequest
    from ...devices.backends import choose_device, open_backend
    from ...devices.compile_options import compile_options, precision_hint
    from ...reading import nets

    model = needed(arguments, "model", "the net to time")
    device = choose_device(requested_device(arguments))
    with open_log(arguments) as log:
        log_device(log, device, "time")
        message = nets.read_net(model)
        request = NetRequest(
            message,
            nets.net_state(message, arguments.phase, arguments.level, stages(arguments)),
            shapes(arguments),
            assume="given",
            allow_python=python_layers(arguments),
        )
        mode: ExecutionMode = "fused" if arguments.fused else "layerwise"
        backend, report = open_backend(device), LogReport(log, to_log(log))
        asked = requested_compilation(arguments)
        options = compile_options(backend, asked, report.note)
        if hint := precision_hint(options, asked):
            log.note(hint)
        built = NetBuilder(backend, options, report, mode, freeze=True).build(request, seed=0)
        if built.net.by_layer:
            _time_layers(built.net, arguments.iterations, log)
        else:
            _time_whole(built.net, backend, arguments.iterations, log)


def _time_layers(net: PartitionedNet, iterations: int, log: CaffeLog) -> None:
    from runtime.backends.backend import synchronize
    from runtime.backends.speed import speed_of
    from runtime.logging.command_lines import LayerTime

    from ...bench.work import work_of_parts

    log.performing_forward()
    log.initial_loss(net.forward_loss())
    log.performing_backward()
    net.backward()
    synchronize(net.backend)
    log.benchmark_begins(iterations)
    layers = net.program.layers
    seconds = {"forward": [0.0] * len(layers), "backward": [0.0] * len(layers)}
    passes = {"forward": 0.0, "backward": 0.0}
    started = perf_counter()
    for iteration in range(iterations):
        begin = perf_counter()
        for number in range(len(layers)):
            before = perf_counter()
            net.forward(number, number)
            synchronize(net.backend)
            seconds["forward"][number] += perf_counter() - before
        middle = perf_counter()
        for number in reversed(range(len(layers))):
            before = perf_counter()
            net.backward(number, number)
            synchronize(net.backend)
            seconds["backward"][number] += perf_counter() - before
        end = perf_counter()
        passes["forward"] += middle - begin
        passes["backward"] += end - middle
        log.iteration_time(iteration + 1, _milliseconds(end - begin))
    total = perf_counter() - started
    each = 1000.0 / iterations
    speed = speed_of(net.backend, net.options)
    found = zip(layers, seconds["forward"], seconds["backward"], work_of_parts(net), strict=True)
    log.layer_times(
        [
            time
            for layer, ahead, behind, work in found
            for time in (
                LayerTime(layer.name, "forward", ahead * each, work[0]),
                LayerTime(layer.name, "backward", behind * each, work[1]),
            )
        ],
        speed.operations if speed else 0.0,
    )
    log.benchmark_ends(
        passes["forward"] * each, passes["backward"] * each, total * each, total * 1000.0
    )


def _time_whole(net: RunnableNet, backend: Backend, iterations: int, log: CaffeLog) -> None:
    """Forward alone, then forward and backward in one; a fused backward is never alone."""
    from runtime.backends.backend import synchronize

    log.performing_forward()
    log.initial_loss(net.forward_loss())
    log.performing_backward()
    net.forward_backward()
    synchronize(backend)
    log.benchmark_begins(iterations)
    started = perf_counter()
    forward = both = 0.0
    for iteration in range(iterations):
        begin = perf_counter()
        net.forward_loss()
        synchronize(backend)
        middle = perf_counter()
        net.forward_backward()
        synchronize(backend)
        end = perf_counter()
        forward += middle - begin
        both += end - middle
        log.iteration_time(iteration + 1, _milliseconds(end - middle))
    each = 1000.0 / iterations
    total = 1000.0 * (perf_counter() - started)
    log.benchmark_ends(forward * each, max(both - forward, 0.0) * each, both * each, total)


def _milliseconds(seconds: float) -> float:
    """Caffe shows whole milliseconds; tenths tell more of fast nets."""
    return round(seconds * 1000.0, 1)


COMMAND = Command(
    name="time",
    summary="Measure a net's speed, layer by layer",
    group="Nets",
    description="""
        Runs forward and backward some times and shows the mean time of each layer and of the whole
        net, in milliseconds; of layers that multiply (convolutions, InnerProduct, LSTM) also
        GFLOP/s, and how much that is of what the device can do, where that is known: on a CPU it
        is measured, by multiply-adds in registers. --fused measures the net as training runs it:
        compiled as a whole, where layers have no time of their own. A net needs no database where
        --shape gives what its data layers would make: they get made-up values of these shapes.
    """,
    flags=(
        Flag("model", "the net", metavar="FILE"),
        Flag("iterations", "how often to run", "int", 50, minimum=1),
        Flag("phase", "the phase to time", default="TRAIN", choices=("TRAIN", "TEST")),
        Flag("fused", "time the net compiled as a whole", "bool", False),
        SHAPE_FLAG,
        *LOG_FLAGS,
        *STATE_FLAGS,
        PYTHON_FLAG,
        *DEVICE_FLAGS,
        PRECISION_FLAG,
        PASSES_FLAG,
        FUEL_FLAG,
        LAYOUT_FLAG,
        MEMORY_BUDGET_FLAG,
        THREADS_FLAG,
    ),
    examples=(
        Example("roastery time --model=train_val.prototxt --iterations=10", "each layer's time"),
        Example("roastery time --model=deploy.prototxt --phase=TEST --fused", "the whole net's"),
        Example(
            "roastery time --model=train_val.prototxt --shape data=32,3,227,227 --shape label=32",
            "without its database",
        ),
    ),
    run=_run,
)
