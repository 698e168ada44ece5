"""From a net's message to its program: choose the layers of a state, lower them, check them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from compiler.collector import collector_paused
from frontends.lowering.net import lower_layers
from frontends.lowering.part import LayerLowering
from frontends.prototxt import Message
from frontends.state_rules import filtered
from ir.ops.ranks import Averages
from ir.program import NetProgram
from runtime.machine.memory_check import check_memory

from ..probing.assumed import AssumingProbe, check_shape_names
from ..probing.probe import RuntimeProbe
from ..reading import nets
from .deployed_layer import DeployedLayer
from .logger import logger_report
from .report import BuildReport

Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class NetRequest:
    """A net that is asked for.

    Attributes:
        net: upgraded, see :func:`roastery.reading.nets.read_net`.
        state: the NetState message that chooses its layers, see
            :func:`roastery.reading.nets.net_state`.
        shapes: of inputs, instead of those that the net tells; by blob.
        assume: what need not be there. "given": data and Python layers whose tops are among
            ``shapes``. "missing": also data that is not there, where the net tells its shapes.
        allow_python: see :mod:`runtime.python.permission`.
        told: numbers of rows that only a run tells, by the names by which lowering asks for them.
        most_rows: instead, as many as there could be.
        ranks: with whom BatchNorm shares the statistics of a batch, in phase TRAIN.
    """

    net: Message
    state: Message
    shapes: Shapes = field(default_factory=dict)
    assume: Literal["nothing", "given", "missing"] = "nothing"
    allow_python: bool = False
    told: Shapes = field(default_factory=dict)
    most_rows: bool = False
    ranks: Averages | None = None


@dataclass(frozen=True)
class LoweredNet:
    """A net as its program.

    Attributes:
        layers: it, whose layers can be lowered alone.
        probe: knows the objects behind Python layers.
    """

    request: NetRequest
    layers: LayerLowering
    probe: RuntimeProbe

    @property
    def program(self) -> NetProgram:
        return self.layers.program

    @property
    def message(self) -> Message:
        """The net as it was lowered: filtered, with Split layers; what a snapshot describes."""
        return self.layers.net

    @property
    def unrun(self) -> set[str]:
        """Names of the layers that run on the host, and were not asked what they do."""
        return self.probe.unrun if isinstance(self.probe, AssumingProbe) else set()


@collector_paused()
def lower_net(request: NetRequest, report: BuildReport) -> LoweredNet:
    """Lower a net in the state that is asked for.

    Raises RoasteryError for every mistake in the net or its data, and for a net that the machine's
    memory cannot hold.
    """
    report.say(request.net.notes)
    report.choosing(request.net, request.state)
    chosen = filtered(request.net, request.state)
    report.chosen(chosen)
    probe = RuntimeProbe(allow_python=request.allow_python, deployed=_deployed)
    if request.assume != "nothing":
        given = {name: tuple(shape) for name, shape in request.shapes.items()}
        check_shape_names(chosen.layer, given)
        probe = AssumingProbe(probe, given, report.warn, derive=request.assume == "missing")
    layers = lower_layers(
        chosen,
        request.state.phase,
        shapes={**request.shapes, **request.told},
        probe=probe,
        most_rows=request.most_rows,
        ranks=request.ranks,
    )
    for remark in layers.program.notes:
        report.warn(remark)
    check_memory(layers.program)
    return LoweredNet(request, layers, probe)


def _deployed(layer: Message, bottoms: Sequence[tuple[int, ...]]) -> DeployedLayer:
    """A layer that runs a net in another file."""

    def lower(net: Message) -> LayerLowering:
        return lower_net(NetRequest(net, nets.net_state(net, "TEST")), logger_report()).layers

    return DeployedLayer(layer, bottoms, lower)
