"""``roastery tune``: measure which kernels of a net are fastest on the GPU that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional
from ..compilation import FUEL_FLAG, LAYOUT_FLAG, PASSES_FLAG, PRECISION_FLAG, requested_compilation
from ..nets import BACKWARD_FLAG, PYTHON_FLAG, STATE_FLAGS, net_alone
from ..say import say, say_note
from ..shape_flags import SHAPE_FLAG
from ..tuning import TIME_LIMIT_FLAG

if TYPE_CHECKING:
    from ...tuning.tuner import Tuner


def _run(arguments: Arguments) -> None:
    from ...building import BuildReport, lower_net
    from ...devices.compile_options import compile_options
    from ...tuning.net import tune_program, tuning_backend
    from ...tuning.report import tuned_table, tuning_summary
    from ...tuning.tuner import Tuner
    from ..progress import progress_bar

    backend = tuning_backend(arguments.device)
    lowered = lower_net(net_alone(arguments), BuildReport(say_note, say_note))
    options = compile_options(backend, requested_compilation(arguments), say_note)
    tuner = Tuner(backend, backend.tuned, arguments.time_limit, arguments.again)
    try:
        with progress_bar(f"tuning on {backend.target.name}") as draw:
            tune_program(
                lowered.program,
                options,
                tuner,
                draw,
                backward=arguments.backward,
                batches=arguments.batch,
            )
    finally:  # also of what Ctrl-C or a failure ended: what was found is kept
        print(tuned_table(tuner.report), end="")
        say(f"{backend.target.name}, {options.precision}: {tuning_summary(tuner.report)}")
        if arguments.output:
            _write(tuner, arguments.output)


def _write(tuner: Tuner, path: str) -> None:
    tuner.table.write(path)
    count = len(tuner.report.entries)
    say(f"wrote {path}: {count} choice{'s' if count != 1 else ''}")


COMMAND = Command(
    name="tune",
    summary="Measure which kernels of a net are fastest, and keep that",
    group="Compiling",
    description=(
        "(To find the settings with which a net trains best, see `roastery tune_solver`.) "
        "Kernels can be cut into tiles of several sizes, and deep sums into parts. Which way is "
        "fastest a cost model predicts (`roastery help performance`); this command measures it, on "
        "the GPU "
        "that is there: of each kernel the six ways that the model likes best, compiled, run on "
        "random numbers and timed by events of the device, each time with cold caches; the median "
        "counts. The kernels that are predicted to take longest are first. What was best is kept "
        "in the cache folder at once, for this device and driver, and whatever is compiled for it "
        "from then on uses it, where it computes the same on the same sizes. Results may then "
        "differ in their last bits, as with another tile sums are added in another order.\n\n"
        "Ctrl-C, or the end of --time-limit, lose nothing: the next call goes on with what is not "
        "measured yet. Which kernels those are depends on the net, its batch and image size, on "
        "the precision and on the phase: as for `compile` a net with a loss is tuned for `train`, "
        "and with --phase TEST, or without a loss, for `test` and `export`. No data need be "
        "there.\n\n"
        "--output writes the choices of this net to a file, to be shipped: `roastery export "
        "--tuned FILE` uses it where there is no GPU, and ROASTERY_TUNED=FILE does so for all "
        "commands and scripts that run nets on a GPU. A choice whose kernel has changed since, or "
        "that is none any more, is passed by. Two calls at a "
        "time measure in turn."
    ),
    positionals=(Positional("net", "a prototxt"),),
    flags=(
        Flag(
            "device",
            "cuda, or cuda:N; without it the first GPU",
            default="",
            metavar="DEVICE",
        ),
        Flag("phase", "TRAIN or TEST", default="TRAIN", choices=("TRAIN", "TEST")),
        BACKWARD_FLAG,
        Flag(
            "batch",
            "a batch size to tune for, instead of the net's own; may be repeated",
            "int",
            repeated=True,
            default=(),
            minimum=1,
            metavar="N",
        ),
        TIME_LIMIT_FLAG,
        Flag("again", "measure what was measured before, too", "bool", False),
        Flag("output", "also write the choices of this net to a file", default="", metavar="FILE"),
        SHAPE_FLAG,
        PRECISION_FLAG,
        PASSES_FLAG,
        FUEL_FLAG,
        LAYOUT_FLAG,
        *STATE_FLAGS,
        PYTHON_FLAG,
    ),
    examples=(
        Example("roastery tune train_val.prototxt", "for training, at the net's own batch size"),
        Example(
            "roastery tune deploy.prototxt --batch 1 --batch 64", "for inference, at two sizes"
        ),
        Example(
            "roastery tune deploy.prototxt --precision tf32 --time-limit 120 --output net.tuned",
            "in two minutes at most, and write a file to ship",
        ),
        Example(
            "roastery export deploy.prototxt --weights net.caffemodel --output net.roast "
            "--target cuda:sm_90 --precision tf32 --tuned net.tuned",
            "use it, anywhere",
        ),
    ),
    run=_run,
)
