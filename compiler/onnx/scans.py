"""Steps one after the other: Scan, and the graph inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onnx import ValueInfoProto, helper

from ir.location import Location
from ir.types import DType

from .types import ELEMENT_TYPES
from .writer import Writer


@dataclass(frozen=True)
class Typed:
    """A tensor's name, and the type of its elements."""

    name: str
    dtype: DType


ScanStep = Callable[[Writer, Sequence[str], Sequence[str]], tuple[Sequence[Typed], Sequence[Typed]]]
"""Emits a step: given the states and the parts that it gets, the next states and its results."""


def scanned(
    writer: Writer,
    place: Location,
    states: Sequence[Typed],
    sliced: Sequence[Typed],
    step: ScanStep,
    backwards: bool = False,
) -> list[str]:
    """The states after the last step, then the results of all steps along a new first axis.

    Args:
        states: as they are before the first step.
        sliced: tensors of which each step gets its part along the first axis.
        backwards: the last part comes first; results stand where the parts stood.
    """
    inner = Writer(writer.opset, outer=writer)
    inner.half = writer.half
    given = [Typed(inner.names.unique(f"{place.layer}.state"), t.dtype) for t in states]
    parts = [Typed(inner.names.unique(f"{place.layer}.part"), t.dtype) for t in sliced]
    following, results = step(inner, [t.name for t in given], [t.name for t in parts])
    made: list[Typed] = []
    for typed in (*following, *results):
        # Each is a tensor of its own, made inside.
        made.append(Typed(inner.names.unique(f"{place.layer}.step"), typed.dtype))
        inner.nodes.append(helper.make_node("Identity", [typed.name], [made[-1].name]))
    inner.results(0, {}, {}, place)
    body = helper.make_graph(
        inner.nodes,
        inner.names.unique(f"{place.layer}.steps"),
        [_information(inner, typed) for typed in (*given, *parts)],
        [_information(inner, typed) for typed in made],
    )
    turned = int(backwards)
    return writer.node_of(
        "Scan",
        [t.name for t in (*states, *sliced)],
        len(made),
        body=body,
        num_scan_inputs=len(sliced),
        scan_input_directions=[turned] * len(sliced) if turned else None,
        scan_output_directions=[turned] * len(results) if turned and results else None,
    )


def _information(writer: Writer, typed: Typed) -> ValueInfoProto:
    element = ELEMENT_TYPES[writer.stored(typed.dtype)]
    return helper.make_tensor_value_info(typed.name, element, None)
