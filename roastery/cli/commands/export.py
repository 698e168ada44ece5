"""``roastery export``: write a net with its weights, to be run elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from ..baselines import BASELINES
from ..command import Arguments, Command, Example, Flag, Positional, UsageError, needed
from ..compilation import LAYOUT_FLAG, PASSES_FLAG, PRECISION_FLAG
from ..exported import (
    net_to_export,
    say_fixed_shapes,
    say_next,
    say_pictures,
    say_without_weights,
)
from ..nets import DEPLOY_FLAG, PYTHON_FLAG, STATE_FLAGS, python_layers, stages
from ..picture_rules import PICTURE_FLAGS, picture_rules
from ..say import say
from ..shape_flags import PLAN_FOR_FLAG, SHAPE_FLAG, shapes, shapes_to_plan
from ..tuning import TIME_LIMIT_FLAG, TUNE_FLAG, TUNED_FLAG


def _run(arguments: Arguments) -> None:
    from ...api.exporting import export_net
    from ...devices.compiling import COMPILING
    from ..progress import progress_bar

    model = net_to_export(arguments, "the net to export")
    targets = arguments.target
    output = arguments.output
    if targets != ["c"]:
        output = needed(arguments, "output", "where to write it, such as net.roast or net.onnx")
    limit = arguments.time_limit if arguments.tune else None
    if "time_limit" in arguments.given and limit is None:
        raise UsageError("--time-limit is for --tune")
    with progress_bar("kernels") as draw:
        made = export_net(
            model,
            arguments.weights or None,
            output,
            targets,
            format=arguments.format,
            opset=_opset(arguments.opset),
            dynamic=arguments.dynamic,
            phase=arguments.phase,
            level=arguments.level,
            stages=stages(arguments),
            shapes=shapes(arguments),
            precision=arguments.precision,
            passes=arguments.passes,
            layout=arguments.layout,
            progress=COMPILING if limit is None else draw,
            allow_python=python_layers(arguments),
            cpu_baseline=arguments.cpu_baseline,
            tuned=arguments.tuned,
            tune=limit,
            pictures=picture_rules(arguments),
            deploy=arguments.deploy,
            plan_for=shapes_to_plan(arguments),
        )
    names = [_named(target, made.baselines) for target in made.targets]
    kernels = f", {made.kernels} kernels ({made.options})" if made.kernels else ""
    say(f"wrote {made.path}: {', '.join(names)}{kernels}, {made.nbytes:,} bytes")
    say_pictures(made)
    if made.fixed:
        flags = "--dynamic or --shape" if made.targets[0].startswith("ONNX") else "--shape"
        say_fixed_shapes(made, f"{flags} exports others")
    if not arguments.weights:
        say_without_weights()
    say_next(made)


def _opset(text: str) -> int | None:
    """0: the newest. None: nothing is said."""
    if not text:
        return None
    if text != "latest" and not (text.isdecimal() and text.isascii() and 0 < int(text[:9]) <= 999):
        raise UsageError(f"--opset is {text}: a number from 17, or latest, is expected")
    return 0 if text == "latest" else int(text)


def _named(target: str, baselines: Sequence[str]) -> str:
    """With the CPUs that there is code for."""
    there = ", ".join(baselines)
    return f"{target} ({there})" if there and target in ("c", "cpu") else target


COMMAND = Command(
    name="export",
    summary="Write a net and weights as one file, ONNX, PyTorch or C",
    group="Deploying",
    description=(
        "Without --format and --target c it writes an artifact for `roastery run` and "
        "roastery.load. The file (a zip) holds the optimised graph as text, the weights as "
        "safetensors, and for GPU targets the launch plan and compiled kernels. It runs without a "
        "prototxt, a parser or a compiler. For the CPU it holds machine code for "
        "several sets of instructions, of which the best is picked when it is loaded. No GPU is "
        "needed to export for one, but --tune uses it to choose the fastest kernels for it, as "
        "`roastery tune` does, and --tuned takes what that wrote elsewhere.\n\n"
        "With --target c a folder is written: the net as one C file that needs nothing but libc, "
        "libm and threads, a header, the weights, a program that runs it on .npy files, and a "
        "Makefile. `make` there builds ./net. It runs at the shapes that it was exported with. "
        "With flags that say how pictures become its input, or --labels, ./net reads pictures; "
        "`roastery build` makes such a program in one step.\n\n"
        "With --format torch a folder is written that needs no Roastery: net.py, a module for "
        "PyTorch with the layers' names, and net.safetensors, its weights. It computes the same, "
        "and trains. With --phase TRAIN it has the losses, too.\n\n"
        "A name that ends in .onnx, or --format onnx, writes an ONNX model (`pip install "
        "'roastery[onnx]'`). Layers that ONNX has no operators for are an error, which names them. "
        "--dynamic lets its sizes change, --precision float16 computes in float16."
    ),
    positionals=(Positional("net", "the same as --model", required=False),),
    flags=(
        Flag("model", "a prototxt, usually the deploy form", metavar="FILE"),
        Flag("weights", "a .caffemodel or .caffemodel.h5", default="", metavar="FILE"),
        Flag(
            "output",
            "the file to write, usually NAME.roast; of target c the folder, by default named after "
            "the net",
            default="",
            metavar="FILE",
        ),
        Flag(
            "format",
            "roast: an artifact; onnx: an ONNX model; torch: a folder with a module for PyTorch, "
            "net.py, and its weights. Without it the ending of --output says it",
            default="",
            choices=("roast", "onnx", "torch"),
        ),
        Flag(
            "opset",
            "of ONNX: the version of its operators, from 17, or latest (default: 17)",
            default="",
            metavar="NUMBER",
        ),
        Flag(
            "dynamic",
            "of ONNX: which sizes may change, the number of images or all (default: none)",
            default="",
            choices=("batch", "all"),
        ),
        Flag(
            "target",
            "cpu, cuda:sm_80,sm_90 ... (may be repeated; default: cpu), or c: a folder of C",
            repeated=True,
            default=(),
            metavar="TARGET",
        ),
        Flag(
            "cpu_baseline",
            f"for which CPUs: {BASELINES}. A file has "
            "machine code for all that are named, separated by commas, or none; without it for all "
            "that the C compilers here compile for. Of target c it is one; without it the one that "
            "has the vectors of this CPU",
            repeated=True,
            default=(),
            metavar="NAMES",
        ),
        TUNE_FLAG,
        TIME_LIMIT_FLAG,
        TUNED_FLAG,
        *PICTURE_FLAGS,
        Flag("phase", "TRAIN or TEST", default="TEST", choices=("TRAIN", "TEST")),
        PRECISION_FLAG,
        PASSES_FLAG,
        LAYOUT_FLAG,
        SHAPE_FLAG,
        DEPLOY_FLAG,
        PLAN_FOR_FLAG,
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
        Example(
            "roastery export deploy.prototxt --weights net.caffemodel --target c --output net",
            "as C: `make -C net`, then `net/net data.npy`",
        ),
        Example(
            "roastery export deploy.prototxt --weights net.caffemodel --format torch --output net",
            "for PyTorch: `net/net.py`",
        ),
        Example(
            "roastery export deploy.prototxt --weights net.caffemodel --output net.onnx "
            "--dynamic batch",
            "as an ONNX model, for any number of images",
        ),
    ),
    run=_run,
)
