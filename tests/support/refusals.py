"""A layer that is refused where it is lowered."""

from __future__ import annotations

import pytest

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from tests.support.layer_cases import net_text


def check_refusal(
    kind: str, body: str, inputs: dict[str, tuple[int, ...]], message: str, place: str
) -> None:
    """Lower one layer of a type over inputs; its error says ``message`` and points at ``place``.

    Args:
        body: the layer's parameters, as text.
        message: a part of the message.
        place: how the text at the place goes on.
    """
    load_layers()
    bottoms = " ".join(f'bottom: "{name}"' for name in inputs)
    layer = f'layer {{ name: "bad" type: "{kind}" {bottoms} top: "out" {body} }}'
    net = parse_text(net_text(layer, **inputs), "NetParameter", "net.prototxt")
    with pytest.raises(RoasteryError) as caught:
        lower_layers(net, "TRAIN")
    error = caught.value
    assert message in error.message
    assert error.location is not None
    assert error.location.file == "net.prototxt" and error.location.layer == "bad"
    assert error.location.line == len(inputs) + 2
    pointed = error.location.text[error.location.column - 1 :]
    assert pointed.startswith(place), pointed[:40]
