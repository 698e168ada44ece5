"""Variables as the whole net has them, for layers that are lowered alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ir.build import Builder
from ir.graph import Role, Value
from ir.program import PROGRESS, RANDOM_STATE, FillerSpec, Variable
from ir.types import TensorType

from .context import LayerContext


class KnownVariables:
    """Implements :class:`frontends.lowering.context.Variables` over what a net was given.

    Args:
        variables: of the whole net.

    Attributes:
        used: the variables that were read, hidden ones with the type that they have now.
    """

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self.used: dict[str, Variable] = {}
        self._variables = variables
        self._owned: Sequence[str] = ()
        self._hidden: Mapping[str, str] = {}
        self._streams = 0
        self._values: dict[str, Value] = {}
        self._readers: dict[Value, str] = {}
        self._written: dict[str, Value] = {}

    def begin(self, owned: Sequence[str], hidden: Mapping[str, str], streams: int) -> None:
        """Go on to a layer.

        Args:
            owned: its blobs in order, each under its owner's name.
            hidden: variables of its hidden state, by the layer's own names.
            streams: random streams that earlier layers draw from.
        """
        self._owned, self._hidden, self._streams = owned, hidden, streams

    def blob(
        self,
        ctx: LayerContext,
        type: TensorType,
        filler: FillerSpec,
        learns: bool,
        overrules: bool,
    ) -> Value:
        """The layer's next blob. Raises RoasteryError where the input wants another shape of it."""
        index = len(ctx.owned)
        variable = self._variables[self._owned[index]]
        ctx.owned.append(variable.name)
        value = self._read(ctx.b, variable)
        if value.shape == type.shape:
            return value
        specs = ctx.layer.param
        permissive = index < len(specs) and specs[index].share_mode == "PERMISSIVE"
        if not permissive or value.type.size != type.size:
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", ctx.kind.name).lower()
            raise ctx.error(
                f"input size incompatible with {words} parameters: blob {index} of layer "
                f"'{ctx.name}' has shape {list(value.shape)}; at this size of the input it would "
                f"need {list(type.shape)}",
                hint="layers such as InnerProduct take one size of input only",
            )
        shaped = ctx.b.reshape(value, type.shape)
        self._readers[shaped] = variable.name
        return shaped

    def hidden(
        self, ctx: LayerContext, name: str, type: TensorType, start: float | FillerSpec
    ) -> Value:
        ctx.hidden[name] = self._hidden[name]
        return self._read(ctx.b, replace(self._variables[self._hidden[name]], type=type))

    def write(self, variable: Value, new: Value) -> None:
        name = self._readers[variable]
        if new.type != self.used[name].type:
            raise ValueError(f"{name} is {self.used[name].type}, not {new.type}")
        self._values[name] = self._written[name] = new
        self._readers[new] = name

    def random(self, b: Builder) -> Value:
        return self._read(b, self._variables[RANDOM_STATE])

    def progress(self, b: Builder) -> Value:
        return self._read(b, self._variables[PROGRESS])

    def next_stream(self) -> int:
        self._streams += 1
        return self._streams

    def finish(self, b: Builder) -> None:
        """Add the write-backs as STATE outputs."""
        for name, value in self._written.items():
            b.output(name, value, Role.STATE)

    def _read(self, b: Builder, variable: Variable) -> Value:
        if variable.name not in self._values:
            value = b.input(variable.name, variable.type, variable.role)
            self.used[variable.name] = variable
            self._values[variable.name] = value
            self._readers[value] = variable.name
        return self._values[variable.name]
