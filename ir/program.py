"""A lowered net: its forward graph, and what a net has besides a graph.

Layers, blobs, variables (parameters and state), and who needs a gradient. Plain data: the
compiler plans from it and the runtime runs from it; neither needs the prototxt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .graph import Graph, Port, Role, Value
from .graph_sizes import Substitution
from .location import Location
from .program_sizes import OtherSizes, ProgramSizes, asked_sizes
from .size import Scope, free_symbols
from .types import TensorType

RANDOM_STATE = "@random"
"""Hidden state variable, u32[2]: the net's seed, and the number of forward passes so far."""

PROGRESS = "@progress"
"""Hidden state variable, f32[2]: the solver's iteration, and the one with which it ends; 0 and 0
where no solver trains. Nothing in the graph writes it."""

NET_STATE = (RANDOM_STATE, PROGRESS)
"""Hidden state of a whole net: no layer has it for itself, and the runtime keeps it."""

LOSS_OUTPUT = "@loss"
"""Graph output: the sum of all weighted losses, f32[]."""

AUTOMATIC = "(automatic)"
"""Caffe's name for the top of a loss layer that names none; a second one is ``(automatic)@2``."""

_AUTOMATIC_NAME = re.compile(re.escape(AUTOMATIC) + r"(@\d+)?")


def shown_blob(name: str) -> str:
    """A blob's name as Caffe shows it: tops that nobody named are all called the same."""
    return AUTOMATIC if _AUTOMATIC_NAME.fullmatch(name) else name


@dataclass(frozen=True, slots=True)
class FillerSpec:
    """How a variable starts. Caffe: include/caffe/filler.hpp.

    Kind "array" is not Caffe's: the variable starts as ``array`` (a matrix read from a file, what a
    Python layer put into its blobs). Nor is "parts": the variable is filled part by part, one after
    the other, each as if it were a blob of a shape: ``parts`` has the shapes and how each starts.
    """

    kind: str = "constant"
    value: float = 0.0
    min: float = 0.0
    max: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    sparse: int = -1
    variance_norm: str = "FAN_IN"
    array: np.ndarray | None = field(default=None, compare=False, repr=False)
    location: Location = field(default=Location(), compare=False)
    parts: tuple[tuple[tuple[int, ...], FillerSpec], ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A tensor that outlives a run: a layer's blob (weights, statistics) or hidden state.

    ``layer`` names the layer that made it, ``owner`` is that layer's key. ``index`` is the position
    among the layer's blobs; -1: hidden, not saved with the weights. ``forced``: has a diff even
    with lr_mult 0, as force_backward wants it.
    """

    name: str
    type: TensorType
    role: Role
    filler: FillerSpec
    layer: str
    index: int
    lr_mult: float = 1.0
    decay_mult: float = 1.0
    param_name: str = ""
    location: Location = field(default=Location(), compare=False)
    forced: bool = False
    owner: str = ""

    @property
    def learns(self) -> bool:
        """Whether backward computes its diff."""
        return self.role is Role.PARAMETER and (self.lr_mult != 0.0 or self.forced)


@dataclass(frozen=True, slots=True)
class Labels:
    """What a layer takes for a class in one of its bottoms: whole numbers from 0.

    ``bottom``: the number of that bottom. ``ignored``: the label of what counts for nothing.
    ``rows``: it holds boxes, rows of so many numbers of which one is the class (width, column); one
    that begins with -1 is none. ``background``: the class that no box may have.
    ``counts_others``: numbers that name no class are counted as wrong. ``scores``: the axis of
    bottom 0 on which there is a score for each class; None: bottom 0 holds something else.
    """

    bottom: int
    classes: int
    ignored: int | None = None
    rows: tuple[int, int] | None = None
    background: int | None = None
    counts_others: bool = False
    scores: int | None = None


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """One layer after filtering, with the part of the graph it became.

    ``key`` is its own in the net: the name, or ``name@2`` for the second layer of a name.
    ``variables`` are the layer's blobs in order; a shared one stands under its owner's name.
    ``first``/``last`` bound its nodes: ``graph.nodes[first:last]``.
    ``backward_bottoms``: which bottoms get a diff. ``source``: for layers that the runtime feeds
    (data layers), what the runtime needs to open it. ``sizes``: names of shapes that its bottoms
    do not tell: its own tops, where the runtime or the user's code gives them, and sizes that
    depend on data. ``shares_data``: each top is the bottom's data under another shape.
    ``is_split``: it only gives its bottom further names. ``is_written``: it stands in the net's
    file; Split layers that Caffe inserts do not. ``inner_softmax``: Caffe's layer makes a
    Softmax layer inside. ``labels``: for a layer that reads class numbers.
    """

    name: str
    type: str
    location: Location
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    bottom_values: tuple[Value, ...]
    top_values: tuple[Value, ...]
    variables: tuple[str, ...]
    loss_weights: tuple[float, ...]
    first: int
    last: int
    backward_bottoms: tuple[bool, ...] = ()
    needs_backward: bool = False
    source: Any = None
    key: str = ""
    sizes: tuple[str, ...] = ()
    shares_data: bool = False
    is_split: bool = False
    is_written: bool = True
    inner_softmax: bool = False
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class NetProgram:
    """A net at the shapes that its inputs have; see :meth:`at` for others.

    Attributes:
        graph: forward only. Inputs: DATA blobs, PARAMETER and STATE variables. Outputs: the net's
            outputs (RESULT), :data:`LOSS_OUTPUT` when there is a loss, written variables (STATE).
        blobs: every version of each named blob, oldest first (in-place layers make new ones).
        inputs: blobs that the caller feeds (Input layers), in file order.
        outputs: blobs that nothing consumes, in Caffe's (alphabetical) order.
        notes: remarks for the user, made while lowering.
        general: the program whose types hold symbols; None where no size may change.
        sizes: its symbols and conditions. values: what its symbols are in this program.
    """

    name: str
    phase: str
    graph: Graph
    layers: tuple[LayerInfo, ...]
    variables: Mapping[str, Variable]
    blobs: Mapping[str, tuple[Value, ...]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    force_backward: bool = False
    notes: tuple[str, ...] = ()
    general: NetProgram | None = None
    sizes: ProgramSizes | None = None
    values: Mapping[str, int] = field(default_factory=dict)

    def at(self, shapes: Mapping[str, Sequence[int]]) -> NetProgram:
        """The program for other shapes of inputs, without lowering the net again.

        Args:
            shapes: of the inputs that change, and of what only running tells, by name.

        Raises OtherSizes, which says what does not hold there.
        """
        if self.general is None or self.sizes is None:
            raise OtherSizes("all sizes are fixed")
        return self.general.with_numbers(self.sizes, self.sizes.values_for(shapes))

    def symbolic(self) -> NetProgram:
        """The program for all sizes that it may have: symbols where a size may change.

        For passes, which then work for all of them; it does not run.
        """
        if self.general is None or self.sizes is None:
            return self
        return self.general.with_numbers(self.sizes, free_symbols(self.sizes.scope))

    def with_sizes(
        self,
        scope: Scope,
        given: Mapping[str, tuple[int, ...]],
        told: Mapping[str, TensorType],
    ) -> NetProgram:
        """A program whose types hold symbols at the sizes at hand.

        Args:
            given: the shapes that the net was lowered with, by name.
            told: of what only running tells, by name, what may change.
        """
        fed = (port for port in self.graph.inputs if port.role is Role.DATA)
        inputs = {**{port.name: port.value.type for port in fed}, **told}
        asked = asked_sizes((name for layer in self.layers for name in layer.sizes), inputs)
        sizes = ProgramSizes(scope, inputs, given, asked)
        return self.with_numbers(sizes, sizes.values)

    def with_numbers(self, sizes: ProgramSizes, values: Mapping[str, int]) -> NetProgram:
        """A program whose types hold symbols, where these have values."""
        at = Substitution(values)
        return replace(
            self,
            graph=at.graph(self.graph),
            layers=tuple(_layer_at(layer, at) for layer in self.layers),
            variables={
                name: variable
                if (type := at.type(variable.type)) is variable.type
                else replace(variable, type=type)
                for name, variable in self.variables.items()
            },
            blobs={name: tuple(map(at.value, values)) for name, values in self.blobs.items()},
            general=self,
            sizes=sizes,
            values=values,
        )

    def owns(self, layer: LayerInfo, variable: str) -> bool:
        """Whether a blob of a layer is its own, not shared from an earlier layer."""
        return self.variables[variable].owner == layer.key

    @property
    def parameters(self) -> list[Variable]:
        """Owned blobs of all layers in layer order: Caffe's learnable_params, and the order of
        solver history. Statistics (lr_mult 0) are among them."""
        return [c for c in self.variables.values() if c.index >= 0]

    @property
    def loss_weights(self) -> dict[str, float]:
        """Tops that carry a loss weight other than 0: where backward starts."""
        return {
            top: weight
            for layer in self.layers
            for top, weight in zip(layer.tops, layer.loss_weights, strict=True)
            if weight
        }

    @property
    def trains(self) -> bool:
        """Whether backward has anything to do: in phase TRAIN, with a loss and what learns."""
        learns = any(variable.learns for variable in self.variables.values())
        return self.phase == "TRAIN" and bool(self.loss_weights) and learns

    def showing(self, blobs: Iterable[str]) -> Graph:
        """The graph with further blobs among its outputs."""
        extra = tuple(
            Port(name, self.blobs[name][-1], Role.RESULT)
            for name in dict.fromkeys(blobs)
            if name not in self.outputs
        )
        return replace(self.graph, outputs=(*self.graph.outputs, *extra))


def _layer_at(layer: LayerInfo, at: Substitution) -> LayerInfo:
    labels = layer.labels
    if labels is not None:
        labels = replace(labels, classes=at.part(labels.classes))
    bottoms, tops = layer.bottom_values, layer.top_values
    values = tuple(map(at.value, bottoms)), tuple(map(at.value, tops))
    if labels is layer.labels and values == (bottoms, tops):
        return layer
    return replace(layer, bottom_values=values[0], top_values=values[1], labels=labels)
