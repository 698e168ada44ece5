"""``roastery test``: score a net. Caffe: tools/caffe.cpp, test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag
from ..devices import DEVICE_FLAGS, PRECISION_FLAG, requested_device
from ..nets import (
    LOG_FLAGS,
    PYTHON_FLAG,
    STATE_FLAGS,
    WEIGHTS_HELP,
    log_device,
    needed,
    open_log,
    python_layers,
    stages,
)
from ..passes import (
    FUEL_FLAG,
    LAYOUT_FLAG,
    PASSES_FLAG,
    THREADS_FLAG,
    requested_compilation,
)

if TYPE_CHECKING:
    from runtime.logging import CaffeLog
    from runtime.solver.nets import RunnableNet


def _run(arguments: Arguments) -> None:
    from runtime.data.notes import to_log

    from ...building import LogReport, NetBuilder, NetRequest
    from ...devices.backends import choose_device, open_backend
    from ...devices.compile_options import compile_options, precision_hint
    from ...reading import nets
    from ...training.solvers import weight_files
    from ...weights.parameters import WeightsFile, load_weights

    model = needed(arguments, "model", "the net to score")
    weights = needed(arguments, "weights", "the weights to score the net with")
    device = choose_device(requested_device(arguments))
    with open_log(arguments) as log:
        log_device(log, device, "test")
        message = nets.read_net(model)
        state = nets.net_state(message, "TEST", arguments.level, stages(arguments))
        request = NetRequest(message, state, allow_python=python_layers(arguments))
        backend, report = open_backend(device), LogReport(log, to_log(log))
        asked = requested_compilation(arguments)
        options = compile_options(backend, asked, report.note)
        if hint := precision_hint(options, asked):
            log.note(hint)
        first, *others = weight_files(weights)
        stored = WeightsFile(first)
        builder = NetBuilder(backend, options, report, freeze=True)
        built = builder.build(request, seed=0, given=stored.gives)
        stored.load(built.program, built.store, log, again=True)
        for path in others:
            load_weights(path, built.program, built.store, log, again=True)
        log.running_for(arguments.iterations)
        _score(built.net, arguments.iterations, log)


def _score(net: RunnableNet, iterations: int, log: CaffeLog) -> None:
    import numpy as np

    from runtime.solver.means import OutputMean
    from runtime.solver.nets import net_outputs

    sums: list[tuple[str, OutputMean, float]] = []
    loss = np.float32(0)
    for batch in range(iterations):
        loss += np.float32(net.forward_loss())
        for index, output in enumerate(net_outputs(net)):
            for value in np.asarray(output.values, np.float32):
                log.batch_output(batch, output.name, value)
            if batch == 0:
                sums.append((output.name, OutputMean(), output.loss_weight))
            sums[index][1].add(output.values)
    log.mean_loss(loss / np.float32(iterations))
    for name, mean, weight in sums:
        for value in np.asarray(mean.values, np.float32):
            log.mean_output(name, value, weight)


COMMAND = Command(
    name="test",
    summary="Score a net with trained weights",
    group="Nets",
    description="""
        Runs the net's TEST phase over some batches and shows its outputs (accuracy, loss), batch by
        batch and on average.
    """,
    flags=(
        Flag("model", "the net", metavar="FILE"),
        Flag("weights", WEIGHTS_HELP, metavar="FILE"),
        Flag("iterations", "how many batches to run", "int", 50, minimum=1),
        *LOG_FLAGS,
        *STATE_FLAGS,
        PYTHON_FLAG,
        *DEVICE_FLAGS,
        PRECISION_FLAG,
        PASSES_FLAG,
        FUEL_FLAG,
        LAYOUT_FLAG,
        THREADS_FLAG,
    ),
    examples=(
        Example(
            "roastery test --model=lenet_train_test.prototxt --weights=lenet_iter_10000.caffemodel "
            "--iterations=100",
            "the mean accuracy over 100 batches",
        ),
    ),
    run=_run,
)
