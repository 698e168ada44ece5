"""``roastery time``: how long a net takes, layer by layer. Caffe: tools/caffe.cpp, time."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from ..caffe_flags import CAFFE_FLAGS
from ..command import Arguments, Command, Example, Flag, needed
from ..compilation import COMPILATION_FLAGS, requested_compilation
from ..devices import DEVICE_FLAGS, requested_device
from ..log_flags import LOG_FLAGS, log_device, open_log
from ..nets import PYTHON_FLAG, STATE_FLAGS, python_layers, stages
from ..shape_flags import SHAPE_FLAG, shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.logging import CaffeLog
    from runtime.net import PartitionedNet

    from ...bench.layer_costs import LayerCost, NetCosts

    _Timed = tuple[Sequence[LayerCost], LayerCost, float]
    """Of layers, of the net, and milliseconds of all iterations."""

STANDARD_OUTPUT = "-"
"""What --json is without a file."""


def _run(arguments: Arguments) -> None:
    from runtime.backends.speed import speed_of
    from runtime.data.notes import to_log

    from ...bench.layer_costs import NetCosts
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
        net = NetBuilder(backend, options, report, mode, freeze=True).build(request, seed=0).net
        speed = speed_of(backend, net.options)
        peak = speed.operations if speed else 0.0
        measure = _time_layers if net.by_layer else _time_whole
        layers, whole, total = measure(net, arguments.iterations, log, peak)
    _tell(
        NetCosts(
            net.program.name,
            device,
            arguments.phase,
            arguments.iterations,
            layers,
            whole,
            total,
            peak,
        ),
        arguments.json,
    )


def _tell(costs: NetCosts, path: str) -> None:
    """Print the table, or write JSON to standard output instead, or to a file as well."""
    import json

    from ...files.atomic_file import atomic_write

    text = json.dumps(costs.document(), indent=1) + "\n"
    if path == STANDARD_OUTPUT:
        print(text, end="")
        return
    print(costs.table(), end="")
    if path:
        with atomic_write(path, "w") as file:
            file.write(text)


def _time_layers(net: PartitionedNet, iterations: int, log: CaffeLog, peak: float) -> _Timed:
    from runtime.backends.backend import synchronize
    from runtime.logging.command_lines import LayerTime

    from ...bench.layer_costs import LayerCost
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
    total = 1000.0 * (perf_counter() - started)
    each = 1000.0 / iterations
    found = zip(layers, seconds["forward"], seconds["backward"], work_of_parts(net), strict=True)
    costs = [
        LayerCost(layer.name, layer.type, ahead * each, behind * each, *work)
        for layer, ahead, behind, work in found
    ]
    log.layer_times(
        [
            time
            for cost in costs
            for time in (
                LayerTime(cost.layer, "forward", cost.forward, cost.forward_work),
                LayerTime(cost.layer, "backward", cost.backward, cost.backward_work),
            )
        ],
        peak,
    )
    whole = _whole(net, passes["forward"] * each, passes["backward"] * each)
    log.benchmark_ends(whole.forward, whole.backward, total / iterations, total)
    return costs, whole, total


def _time_whole(net: PartitionedNet, iterations: int, log: CaffeLog, peak: float) -> _Timed:
    """Forward alone, then forward and backward in one; a fused backward is never alone."""
    from runtime.backends.backend import synchronize

    log.performing_forward()
    log.initial_loss(net.forward_loss())
    log.performing_backward()
    net.forward_backward()
    synchronize(net.backend)
    log.benchmark_begins(iterations)
    started = perf_counter()
    forward = both = 0.0
    for iteration in range(iterations):
        begin = perf_counter()
        net.forward_loss()
        synchronize(net.backend)
        middle = perf_counter()
        net.forward_backward()
        synchronize(net.backend)
        end = perf_counter()
        forward += middle - begin
        both += end - middle
        log.iteration_time(iteration + 1, _milliseconds(end - middle))
    each = 1000.0 / iterations
    total = 1000.0 * (perf_counter() - started)
    whole = _whole(net, forward * each, max(both - forward, 0.0) * each)
    log.benchmark_ends(whole.forward, whole.backward, both * each, total)
    return (), whole, total


def _whole(net: PartitionedNet, forward: float, backward: float) -> LayerCost:
    from ...bench.layer_costs import LayerCost
    from ...bench.work import work_of_parts

    work = work_of_parts(net)
    ahead, behind = (sum(part[i] for part in work) for i in (0, 1))
    return LayerCost("all", "", forward, backward, ahead, behind)


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
        is measured, by multiply-adds in registers. That log, on standard error, has Caffe's lines
        in the net's order; standard output gets the layers once more, the most expensive first,
        with what each takes of the whole, forward and backward together.

        --fused measures the net as training runs it: compiled as a whole, where layers have no
        time of their own. A net needs no database where --shape gives what its data layers would
        make: they get made-up values of these shapes.
    """,
    flags=(
        Flag("model", "the net", metavar="FILE"),
        Flag("iterations", "how often to run", "int", 50, minimum=1),
        Flag("phase", "the phase to time", default="TRAIN", choices=("TRAIN", "TEST"), empty=True),
        Flag("fused", "time the net compiled as a whole", "bool", False),
        Flag(
            "json",
            "also write the table to a file, as JSON; without a file JSON takes its place on "
            "standard output",
            default="",
            metavar="FILE",
            alone=STANDARD_OUTPUT,
        ),
        SHAPE_FLAG,
        *LOG_FLAGS,
        *STATE_FLAGS,
        PYTHON_FLAG,
        *DEVICE_FLAGS,
        *COMPILATION_FLAGS,
    ),
    examples=(
        Example("roastery time --model=train_val.prototxt --iterations=10", "each layer's time"),
        Example("roastery time --model=deploy.prototxt --phase=TEST --fused", "the whole net's"),
        Example(
            "roastery time --model=train_val.prototxt --shape data=32,3,227,227 --shape label=32",
            "without its database",
        ),
        Example(
            "roastery time --model=train_val.prototxt --iterations=10 --json=times.json "
            "2>/dev/null",
            "only the layers by their cost, and the numbers for a program",
        ),
    ),
    accepts=CAFFE_FLAGS,
    run=_run,
)
