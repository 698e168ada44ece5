"""Layers of a lowered net, lowered again alone for other shapes of what they read.

Caffe reshapes each layer inside its own forward (include/caffe/layer.hpp, Layer::Forward), so that
a layer that does not run is not looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from frontends.prototxt.message import Message
from ir.build import Builder
from ir.graph import Role, Value
from ir.ops.ranks import Averages
from ir.program import LayerInfo, NetProgram
from ir.program_part import ProgramPart
from ir.program_sizes import OtherSizes
from ir.types import TensorType

from .context import LayerContext
from .input_sizes import InputSizes, with_symbols
from .known_variables import KnownVariables
from .layer import lower_layer
from .layer_type import LayerType
from .probe import Probe

Shape = tuple[int, ...]

_KEPT = 4
"""Of so many lowerings of the same layers other sizes are tried."""


@dataclass(frozen=True)
class KnownLayer:
    """What only the lowering of the whole net can tell of a layer.

    ``stopped``: per bottom, whether a gradient could flow to it, but may not. ``hidden``: variables
    by the layer's own names for them. ``streams``: random streams that earlier layers draw from.
    """

    message: Message
    kind: LayerType
    phase: str
    stopped: tuple[bool, ...]
    hidden: Mapping[str, str]
    streams: int


class LayerLowering:
    """A lowered net, whose layers can be lowered alone.

    Attributes:
        net: the message as it was lowered, with its Split layers; what a snapshot describes.
        program: the net as a whole.
    """

    def __init__(
        self,
        net: Message,
        program: NetProgram,
        layers: Sequence[KnownLayer],
        probe: Probe | None,
        ranks: Averages | None = None,
    ) -> None:
        self.net = net
        self.program = program
        self._layers = layers
        self._parts: dict[tuple[int, int], list[ProgramPart]] = {}  # lowered alone, newest first
        self._told: tuple[Mapping[str, Shape], Mapping[str, int]] = {}, program.values
        self.probe = probe
        self._ranks = ranks

    def part(
        self,
        first: int,
        last: int,
        sizes: Mapping[str, Shape],
        *,
        inputs: Mapping[str, Shape],
        alone: bool = False,
        runs_next: bool = True,
    ) -> ProgramPart:
        """The layers ``first`` to ``last`` (excluded) where what they read has these shapes.

        They are those of the net, lowered again only where they are no other size of what they
        were before: then they are a program of their own.

        Args:
            sizes: shapes of the blobs that they read from outside, and shapes that those do not
                tell (`LayerInfo.sizes`), by name.
            inputs: shapes of the net's inputs by now: most often ``sizes`` come from them.
            alone: they are never those of the net.
            runs_next: whether they are about to run, so that a layer's own `reshape` is left to
                that.

        Raises RoasteryError where a layer cannot take these shapes.
        """
        # The user's code may say something else each time.
        again = any(layer.kind.user_code for layer in self._layers[first:last])
        known = [] if again else self._parts.setdefault((first, last), [])
        if not again and not alone:
            with contextlib.suppress(OtherSizes):
                return ProgramPart.of(self.program, first, last).at(sizes, self._values(inputs))
        for part in known:
            with contextlib.suppress(OtherSizes):
                found = part.at(sizes)
                known.remove(part)
                break
        else:
            lowered = with_symbols(lambda made: self._lowered(first, last, sizes, runs_next, made))
            part = found = ProgramPart.of(lowered)
        known.insert(0, part)
        del known[_KEPT:]
        return found

    def _values(self, inputs: Mapping[str, Shape]) -> Mapping[str, int]:
        """What the net's symbols are where its inputs have these shapes; else what they were."""
        if self.program.sizes is not None and self._told[0] != inputs:
            with contextlib.suppress(OtherSizes):
                self._told = inputs, self.program.sizes.values_for(inputs)
        return self._told[1]

    def _lowered(
        self,
        first: int,
        last: int,
        sizes: Mapping[str, Shape],
        runs_next: bool,
        symbols: InputSizes,
    ) -> NetProgram:
        net = self.program
        b, variables = Builder(net.graph.name), KnownVariables(net.variables)
        versions: dict[str, list[Value]] = {}
        latest: dict[str, Value] = {}  # as the net has them
        layers: list[LayerInfo] = []
        for info, known in zip(net.layers[first:last], self._layers[first:last], strict=True):
            for name, value in zip(info.bottoms, info.bottom_values, strict=True):
                if name not in versions:
                    type = TensorType(symbols.shape(sizes[name]), value.type.dtype)
                    versions[name] = [b.input(name, type, Role.DATA)]
                    latest[name] = value
            values = tuple(versions[name][-1] for name in info.bottoms)
            variables.begin(info.variables, known.hidden, known.streams)
            start = len(b.nodes)
            ctx = LayerContext(
                b,
                known.kind,
                known.message,
                values,
                info.tops,
                known.phase,
                variables,
                self.probe,
                sizes,
                info.key,
                symbols,
                runs_next,
                self._ranks,
            )
            tops = lower_layer(ctx, known.stopped)
            for name, top in zip(info.tops, tops, strict=True):
                versions.setdefault(name, []).append(top)
            latest.update(zip(info.tops, info.top_values, strict=True))
            layers.append(
                replace(
                    info,
                    bottom_values=values,
                    top_values=tops,
                    first=start,
                    last=len(b.nodes),
                    labels=ctx.labels,
                )
            )
        variables.finish(b)
        for name, value in latest.items():
            if value is not net.blobs[name][-1]:  # a layer behind these writes it in place
                versions[name].append(Value("later", versions[name][-1].type))
        alone = replace(
            net,
            graph=b.finish(),
            layers=tuple(layers),
            variables=variables.used,
            blobs={name: tuple(values) for name, values in versions.items()},
            inputs=(),
            general=None,
            sizes=None,
        )
        return symbols.resolved(alone, sizes)
