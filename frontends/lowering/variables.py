"""Parameters and state of a net while it is lowered: sharing, ParamSpecs, writes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from frontends.prototxt.message import Message
from ir import expr as e
from ir.build import Builder
from ir.errors import RoasteryError
from ir.graph import Role, Value
from ir.program import PROGRESS, RANDOM_STATE, FillerSpec, Variable
from ir.types import F32, U32, DType, TensorType

if TYPE_CHECKING:
    from .context import LayerContext

_MULTIPLIERS = ("lr_mult", "decay_mult")


@dataclass
class VariableTable:
    """All variables of one net, in the order layers made them.

    ``blobs``: names that no variable may have, because a blob of the net has them. ``forced``: the
    net has force_backward, and every parameter a diff.
    """

    blobs: frozenset[str] = frozenset()
    forced: bool = False
    variables: dict[str, Variable] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)  # current value by variable name
    written: dict[str, Value] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)  # ParamSpec name -> variable
    #: Variables with a multiplier that some layer has set.
    _stated: set[tuple[str, str]] = field(default_factory=set)
    _readers: dict[Value, str] = field(default_factory=dict)
    streams: int = 0  # of random numbers, so far

    def blob(
        self,
        ctx: LayerContext,
        type: TensorType,
        filler: FillerSpec,
        learns: bool,
        overrules: bool,
    ) -> Value:
        """The layer's next blob; an earlier layer's if its ParamSpec has the same name."""
        mine = ctx.owned
        index = len(mine)
        specs: list[Message] = ctx.layer.param
        spec = specs[index] if index < len(specs) else None
        asked = spec is not None and spec.has("lr_mult") and spec.lr_mult != 0.0
        if spec is not None and asked and not learns and not overrules:
            raise RoasteryError(
                f"lr_mult is {spec.lr_mult:g}, but blob {index} of {ctx.kind.title} is a "
                "statistic, which no solver may change",
                location=replace(spec.location_of("lr_mult"), layer=ctx.name),
                hint="remove it, or set lr_mult: 0",
            )
        shared = spec.name if spec is not None else ""
        if spec is not None and shared in self._owners:
            owner = self._owners[shared]
            self._check_sharing(ctx, type, spec, self.variables[owner])
            mine.append(owner)
            value = self.values[owner]
            if value.shape != type.shape:  # PERMISSIVE: the same elements, another shape
                value = ctx.b.reshape(value, type.shape)
                self._readers[value] = owner
            return value
        name = self._free_name(ctx.name, str(index))
        lr = spec.lr_mult if spec is not None else 1.0
        if ctx.layer.freeze_learning:
            lr = 0.0
        decay = spec.decay_mult if spec is not None else 1.0
        variable = Variable(
            name=name,
            type=type,
            role=Role.PARAMETER if learns else Role.STATE,
            filler=filler,
            layer=ctx.name,
            index=index,
            lr_mult=lr if learns else 0.0,
            decay_mult=decay,
            param_name=shared,
            location=ctx.location,
            forced=self.forced,
            owner=ctx.key,
        )
        if spec is not None and shared:
            self._owners[shared] = name
            self._stated.update((name, m) for m in _MULTIPLIERS if spec.has(m))
        mine.append(name)
        return self._add(ctx.b, variable)

    def _check_sharing(
        self,
        ctx: LayerContext,
        type: TensorType,
        spec: Message,
        owner: Variable,
    ) -> None:
        # Caffe: src/caffe/net.cpp, AppendParam.
        place = replace(spec.location, layer=ctx.name)
        permissive = spec.share_mode == "PERMISSIVE"
        if permissive and math.prod(type.shape) != owner.type.size:
            raise RoasteryError(
                f"cannot share param '{spec.name}' owned by layer '{owner.layer}': "
                f"{list(owner.type.shape)} ({owner.type.size}) and {list(type.shape)} "
                f"({type.size}) differ in the number of elements",
                location=place,
            )
        if not permissive and type.shape != owner.type.shape:
            raise RoasteryError(
                f"cannot share param '{spec.name}' owned by layer '{owner.layer}' with layer "
                f"'{ctx.name}': its shape is {list(owner.type.shape)}, this layer needs "
                f"{list(type.shape)}",
                location=place,
                hint="share_mode: PERMISSIVE compares only the number of elements",
            )
        for name in _MULTIPLIERS:
            if not spec.has(name):
                continue
            theirs = getattr(self.variables[owner.name], name)
            if (owner.name, name) in self._stated and spec[name] != theirs:
                raise RoasteryError(
                    f"shared param '{spec.name}' has {name} {spec[name]:g} here, and {theirs:g} "
                    f"where it is shared before (layer '{owner.layer}' owns it)",
                    location=replace(spec.location_of(name), layer=ctx.name),
                    hint="give both the same value, or leave it out here",
                )
            if owner.role is Role.PARAMETER:
                self.variables[owner.name] = replace(
                    self.variables[owner.name], **{name: spec[name]}
                )
            self._stated.add((owner.name, name))

    def hidden(
        self, ctx: LayerContext, name: str, type: TensorType, start: float | FillerSpec
    ) -> Value:
        if name in ctx.hidden:
            return self.values[ctx.hidden[name]]
        full = ctx.hidden[name] = self._free_name(ctx.name, f"@{name}")
        return self._add(
            ctx.b,
            Variable(
                name=full,
                type=type,
                role=Role.STATE,
                filler=start if isinstance(start, FillerSpec) else FillerSpec(value=start),
                layer=ctx.name,
                index=-1,
                lr_mult=0.0,
                decay_mult=0.0,
                location=ctx.location,
                owner=ctx.key,
            ),
        )

    def _free_name(self, layer: str, last: str) -> str:
        """``layer/last``, or another where a layer or a blob of the net has taken this name."""
        name, count = f"{layer}/{last}", 1
        while name in self.variables or name in self.blobs:
            count += 1
            name = f"{layer}@{count}/{last}"
        return name

    def _add(self, b: Builder, variable: Variable) -> Value:
        value = b.input(variable.name, variable.type, variable.role)
        self.variables[variable.name] = variable
        self.values[variable.name] = value
        self._readers[value] = variable.name
        return value

    def write(self, variable: Value, new: Value) -> None:
        name = self._readers[variable]
        if new.type != self.variables[name].type:
            raise ValueError(f"{name} is {self.variables[name].type}, not {new.type}")
        self.values[name] = new
        self._readers[new] = name
        self.written[name] = new

    def random(self, b: Builder) -> Value:
        """The random state before this pass; the first use adds the variable."""
        return self._of_the_net(b, RANDOM_STATE, U32)

    def progress(self, b: Builder) -> Value:
        """How far training is; the first use adds the variable."""
        return self._of_the_net(b, PROGRESS, F32)

    def _of_the_net(self, b: Builder, name: str, dtype: DType) -> Value:
        """Two numbers that no layer has for itself."""
        if name not in self.variables:
            self._add(
                b,
                Variable(
                    name=name,
                    type=TensorType((2,), dtype),
                    role=Role.STATE,
                    filler=FillerSpec(),
                    layer="",
                    index=-1,
                    lr_mult=0.0,
                    decay_mult=0.0,
                ),
            )
        return self.values[name]

    def next_stream(self) -> int:
        self.streams += 1
        return self.streams

    def finish(self, b: Builder) -> None:
        """Add the write-backs as STATE outputs; count one more pass in the random state."""
        if RANDOM_STATE in self.variables:
            step = e.where(e.equal(e.index(0), 1), e.const(1, U32), e.const(0, U32))
            variable = self.values[RANDOM_STATE]
            with b.at(hint="random_step"):
                self.written[RANDOM_STATE] = b.map(e.arg(0, U32) + step, variable)
        for name, value in self.written.items():
            b.output(name, value, Role.STATE)
