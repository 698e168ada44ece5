"""Lowering of nets that tests write down as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from frontends.lowering.part import LayerLowering
from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.ops.ranks import Averages
from ir.program import LayerInfo, NetProgram
from roastery.building import NetRequest, lower_net
from roastery.building.logger import logger_report
from roastery.reading import nets


def inputs(**shapes: Sequence[int]) -> str:
    """Input layers: ``inputs(x=(2, 3))``."""
    return "".join(
        f'layer {{ name: "in_{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
        + " ".join(f"dim: {d}" for d in shape)
        + " } } }\n"
        for name, shape in shapes.items()
    )


def lowered(text: str, phase: str = "TRAIN", **state: object) -> NetProgram:
    """The program of a net; ``state``: level, stages."""
    return program_of(nets.net_from_text(text, "net.prototxt"), phase, **state)  # type: ignore[arg-type]


def program_of(
    net: Message,
    phase: str,
    *,
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    ranks: Averages | None = None,
) -> NetProgram:
    """A net's program, as commands lower it."""
    return layers_of(net, phase, level=level, stages=stages, shapes=shapes, ranks=ranks).program


def layers_of(
    net: Message,
    phase: str,
    *,
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    ranks: Averages | None = None,
) -> LayerLowering:
    """A net's program, whose layers can be lowered again."""
    state = nets.net_state(net, phase, level, stages)
    request = NetRequest(net, state, shapes or {}, ranks=ranks)
    return lower_net(request, logger_report()).layers


def layer_named(program: NetProgram, name: str) -> LayerInfo:
    """The first layer of a name."""
    return next(layer for layer in program.layers if layer.name == name)


def refusal(text: str, phase: str = "TRAIN") -> RoasteryError:
    """The error with which a net is refused."""
    with pytest.raises(RoasteryError) as caught:
        lowered(text, phase)
    return caught.value
