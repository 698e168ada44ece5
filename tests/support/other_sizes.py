"""Other sizes at which a program is looked at."""

from __future__ import annotations

from collections.abc import Mapping

from ir.program import NetProgram
from ir.size import Evaluation

#: How sizes change: the factor and what is added, by the first letter of their symbols.
CHANGES: dict[str, dict[str, tuple[int, int]]] = {
    "one image": {"N": (0, 1)},
    "more images": {"N": (1, 3)},
    "one row more": {"H": (1, 1)},
    "another image": {"H": (1, 4), "W": (1, 2)},
    "all doubled": {"N": (2, 0), "H": (2, 0), "W": (2, 0)},
}

Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(program: NetProgram, values: Mapping[str, int] | None = None) -> Shapes:
    """Shapes of the inputs, where the symbols have other values."""
    assert program.sizes is not None
    at = Evaluation(values or program.sizes.values)
    return {name: tuple(map(at.size, type.shape)) for name, type in program.sizes.inputs.items()}


def changed(program: NetProgram, change: Mapping[str, tuple[int, int]]) -> Shapes:
    assert program.sizes is not None
    values = {}
    for name, value in program.sizes.values.items():
        factor, more = change.get(name[0], (1, 0))
        values[name] = factor * value + more
    return shapes_of(program, values)
