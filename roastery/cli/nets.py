"""The flags that say which net a prototxt means, shared by commands that build one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .command import Arguments, Flag
from .reading import DIALECT_FLAG, IMAGE_FLAG
from .shape_flags import shapes

if TYPE_CHECKING:
    from ..building import NetRequest

#: For a command that builds a net: ``flags=(..., *STATE_FLAGS)``.
STATE_FLAGS = (
    Flag("level", "the level of the net's state, for rules with min_level", "int", 0, metavar="N"),
    Flag("stage", "stages of the net's state, separated by commas", default="", metavar="A,B"),
    DIALECT_FLAG,
    IMAGE_FLAG,
)

BACKWARD_FLAG = Flag(
    "backward", "with backward or without, whatever the phase and the net say", "bool", None
)

#: For a command that shows a net: see :func:`net_of_own_phase`.
OWN_PHASE_FLAG = Flag(
    "phase",
    "the phase to show, instead of that which the net is for",
    default="",
    choices=("TRAIN", "TEST"),
)

PYTHON_FLAG = Flag(
    "python_layers",
    "let Python layers import modules from the working directory and the prototxt's folder, which "
    "runs them",
    "bool",
    brief="let the net import Python layers from its folder",
)

DEPLOY_FLAG = Flag(
    "deploy",
    "of a net for training, which reads pictures and labels from files, make the one that takes "
    "pictures: an Input for its data layer, what needs labels left out, Softmax for its loss",
    "bool",
    False,
)

WEIGHTS_HELP = "a .caffemodel or .caffemodel.h5 file, or several separated by commas"


def stages(arguments: Arguments) -> list[str]:
    """The stages of ``-stage a,b``; one empty stage without the flag, as Caffe has it."""
    return str(arguments.stage).split(",")


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
