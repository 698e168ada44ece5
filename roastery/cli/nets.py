"""The flags that choose a net's state, and the device lines of a log, shared by commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .command import Arguments, Flag, UsageError

if TYPE_CHECKING:
    from runtime.logging import CaffeLog
    from runtime.logging.command_lines import LoggedCommand

    from ..building import NetRequest

#: For a command that may read pictures; ``roastery.cli.main`` sets the limit.
IMAGE_FLAG = Flag(
    "max_image_pixels",
    "refuse pictures that say they are larger than this many pixels; without it "
    "ROASTERY_MAX_IMAGE_PIXELS decides, then 200 million",
    "int",
    minimum=1,
    maximum=1 << 62,
    metavar="N",
    brief="refuse pictures that say they are larger",
)

#: For a command that reads nets or weights; ``roastery.cli.main`` sets it.
DIALECT_FLAG = Flag(
    "dialect",
    "the fork whose text or bytes the files are, where forks differ: nvcaffe, intel, ssd ...; "
    "without it ROASTERY_DIALECT decides, then what binary files show (`roastery help forks`)",
    default=None,
    metavar="NAME",
)

#: For a command that builds a net: ``flags=(..., *STATE_FLAGS)``.
STATE_FLAGS = (
    Flag("level", "the level of the net's state, for rules with min_level", "int", 0, metavar="N"),
    Flag("stage", "stages of the net's state, separated by commas", default="", metavar="A,B"),
    DIALECT_FLAG,
    IMAGE_FLAG,
)

SHAPE_FLAG = Flag(
    "shape",
    "the shape of an input, of a data layer's top, which is then not read, or of a Python layer's "
    "top, which is then not run: data=1,3,227,227",
    repeated=True,
    default=(),
    metavar="NAME=DIMS",
)

BACKWARD_FLAG = Flag(
    "backward", "with backward or without, whatever the phase and the net say", "bool", None
)

PYTHON_FLAG = Flag(
    "python_layers",
    "let Python layers import modules from the working directory and the prototxt's folder, which "
    "runs them",
    "bool",
    brief="let the net import Python layers from its folder",
)

#: For a command with a log: ``flags=(..., *LOG_FLAGS)``.
LOG_FLAGS = (
    Flag("log_file", "also add the log to the end of a file", metavar="FILE"),
    Flag("log_json", "also write the log as JSON, one object per line", metavar="FILE"),
)

_DIGITS = 19  # more than any memory has bytes

WEIGHTS_HELP = "a .caffemodel or .caffemodel.h5 file, or several separated by commas"


def stages(arguments: Arguments) -> list[str]:
    """The stages of ``-stage a,b``; one empty stage without the flag, as Caffe has it."""
    return str(arguments.stage).split(",")


def shapes(arguments: Arguments) -> dict[str, tuple[int, ...]]:
    """``--shape data=1,3,224,224``, given any number of times: shapes by blob."""
    found: dict[str, tuple[int, ...]] = {}
    for item in arguments.shape:
        name, _, dims = item.rpartition("=")
        words = [word.strip() for word in dims.replace("x", ",").split(",")]
        if not name or not all(map(_is_extent, words)):
            raise UsageError(f"--shape={item}: must be NAME=DIM,DIM,..., such as data=1,3,227,227")
        shape = tuple(map(int, words))
        if found.setdefault(name, shape) != shape:
            raise UsageError(f"--shape={item}: '{name}' has another shape before")
    return found


DEPLOY_FLAG = Flag(
    "deploy",
    "of a net for training, which reads pictures and labels from files, make the one that takes "
    "pictures: an Input for its data layer, what needs labels left out, Softmax for its loss",
    "bool",
    False,
)

PLAN_FOR_FLAG = Flag(
    "plan_for",
    "other shapes of inputs that a plan is stored for, so that nothing is planned where they come: "
    "data=8,3,224,224; of several inputs at once, with a space between",
    repeated=True,
    default=(),
    metavar="SHAPES",
)


def shapes_to_plan(arguments: Arguments) -> list[dict[str, tuple[int, ...]]]:
    """``--plan-for "data=8,3,224,224 info=8,3"``, given any number of times."""
    found: list[dict[str, tuple[int, ...]]] = []
    for item in arguments.plan_for:
        each: dict[str, tuple[int, ...]] = {}
        for part in item.split():
            name, _, dims = part.rpartition("=")
            words = dims.replace("x", ",").split(",")
            if not name or name in each or not all(map(_is_extent, words)):
                raise UsageError(
                    f"--plan-for={item}: must be NAME=DIM,DIM,..., such as data=8,3,224,224"
                )
            each[name] = tuple(map(int, words))
        if not each:
            raise UsageError("--plan-for names no shape")
        found.append(each)
    return found


def _is_extent(word: str) -> bool:
    return word.isdecimal() and len(word) < _DIGITS


def python_layers(arguments: Arguments) -> bool:
    """Whether ``--python-layers`` or the environment allow it."""
    from runtime.python.permission import python_allowed

    return python_allowed(arguments.python_layers)


def net_of_own_phase(arguments: Arguments) -> NetRequest:
    """As :func:`net_alone`; without ``--phase`` a net with inputs is one to deploy: phase TEST."""
    return net_alone(arguments, by_net=True)


def net_alone(arguments: Arguments, by_net: bool = False) -> NetRequest:
    """The net of a command that needs no data: what is not there is assumed."""
    from ..building import NetRequest
    from ..reading import nets

    message = nets.read_net(arguments.net)
    phase = arguments.phase
    if by_net and not phase:
        phase = "TEST" if nets.has_inputs(message) else "TRAIN"
    return NetRequest(
        message,
        nets.net_state(message, phase, arguments.level, stages(arguments)),
        shapes(arguments),
        assume="missing",
        allow_python=python_layers(arguments),
    )


def needed(arguments: Arguments, flag: str, why: str) -> str:
    """The value of a flag that must be given."""
    value: str = getattr(arguments, flag) or ""
    if not value:
        raise UsageError(f"--{flag} is missing: {why}")
    return value


def open_log(arguments: Arguments) -> CaffeLog:
    """The log of a command that makes nothing else: it ends when nobody reads that any more."""
    from runtime.logging import CaffeLog

    return CaffeLog.open(json_path=arguments.log_json, log_path=arguments.log_file, goes_on=False)


def log_device(log: CaffeLog, device: str, command: LoggedCommand) -> None:
    """``Use CPU.`` or the number of the GPU."""
    if device.startswith("cuda"):
        log.use_gpu(int(device.partition(":")[2] or 0), command)
    else:
        log.use_cpu(command)
