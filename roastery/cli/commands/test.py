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
    from frontends.prototxt import Message
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
        _score(built.net, arguments.iterations, log, _judged(message), arguments.ap_version)


def _judged(net: Message) -> set[str]:
    """The blobs that say of detections whether they are right."""
    from frontends.lowering.known_layers import layer_types

    types = layer_types()
    judges = [m for m in net.layer if m.type in types and types[m.type].judges_detections]
    return {top for layer in judges for top in layer.top}


def _score(
    net: RunnableNet, iterations: int, log: CaffeLog, judged: set[str], version: str
) -> None:
    """Run the net and tell its outputs.

    Args:
        judged: outputs whose rows say of detections whether they are right: of these the mean
            average precision is told, since rows differ from batch to batch and have no mean.
        version: of the average precision.
    """
    import numpy as np

    from runtime.solver.average_precision import WIDTH, DetectionScores, mean_precision
    from runtime.solver.means import OutputMean
    from runtime.solver.nets import net_outputs

    scores: dict[str, DetectionScores] = {}
    sums: list[tuple[str, OutputMean, float]] = []
    loss = np.float32(0)
    for batch in range(iterations):
        loss += np.float32(net.forward_loss())
        outputs = []
        for output in net_outputs(net):
            if output.name in judged:
                rows = np.asarray(output.values, np.float32).reshape(-1, WIDTH)
                scores.setdefault(output.name, DetectionScores()).add(rows)
            else:
                outputs.append(output)
        for index, output in enumerate(outputs):
            for value in np.asarray(output.values, np.float32):
                log.batch_output(batch, output.name, value)
            if batch == 0:
                sums.append((output.name, OutputMean(), output.loss_weight))
            sums[index][1].add(output.values)
    log.mean_loss(loss / np.float32(iterations))
    for name, mean, weight in sums:
        for value in np.asarray(mean.values, np.float32):
            log.mean_output(name, value, weight)
    for name, found in scores.items():
        precisions = found.precisions(version)
        for label, precision in precisions.items():
            if precision is None:
                log.nothing_detected(label)
            else:
                log.class_precision(label, precision)
        log.mean_output(name, mean_precision(precisions))


COMMAND = Command(
    name="test",
    summary="Score a net with trained weights",
    group="Nets",
    description="""
        Runs the net's TEST phase over some batches and shows its outputs (accuracy, loss), batch by
        batch and on average. Of a DetectionEvaluate layer (SSD) it shows the average precision of
        each class, and their mean.
    """,
    flags=(
        Flag("model", "the net", metavar="FILE"),
        Flag("weights", WEIGHTS_HELP, metavar="FILE"),
        Flag("iterations", "how many batches to run", "int", 50, minimum=1),
        Flag(
            "ap_version",
            "how the average precision of detections is computed, as in a solver file: 11point is "
            "VOC 2007's, MaxIntegral that of VOC 2012",
            choices=("11point", "MaxIntegral", "Integral"),
            default="Integral",
        ),
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
        Example(
            "roastery test --model=ssd_test.prototxt --weights=ssd_iter_4000.caffemodel "
            "--iterations=10 --ap_version=11point",
            "the mean average precision of an SSD",
        ),
    ),
    run=_run,
)
