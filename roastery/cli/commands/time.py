"""``roastery time``: how long a net takes, layer by layer. Caffe: tools/caffe.cpp, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..caffe_flags import CAFFE_FLAGS
from ..command import Arguments, Command, Example, Flag, needed
from ..compilation import COMPILATION_FLAGS, requested_compilation
from ..devices import DEVICE_FLAGS, requested_device
from ..log_flags import LOG_FLAGS, log_device, open_log
from ..nets import PYTHON_FLAG, STATE_FLAGS, python_layers, stages
from ..say import STANDARD_OUTPUT
from ..shape_flags import SHAPE_FLAG, shapes

if TYPE_CHECKING:
    from ...bench.layer_costs import NetCosts


def _run(arguments: Arguments) -> None:
    from runtime.backends.speed import speed_of
    from runtime.data.notes import to_log

    from ...bench.layer_costs import NetCosts
    from ...bench.net_times import time_layers, time_whole
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
        measure = time_layers if net.by_layer else time_whole
        times = measure(net, arguments.iterations, log, peak)
    _tell(
        NetCosts(
            net.program.name,
            device,
            arguments.phase,
            arguments.iterations,
            times.layers,
            times.whole,
            times.total,
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
