"""Lowering of nets that tests write down as text."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ir.errors import RoasteryError
from ir.program import NetProgram
from roastery import nets


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
    return nets.lower(nets.net_from_text(text, "net.prototxt"), phase, **state)  # type: ignore[arg-type]


def refusal(text: str, phase: str = "TRAIN") -> RoasteryError:
    """The error with which a net is refused."""
    with pytest.raises(RoasteryError) as caught:
        lowered(text, phase)
    return caught.value
