"""What a net is, in a line, for ``repr``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from ir.printable import printable

if TYPE_CHECKING:  # artifacts are loaded without it
    from ir.program import NetProgram

_SHOWN = 3  # inputs or outputs; of more there are dots


def net_line(
    kind: str,
    name: str,
    facts: Iterable[str],
    inputs: Mapping[str, tuple[int, ...] | None],
    outputs: Mapping[str, tuple[int, ...] | None],
) -> str:
    """``<Net 'LeNet' TEST on cpu: data (1, 1, 28, 28) -> prob (1, 10)>``."""
    title = f"{kind} '{printable(name)}'" if name else kind
    flow = f"{_blobs(inputs) or 'no input'} -> {_blobs(outputs) or 'no output'}"
    return f"<{' '.join([title, *facts])}: {flow}>"


def parameters_text(program: NetProgram) -> str:
    """How many layers there are, and numbers that are saved with the weights."""
    count = sum(math.prod(v.type.shape) for v in program.variables.values() if v.index >= 0)
    layers = len(program.layers)
    return f"{layers} layer{'s' * (layers != 1)}, {count:,} parameter{'s' * (count != 1)}"


def made_in(program: NetProgram) -> list[str]:
    """What the net reads itself, in place of inputs: the tops of its data layers."""
    return [top for layer in program.layers if not layer.bottoms for top in layer.tops]


def _blobs(shapes: Mapping[str, tuple[int, ...] | None]) -> str:
    words = [
        f"{printable(name)} {tuple(shape)}" if shape is not None else printable(name)
        for name, shape in islice(shapes.items(), _SHOWN)
    ]
    return ", ".join([*words, *(["..."] if len(shapes) > _SHOWN else [])])
