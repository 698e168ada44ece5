"""``roastery run``: run an exported net on pictures, or on arrays from files."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..compilation import THREADS_FLAG
from ..devices import GPU_FLAG, requested_device
from ..picture_files import PICTURE_ENDINGS, picture_files
from ..say import say, say_note

if TYPE_CHECKING:
    import numpy as np

    from runtime.artifact import LoadedNet


def _run(arguments: Arguments) -> int:
    from runtime.artifact import load

    arrays = [*arguments.input, *filter(_names_array, arguments.files)]
    pictures = [name for name in arguments.files if not _names_array(name)]
    if pictures and arrays:
        raise UsageError(
            f"{pictures[0]}, {arrays[0]}: pictures are one way to run it, arrays are another"
        )
    net = load(arguments.artifact, requested_device(arguments), threads=arguments.threads)
    try:
        if arguments.output:
            _check_output(arguments.output, net)
        if pictures:
            return _answer(net, pictures, arguments)
        given = _given(net, arrays)
        if net.inputs and not given:
            raise UsageError(
                f"nothing is given to run {arguments.artifact} on",
                hint="name pictures, or arrays: "
                + " ".join(f"--input={name}=FILE.npy" for name in net.inputs),
            )
        results = net(**given)
    finally:
        net.close()
    compiled = f", {net.manifest.options}" if net.device.startswith("cuda") else ""
    compiled += f", {net.baseline}" if net.baseline else ""
    say(f"{arguments.artifact}: on {net.device}{compiled}")
    for name, array in results.items():
        say(f"{name}: {array.dtype} {list(array.shape)}")
    _write(arguments.output, results)
    return 0


def _names_array(word: str) -> bool:
    """Whether a word of the command line is an input, not a picture."""
    path = word.rpartition(".npz:")[0] + ".npz" if ".npz:" in word else word
    return path.endswith((".npy", ".npz"))


def _given(net: LoadedNet, words: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays by the names of their inputs."""
    from ..arrays import load_array

    given: dict[str, np.ndarray] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals:
            only = list(net.inputs)
            if len(only) != 1:
                raise UsageError(f"--input={word}: write NAME=FILE; inputs: {', '.join(only)}")
            name, path = only[0], word
        given[name] = load_array(path, name, net.accepted(name))
    return given


def _check_output(path: str, net: LoadedNet) -> None:
    """Before anything runs: a .npy file holds one array."""
    if path.endswith(".npy") and len(net.outputs) != 1:
        raise UsageError(
            f"--output={path}: a .npy file holds one array, and the net has {len(net.outputs)} "
            f"outputs ({', '.join(net.outputs)})",
            hint=f"--output={path.removesuffix('.npy')}.npz",
        )


def _write(path: str, results: Mapping[str, np.ndarray]) -> None:
    from ..arrays import save_array, save_arrays

    if not path:
        return
    if path.endswith(".npy"):
        (array,) = results.values()
        save_array(path, array)
    else:
        save_arrays(path, results)
    say(f"wrote {path}")


def _answer(net: LoadedNet, pictures: Sequence[str], arguments: Arguments) -> int:
    """Tell what the net says of pictures. Returns 1 where some could not be read."""
    from runtime.data.picture_file import UnreadablePicture

    from ...tools.picture_answers import PictureAnswers

    answers = PictureAnswers(net, top=arguments.top, threshold=arguments.threshold)
    if answers.guessed:
        say_note(
            "the file does not say how pictures become its input: they are scaled to it, in the "
            "order blue, green, red, from 0 to 255, and no mean is subtracted; export says it: "
            "--mean-value=104,117,123 and others"
        )
    files = picture_files(pictures, arguments.ext or PICTURE_ENDINGS)
    if arguments.output and len(files) != 1:
        raise UsageError(
            f"--output={arguments.output}: that is for one picture, and there are {len(files)}"
        )
    bad = 0
    for file in files:
        try:
            results, lines = answers.of(file)
        except UnreadablePicture as error:
            if len(files) == 1:
                raise
            say(f"error: {error.message}", sys.stderr)  # the others are told all the same
            bad += 1
            continue
        for line in lines:
            say(line)
        _write(arguments.output, results)
    return 1 if bad else 0


COMMAND = Command(
    name="run",
    summary="Run an exported net",
    group="Deploying",
    description=(
        "Of pictures it tells the best classes, or the objects that were found in them: score, "
        "class and the edges of the box (left, top, right, bottom) in pixels. How they become the "
        "net's input, and what classes are called, was said when the net was exported.\n\n"
        "Or it reads inputs from .npy files (or from one array of an .npz: FILE.npz:NAME). "
        "--output writes the numbers of all outputs. Needs no prototxt, no parser and no "
        "compiler, and for pictures OpenCV. Machine code in the file runs as it is: run artifacts "
        "from whom you would run a program from."
    ),
    positionals=(
        Positional("artifact", "a file that roastery export wrote"),
        Positional("files", "pictures, folders of them, or arrays", required=False, repeated=True),
    ),
    flags=(
        Flag("top", "of so many classes it tells", "int", 5, minimum=1, metavar="N"),
        Flag("threshold", "the least score of an object", "float", 0.5, metavar="X"),
        Flag(
            "ext",
            "the ending of pictures in a folder; without it all of these: "
            + PICTURE_ENDINGS.replace(",", ", "),
            default="",
            metavar="EXT",
        ),
        Flag("input", "an input: NAME=FILE.npy", repeated=True, default=(), metavar="NAME=FILE"),
        Flag(
            "output",
            "where to write the outputs, of arrays or of one picture: .npz, or of a net with one "
            "output .npy",
            default="",
            metavar="FILE",
        ),
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
        Example("roastery run net.roast photos/ --top 1", "of every picture in a folder the best"),
        Example("roastery run net.roast --input data=x.npy --output y.npz", "an array"),
        Example("roastery run net.roast x.npy", "the name may be left out if there is one"),
    ),
    run=_run,
)
