"""What a layer's lowering sees: its parameters, its bottoms, and the graph to build on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from frontends.prototxt.message import Message
from ir import expr as e
from ir.build import Builder
from ir.errors import RoasteryError
from ir.expr import Expr
from ir.graph import Role, Value
from ir.location import Location
from ir.ops.ranks import Averages
from ir.program import FillerSpec, Labels
from ir.types import U32, TensorType

from .fillers import filler_spec
from .input_sizes import InputSizes
from .layer_type import LayerType
from .probe import Probe

_ENDLESS = (1 << 31) - 1
"""More rows than any tensor has."""


class Variables(Protocol):
    """Where a layer's parameters and state are: a net's `VariableTable`, or a known one's."""

    def blob(
        self,
        ctx: LayerContext,
        type: TensorType,
        filler: FillerSpec,
        learns: bool,
        overrules: bool,
    ) -> Value: ...
    def hidden(
        self, ctx: LayerContext, name: str, type: TensorType, start: float | FillerSpec
    ) -> Value: ...
    def write(self, variable: Value, new: Value) -> None: ...
    def random(self, b: Builder) -> Value: ...
    def progress(self, b: Builder) -> Value: ...
    def next_stream(self) -> int: ...


class AskedShapes(Mapping[str, tuple[int, ...]]):
    """Shapes by name that remembers the names a layer asked for, whether they were there or not."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._shapes = shapes
        self._asked: dict[str, None] = {}

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(self._asked)

    def __getitem__(self, name: str) -> tuple[int, ...]:
        self._asked[name] = None
        return self._shapes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)


class LayerContext:
    """One layer being lowered.

    Attributes:
        b: the builder; nodes get the layer's name and place by themselves.
        layer: the LayerParameter (upgraded). param: its typed parameters (``pooling_param``).
        key: the layer's own name in the net, which no other layer has.
        bottoms: the values it reads. top_count: how many tops the prototxt names.
        phase: "TRAIN" or "TEST".
        shapes: shapes of net inputs that replace those of the prototxt, and sizes that the
            runtime found out, by name.
        runs_next: the layer is lowered because it is about to run: a Python layer's `reshape` is
            left to its forward, so that it is called once, as in Caffe's Layer::Forward.
        ranks: with whom statistics of a batch are shared; None: they are those of the own records.
    """

    def __init__(
        self,
        b: Builder,
        kind: LayerType,
        layer: Message,
        bottoms: tuple[Value, ...],
        tops: tuple[str, ...],
        phase: str,
        variables: Variables,
        probe: Probe | None,
        shapes: Mapping[str, tuple[int, ...]],
        key: str,
        sizes: InputSizes,
        runs_next: bool = False,
        ranks: Averages | None = None,
    ) -> None:
        self.b = b
        self.kind = kind
        self.layer = layer
        self.name: str = layer.name
        self.key = key
        self.bottoms = bottoms
        self.tops = tops
        self.phase = phase
        self.variables = variables
        self._probe = probe
        self.shapes = shapes
        self._sizes = sizes
        self.runs_next = runs_next
        self.ranks = ranks
        self.source: Any = None  # what the runtime opens; set by layers it feeds
        self.labels: Labels | None = None  # see `takes_labels`
        self.shares_data = kind.shares_data  # a lowering may find that its tops are other data
        self.owned: list[str] = []  # names of the layer's variables, in the order of its blobs
        self.hidden: dict[str, str] = {}  # hidden state -> its variable
        self.notes: list[str] = []  # see `note`

    @property
    def param(self) -> Message:
        message: Message = self.layer[self.kind.param]
        return message

    @property
    def top_count(self) -> int:
        return len(self.tops)

    @property
    def train(self) -> bool:
        return self.phase == "TRAIN"

    @property
    def x(self) -> Value:
        """The first bottom."""
        return self.bottoms[0]

    @property
    def location(self) -> Location:
        return replace(self.layer.location, layer=self.name)

    @property
    def probe(self) -> Probe:
        if self._probe is None:
            raise self.error(f"{self.kind.title} needs files or code, which this call lacks")
        return self._probe

    # --- errors -----------------------------------------------------------------------

    def error(
        self, message: str, field: str | None = None, hint: str | None = None, index: int = 0
    ) -> RoasteryError:
        """An error at the layer, or at a field of its parameters; raise what is returned.

        ``index`` counts the values of a repeated field ("bottom").
        """
        place = self.layer.location
        if field is not None:
            for holder in ([self.param] if self.kind.param else []) + [self.layer]:
                if field in holder.message_type.fields:
                    place = holder.location_of(field, index)
                    break
        place = replace(place, layer=self.name, field=field or "")
        return RoasteryError(message, location=place, hint=hint)

    def check(
        self,
        condition: bool,
        message: str,
        field: str | None = None,
        hint: str | None = None,
        index: int = 0,
    ) -> None:
        """Raise :meth:`error` unless the condition holds."""
        if not condition:
            raise self.error(message, field, hint, index)

    def check_bottoms_alike(self) -> None:
        """All bottoms have one shape, as a layer needs it that shares its weights between them."""
        first = self.x.shape
        for i, other in enumerate(self.bottoms[1:], 1):
            self.check(
                other.shape == first,
                f"bottom {i} has shape {list(other.shape)}, bottom 0 has {list(first)}",
                "bottom",
                "all bottoms of the layer share its weights and need one shape",
                i,
            )

    def axis(self, axis: int, field: str = "axis") -> int:
        """``axis`` counted from the front; negative ones count from the end."""
        rank = self.x.type.rank
        self.check(
            -rank <= axis < rank,
            f"axis {axis} is out of range for a blob with {rank} axes, shape {list(self.x.shape)}",
            field,
            f"axes go from {-rank} to {rank - 1}; negative ones count from the end",
        )
        return axis % rank

    def takes_labels(
        self,
        classes: int,
        ignored: int | None = None,
        bottom: int = 1,
        *,
        counts_others: bool = False,
        scores: int | None = None,
    ) -> None:
        """Say that a bottom holds class numbers: whole numbers from 0 to ``classes`` - 1.

        Others are then refused where they are read from data. ``ignored`` is taken, too.
        With ``counts_others`` the layer makes something of them, and takes those that another layer
        on the same data ignores. ``scores``: the axis of bottom 0 that has a score for each.
        """
        self.labels = Labels(bottom, classes, ignored, counts_others=counts_others, scores=scores)

    def takes_boxes(
        self, bottom: int, classes: int, background: int, rows: tuple[int, int]
    ) -> None:
        """Likewise, that it holds boxes with class numbers: rows of (width, column of the class).
        None of them may be ``background``."""
        self.labels = Labels(bottom, classes, None, rows, background)

    def note(self, message: str, field: str | None = None) -> None:
        """Tell users what they may not expect, with the place of :meth:`error`."""
        self.notes.append(f"{self.error(message, field).location}: {message}")

    def deciding(self, place: Location) -> AbstractContextManager[None]:
        """While the layer is lowered: what it takes for granted of sizes is its own."""
        return self._sizes.scope.at(place, self.kind.name)

    def input(self, top: str, shape: Sequence[int]) -> Value:
        """A top that the caller or a data source feeds. Its extents may change but for axis 1."""
        return self.b.input(top, TensorType(self._sizes.shape(shape)), Role.DATA)

    def told(self, name: str, default: int) -> int:
        """A number that only a run tells: what the last one told under this name, if one did.

        It may be more than there could be.
        """
        if self._sizes.most_rows:
            return _ENDLESS
        if name not in self.shapes:
            return default
        (number,) = self.shapes[name]
        return self._sizes.told(name, number)

    # --- variables ------------------------------------------------------------------------

    def parameter(
        self,
        shape: Sequence[int],
        filler: Message | FillerSpec | float = 0.0,
        *,
        learns: bool = True,
        overrules: bool = False,
    ) -> Value:
        """The layer's next blob (``net.params[layer][i]``), shared if the ParamSpec names it.

        ``learns=False``: statistics, whose lr_mult is 0. A prototxt that gives another is refused,
        unless the layer ``overrules`` it without a word, as some forks' do.
        """
        if isinstance(filler, Message):
            spec = filler_spec(filler)
        elif isinstance(filler, FillerSpec):
            spec = filler
        else:
            spec = FillerSpec(value=float(filler))
        # Weights have the shape they have: it fixes the sizes that it follows from.
        return self.variables.blob(
            self, TensorType(tuple(map(int, shape))), spec, learns, overrules
        )

    def state(self, name: str, type: TensorType, start: float | FillerSpec = 0.0) -> Value:
        """Hidden state of the layer, by name (a recurrent layer's h_T)."""
        return self.variables.hidden(self, name, type, start)

    def write(self, variable: Value, new: Value) -> None:
        """Give what :meth:`parameter` or :meth:`state` gave a new value after forward."""
        self.variables.write(variable, new)

    def progress(self) -> Value:
        """f32[2]: the solver's iteration and the one with which it ends; zeros without a solver."""
        return self.variables.progress(self.b)

    # --- random numbers ---------------------------------------------------------------

    def uniform(self, first: int, rank: int) -> tuple[Expr, list[Value]]:
        """Uniform [0, 1) per element of a pointwise op of ``rank`` axes.

        Returns the expression and the two values it reads, which must be the inputs number
        ``first`` and ``first + 1`` of that op. Every call is an independent stream; the numbers
        change with every forward pass and are the same in the backward pass that follows it.
        """
        variable = self.variables.random(self.b)
        ones = (1,) * rank
        parts = [self.b.reshape(self.b.slice(variable, 0, i, i + 1), ones) for i in (0, 1)]
        stream = self.variables.next_stream()
        drawn = e.rand(e.arg(first, U32), e.linear(), stream, e.arg(first + 1, U32))
        return drawn, parts
