"""Records of layers: small nets of one layer each, for every test that goes over all layers.

A family of layers keeps its records in ``tests/layers/records/<family>.py`` as a list named
``CASES``. Shapes are small and odd, so that kernels meet tiles that are not full. Those of its
layers that may keep a size as it is stand in ``FIXES``, with the reason.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

Fill = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class LayerCase:
    """One layer with one choice of parameters.

    Attributes:
        layer_type: the registered type it is a record of.
        name: unique; the test's id ("pooling_max_pad").
        prototxt: a whole net, its inputs as Input layers (see :func:`net_text`).
        inputs: how blobs are filled that standard normal numbers do not suit (labels,
            positive numbers), by name.
        checks_gradient: whether finite differences can confirm the gradient (not where it is
            zero by definition, random, or differs from the derivative on purpose).
    """

    layer_type: str
    name: str
    prototxt: str
    phase: str = "TRAIN"
    inputs: Mapping[str, Fill] | None = None
    checks_gradient: bool = True

    def __str__(self) -> str:
        return self.name


def net_text(layers: str, **inputs: tuple[int, ...]) -> str:
    """A net of ``layers`` over Input layers with the given shapes."""
    lines = ["force_backward: true"]
    for name, shape in inputs.items():
        dims = " ".join(f"dim: {d}" for d in shape)
        lines.append(
            f'layer {{ name: "in_{name}" type: "Input" top: "{name}" '
            f"input_param {{ shape {{ {dims} }} }} }}"
        )
    return "\n".join([*lines, layers, ""])


def _families() -> Iterator[ModuleType]:
    """The modules of records, in order of the files' names."""
    folder = Path(__file__).parents[1] / "layers" / "records"
    for path in sorted(folder.glob("*.py")):
        yield importlib.import_module(f"tests.layers.records.{path.stem}")


@functools.cache
def all_cases() -> tuple[LayerCase, ...]:
    """The records of all families."""
    cases = [case for family in _families() for case in family.CASES]
    names = [c.name for c in cases]
    assert len(set(names)) == len(names), "two records have one name"
    return tuple(cases)


@functools.cache
def fixing() -> Mapping[str, str]:
    """Types of layers that may keep a size as it is, and why."""
    found: dict[str, str] = {}
    for family in _families():
        found.update(getattr(family, "FIXES", {}))
    return found
