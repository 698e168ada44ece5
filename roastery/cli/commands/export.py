"""``roastery export``: write a net with its weights as one deployable file."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag
from ..devices import PRECISION_FLAG
from ..nets import PYTHON_FLAG, SHAPE_FLAG, STATE_FLAGS, needed, python_layers, shapes, stages
from ..passes import LAYOUT_FLAG, PASSES_FLAG
from ..say import say


def _run(arguments: Arguments) -> None:
    from ...api.exporting import export_net
    from ..progress import progress_bar

    model = needed(arguments, "model", "the net to export")
    output = needed(arguments, "output", "where to write the artifact")
    with progress_bar("compiling kernels") as draw:
        made = export_net(
            model,
            arguments.weights or None,
            output,
            arguments.target or ["cpu"],
            phase=arguments.phase,
            level=arguments.level,
            stages=stages(arguments),
            shapes=shapes(arguments),
            precision=arguments.precision,
            passes=arguments.passes,
            layout=arguments.layout,
            progress=draw,
            allow_python=python_layers(arguments),
        )
    kernels = f", {made.kernels} kernels ({made.options})" if made.kernels else ""
    say(f"wrote {output}: {', '.join(made.targets)}{kernels}, {made.nbytes:,} bytes")
    if not arguments.weights:
        say("note: no --weights given, the parameters are what the fillers made")


COMMAND = Command(
    name="export",
    summary="Write a net and its weights as one file that runs anywhere",
    group="Deploying",
    description=(
        "The file (a zip) holds the optimised graph as text, the weights as safetensors, and for "
        "GPU targets the launch plan and compiled kernels. `roastery run` and roastery.load run "
        "it without a prototxt, a parser or a compiler. No GPU is needed to export for one."
    ),
    flags=(
        Flag("model", "a prototxt, usually the deploy form", metavar="FILE"),
        Flag("weights", "a .caffemodel or .caffemodel.h5", default="", metavar="FILE"),
        Flag("output", "the file to write, usually NAME.roast", default="", metavar="FILE"),
        Flag(
            "target",
            "cpu, or cuda:sm_80,sm_90 ... (may be repeated; default: cpu)",
            repeated=True,
            default=(),
            metavar="TARGET",
        ),
        Flag("phase", "TRAIN or TEST", default="TEST", choices=("TRAIN", "TEST")),
        PRECISION_FLAG,
        PASSES_FLAG,
        LAYOUT_FLAG,
        SHAPE_FLAG,
        *STATE_FLAGS,
        PYTHON_FLAG,
    ),
    examples=(
        Example(
            "roastery export --model deploy.prototxt --weights net.caffemodel --output net.roast",
            "for the CPU",
        ),
        Example(
            "roastery export --model deploy.prototxt --weights net.caffemodel --output net.roast "
            "--target cuda:sm_80,sm_90 --target cpu",
            "for two generations of GPUs (newer ones use the PTX inside) and the CPU",
        ),
    ),
    run=_run,
)
