"""``roastery run``: run an exported net on pictures, or on arrays from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..devices import GPU_FLAG, requested_device
from ..passes import THREADS_FLAG
from ..preprocessing import picture_files
from ..say import say, say_note

if TYPE_CHECKING:
    import numpy as np

    from runtime.artifact import LoadedNet


def _run(arguments: Arguments) -> None:
    from runtime.artifact import load

    from ..arrays import load_array, save_arrays

    if arguments.pictures and (arguments.input or arguments.output):
        raise UsageError("pictures are one way to run it, --input and --output are another")
    net = load(arguments.artifact, requested_device(arguments), threads=arguments.threads)
    try:
        if arguments.pictures:
            _answer(net, arguments)
            return
        given: dict[str, np.ndarray] = {}
        for item in arguments.input:
            name, equals, path = item.partition("=")
            if not equals:
                only = list(net.inputs)
                if len(only) != 1:
                    raise UsageError(f"--input={item}: write NAME=FILE; inputs: {', '.join(only)}")
                name, path = only[0], item
            given[name] = load_array(path, name, net.accepted(name))
        results = net(**given)
    finally:
        net.close()
    compiled = f", {net.manifest.options}" if net.device.startswith("cuda") else ""
    compiled += f", {net.baseline}" if net.baseline else ""
    say(f"{arguments.artifact}: on {net.device}{compiled}")
    for name, array in results.items():
        say(f"{name}: {array.dtype} {list(array.shape)}")
    if arguments.output:
        save_arrays(arguments.output, results)
        say(f"wrote {arguments.output}")


def _answer(net: LoadedNet, arguments: Arguments) -> None:
    """Tell what the net says of pictures."""
    from ...tools.picture_answers import PictureAnswers

    answers = PictureAnswers(net, top=arguments.top, threshold=arguments.threshold)
    if answers.guessed:
        say_note(
            "the file does not say how pictures become its input: they are scaled to it, in the "
            "order blue, green, red, from 0 to 255, and no mean is subtracted; export says it: "
            "--mean-value=104,117,123 and others"
        )
    for line in answers.lines(picture_files(arguments.pictures, arguments.ext)):
        say(line)


COMMAND = Command(
    name="run",
    summary="Run an exported net",
    group="Deploying",
    description=(
        "Of pictures it tells the best classes, or the objects that were found in them: score, "
        "class and the edges of the box (left, top, right, bottom) in pixels. How they become the "
        "net's input, and what classes are called, was said when the net was exported.\n\n"
        "Or it reads inputs from .npy files (or from one array of an .npz: FILE.npz:NAME) and "
        "writes all outputs into one .npz. Needs no prototxt, no parser and no compiler. Machine "
        "code in the file runs as it is: run artifacts from whom you would run a program from."
    ),
    positionals=(
        Positional("artifact", "a file that roastery export wrote"),
        Positional("pictures", "pictures, or folders of them", required=False, repeated=True),
    ),
    flags=(
        Flag("top", "of so many classes it tells", "int", 5, minimum=1, metavar="N"),
        Flag("threshold", "the least score of an object", "float", 0.5, metavar="X"),
        Flag("ext", "the ending of pictures in a folder", default="jpg", metavar="EXT"),
        Flag("input", "an input: NAME=FILE.npy", repeated=True, default=(), metavar="NAME=FILE"),
        Flag("output", "where to write the outputs (.npz)", default="", metavar="FILE"),
        Flag(
            "device",
            "where to run: cpu, cuda, cuda:N, or reference (numpy, no machine code of the file); "
            "without it -gpu decides, then what the machine and the artifact have",
            metavar="DEVICE",
        ),
        GPU_FLAG,
        THREADS_FLAG,
    ),
    examples=(
        Example("roastery run net.roast cat.jpg", "the five best classes of a picture"),
        Example("roastery run net.roast --input data=x.npy --output y.npz", "one input"),
        Example("roastery run net.roast --input x.npy", "the name may be left out if there is one"),
    ),
    run=_run,
)
