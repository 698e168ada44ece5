"""``roastery run``: run an exported net on arrays from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..devices import GPU_FLAG, requested_device
from ..passes import THREADS_FLAG
from ..say import say

if TYPE_CHECKING:
    import numpy as np


def _run(arguments: Arguments) -> None:
    from runtime.artifact import load

    from ..arrays import load_array, save_arrays

    net = load(arguments.artifact, requested_device(arguments), threads=arguments.threads)
    try:
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


COMMAND = Command(
    name="run",
    summary="Run an exported net",
    group="Deploying",
    description=(
        "Reads inputs from .npy files (or from one array of an .npz: FILE.npz:NAME) and writes all "
        "outputs into one .npz. Needs no prototxt, no parser and no compiler. Machine code in the "
        "file runs as it is: run artifacts from whom you would run a program from."
    ),
    positionals=(Positional("artifact", "a file that roastery export wrote"),),
    flags=(
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
        Example("roastery run net.roast --input data=x.npy --output y.npz", "one input"),
        Example("roastery run net.roast --input x.npy", "the name may be left out if there is one"),
    ),
    run=_run,
)
