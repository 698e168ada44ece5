"""``roastery build``: a net with its weights as one program."""

from __future__ import annotations

from ..baselines import BASELINES
from ..command import Arguments, Command, Example, Flag, Positional, needed
from ..compilation import LAYOUT_FLAG, PASSES_FLAG, PRECISION_FLAG
from ..exported import net_to_export, say_fixed_shapes, say_pictures, say_without_weights
from ..nets import DEPLOY_FLAG, PYTHON_FLAG, STATE_FLAGS, python_layers, stages
from ..picture_rules import PICTURE_FLAGS, picture_rules
from ..say import say
from ..shape_flags import SHAPE_FLAG, shapes


def _run(arguments: Arguments) -> None:
    from ir.printable import printable

    from ...api.build import build_executable
    from ...devices.compiling import CompilingNote

    made = build_executable(
        net_to_export(arguments, "the net to build"),
        arguments.weights or None,
        needed(arguments, "output", "where to write the program"),
        phase=arguments.phase,
        level=arguments.level,
        stages=stages(arguments),
        shapes=shapes(arguments),
        precision=arguments.precision,
        passes=arguments.passes,
        layout=arguments.layout,
        allow_python=python_layers(arguments),
        cpu_baseline=arguments.cpu_baseline,
        pictures=picture_rules(arguments),
        deploy=arguments.deploy,
        progress=CompilingNote("compiling the program, which takes longer the larger the net is"),
    )
    cpus = ", ".join(made.baselines)
    say(f"wrote {made.path}: a program for {cpus}, {made.kernels} kernels, {made.nbytes:,} bytes")
    say_pictures(made)
    say_fixed_shapes(made, "--shape builds others")
    first = next(iter(made.fixed.values()), (1,))
    if made.takes_pictures and len(made.fixed) == 1 and first[0] > 1:
        one = ",".join(map(str, (1, *first[1:])))
        say(
            f"note: each picture takes as long as {first[0]}; faster: "
            f"--shape {printable(next(iter(made.fixed)))}={one}"
        )
    if not arguments.weights:
        say_without_weights()


COMMAND = Command(
    name="build",
    summary="Make a program of a net and its weights",
    group="Deploying",
    description=(
        "The program is one file with the weights inside. It reads pictures and tells the best "
        "classes, or the objects in them, as `roastery run` does, and needs neither Python nor "
        "Roastery: `./classify --help` tells the rest. It is what `roastery export --target c` "
        "writes, compiled: by the C compiler that is found here (CC, gcc, clang), and for CPUs of "
        "another kind by Zig's (`pip install ziglang`). It runs at the shapes that it was built "
        "with.\n\n"
        "Without flags that say how pictures become the net's input, its data layer decides; a net "
        "without one gets them scaled to its size, blue, green, red, from 0 to 255."
    ),
    positionals=(Positional("net", "the same as --model", required=False),),
    flags=(
        Flag("model", "a prototxt, usually the deploy form", metavar="FILE"),
        Flag("weights", "a .caffemodel or .caffemodel.h5", default="", metavar="FILE"),
        Flag("output", "the program to write", default="", metavar="FILE"),
        Flag(
            "cpu_baseline",
            f"for which CPUs: {BASELINES}, one of them; without it the one that has the vectors of "
            "this CPU",
            repeated=True,
            default=(),
            metavar="NAME",
        ),
        *PICTURE_FLAGS,
        Flag("phase", "TRAIN or TEST", default="TEST", choices=("TRAIN", "TEST")),
        PRECISION_FLAG,
        PASSES_FLAG,
        LAYOUT_FLAG,
        SHAPE_FLAG,
        DEPLOY_FLAG,
        *STATE_FLAGS,
        PYTHON_FLAG,
    ),
    examples=(
        Example(
            "roastery build deploy.prototxt --weights net.caffemodel --labels synset.txt "
            "--mean-value 104,117,123 --output classify",
            "then `./classify cat.jpg`",
        ),
        Example(
            "roastery build deploy.prototxt --weights net.caffemodel --cpu-baseline aarch64 "
            "--output classify",
            "for 64-bit ARM: one file without any library",
        ),
    ),
    run=_run,
)
