"""``roastery test``: score a net. Caffe: tools/caffe.cpp, test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..caffe_flags import CAFFE_FLAGS
from ..command import Arguments, Command, Example, Flag, UsageError, needed
from ..compilation import (
    FUEL_FLAG,
    LAYOUT_FLAG,
    PASSES_FLAG,
    PRECISION_FLAG,
    THREADS_FLAG,
    requested_compilation,
)
from ..devices import DEVICE_FLAGS, requested_device
from ..log_flags import LOG_FLAGS, log_device, open_log
from ..nets import PYTHON_FLAG, STATE_FLAGS, WEIGHTS_HELP, python_layers, stages
from ..say import STANDARD_OUTPUT, say

if TYPE_CHECKING:
    from frontends.prototxt import Message

    from ...tools.confusion import Confusion

_ENDINGS = ("csv", "json")


def _run(arguments: Arguments) -> None:
    from runtime.data.notes import to_log

    from ...building import LogReport, NetBuilder, NetRequest
    from ...devices.backends import choose_device, open_backend
    from ...devices.compile_options import compile_options, precision_hint
    from ...reading import nets
    from ...tools.score_batches import score_batches
    from ...tools.scores import adding_up, scores
    from ...training.solvers import weight_files
    from ...weights.parameters import WeightsFile, load_weights

    model = needed(arguments, "model", "the net to score")
    weights = needed(arguments, "weights", "the weights to score the net with")
    if arguments.confusion not in ("", STANDARD_OUTPUT) and _ending(arguments) not in _ENDINGS:
        raise UsageError(f"--confusion={arguments.confusion}: its name must end in .csv or .json")
    device = choose_device(requested_device(arguments))
    with open_log(arguments) as log:
        log_device(log, device, "test")
        message = adding_up(nets.read_net(model))
        state = nets.net_state(message, "TEST", arguments.level, stages(arguments))
        confusion = None
        if arguments.confusion:
            message, confusion = _confusion(arguments, message, state)
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
        found = scores(built.program, built.store, arguments.ap_version)
        score_batches(built.net, arguments.iterations, log, found, confusion)
    if confusion is not None:
        _tell(confusion, arguments)


def _confusion(arguments: Arguments, net: Message, state: Message) -> tuple[Message, Confusion]:
    """The net, which also puts out what a confusion matrix is made of."""
    from ...building import BuildReport, NetRequest, lower_net
    from ...tools.confusion import Confusion
    from ...tools.scored_classes import scored_layer, with_outputs
    from ..class_names import class_names

    request = NetRequest(net, state, allow_python=python_layers(arguments))
    # What there is to say of the net is said when it is built.
    program = lower_net(request, BuildReport.silent()).layers.program
    layer = scored_layer(program, arguments.confusion_layer)
    made, scored = with_outputs(net, state, layer)
    return made, Confusion(scored, class_names(arguments.labels))


def _ending(arguments: Arguments) -> str:
    return str(arguments.confusion).rpartition(".")[2].lower()


def _tell(confusion: Confusion, arguments: Arguments) -> None:
    """Print the matrix, and write it to a file."""
    from ...files.atomic_file import atomic_write

    print(confusion.text(), end="")
    if arguments.confusion != STANDARD_OUTPUT:
        text = confusion.as_csv() if _ending(arguments) == "csv" else confusion.as_json()
        with atomic_write(arguments.confusion, "w") as file:
            file.write(text)
        say(f"wrote {arguments.confusion}")


COMMAND = Command(
    name="test",
    summary="Score a net with trained weights",
    group="Nets",
    description="""
        Runs the net's TEST phase over some batches and shows its outputs (accuracy, loss), batch by
        batch and on average. Of a DetectionEvaluate layer (SSD) it shows the average precision of
        each class, and their mean; of a SegmentationEvaluate layer (MobileNet-YOLO) the mean
        intersection over union of each class over pictures that have it, and their mean; and of a
        SegAccuracy layer (PSPNet) what all pixels of all batches come to: intersection over union
        by class, the share of right pixels, and means over classes that occur.

        --confusion prints on standard output what positions of each class were taken for: the
        class with the highest score, the first of equal ones. It does so for up to 8192 classes.
    """,
    flags=(
        Flag("model", "the net", metavar="FILE"),
        Flag("weights", WEIGHTS_HELP, metavar="FILE"),
        Flag("iterations", "how many batches to run", "int", 50, minimum=1),
        Flag(
            "confusion",
            "print how often each class is taken for which, and the accuracy of each; also write "
            "that to a .csv or .json file, if one is named",
            default="",
            metavar="FILE",
            alone=STANDARD_OUTPUT,
        ),
        Flag(
            "confusion_layer",
            "the layer whose bottoms, scores and labels, count for that; without it the last "
            "Accuracy or the like, else the last loss",
            default="",
            metavar="NAME",
        ),
        Flag("labels", "names of classes: one a line, class 0 first", default="", metavar="FILE"),
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
        Example(
            "roastery test --model=train_test.prototxt --weights=net.caffemodel "
            "--confusion=confusion.csv --labels=synset_words.txt",
            "which classes are taken for which",
        ),
    ),
    accepts=CAFFE_FLAGS,
    run=_run,
)
