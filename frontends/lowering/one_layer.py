"""Layers of a lowered net, lowered again one by one for other shapes of what they read.

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
from ir.program import LayerInfo, NetProgram
from ir.program_sizes import OtherSizes
from ir.types import TensorType

from .context import LayerContext
from .input_sizes import InputSizes, with_symbols
from .known_variables import KnownVariables
from .layer import lower_layer
from .layer_type import LayerType
from .probe import Probe

Shape = tuple[int, ...]


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
        self, net: Message, program: NetProgram, layers: Sequence[KnownLayer], probe: Probe | None
    ) -> None:
        self.net = net
        self.program = program
        self._layers = layers
        self._alone: dict[int, NetProgram] = {}  # by the layer's number, as it was lowered last
        self.probe = probe

    def layer(
        self,
        number: int,
        bottoms: Sequence[Shape],
        sizes: Mapping[str, Shape],
        *,
        runs_next: bool = True,
    ) -> NetProgram:
        """A layer alone, as a program of one layer that is otherwise part of this net.

        Lowered again only where it is no other size of what it was the last time.

        Args:
            bottoms: their shapes.
            sizes: shapes that they do not tell (`LayerInfo.sizes`).
            runs_next: whether it is about to run, so that its own `reshape` is left to that.

        Raises RoasteryError where the layer cannot take these shapes.
        """
        if number in self._alone:
            shapes = {
                **sizes,
                **dict(zip(self.program.layers[number].bottoms, bottoms, strict=True)),
            }
            with contextlib.suppress(OtherSizes):
                return self._alone[number].at(shapes)
        arguments = number, bottoms, sizes, runs_next
        program = with_symbols(lambda symbols: self._lowered(*arguments, symbols))
        if not self._layers[number].kind.host:  # the user's code may say something else each time
            self._alone[number] = program
        return program

    def _lowered(
        self,
        number: int,
        bottoms: Sequence[Shape],
        sizes: Mapping[str, Shape],
        runs_next: bool,
        symbols: InputSizes,
    ) -> NetProgram:
        info, known, net = self.program.layers[number], self._layers[number], self.program
        b = Builder(net.graph.name)
        reads = {
            name: b.input(name, TensorType(symbols.shape(shape), value.type.dtype), Role.DATA)
            for name, shape, value in zip(info.bottoms, bottoms, info.bottom_values, strict=True)
        }
        values = tuple(reads[name] for name in info.bottoms)
        variables = KnownVariables(net.variables, info.variables, known.hidden, known.streams)
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
        )
        tops = lower_layer(ctx, known.stopped)
        variables.finish(b)
        layer = replace(
            info,
            bottom_values=values,
            top_values=tops,
            first=0,
            last=len(b.nodes),
            labels=ctx.labels,
        )
        alone = replace(
            net,
            graph=b.finish(),
            layers=(layer,),
            variables=variables.used,
            blobs=_versions(net, info, layer),
            inputs=(),
            general=None,
            sizes=None,
        )
        return symbols.resolved(alone, sizes)


def _versions(net: NetProgram, whole: LayerInfo, alone: LayerInfo) -> dict[str, tuple[Value, ...]]:
    """The versions of each blob that a layer alone knows, and one more if a later layer makes it.

    Args:
        whole, alone: the layer in the whole net, and alone.
    """
    found: dict[str, list[Value]] = {}
    finished: set[str] = set()
    for names, old, new in (
        (whole.bottoms, whole.bottom_values, alone.bottom_values),
        (whole.tops, whole.top_values, alone.top_values),
    ):
        for name, before, value in zip(names, old, new, strict=True):
            found.setdefault(name, []).append(value)
            if before is net.blobs[name][-1]:
                finished.add(name)
    for name, values in found.items():
        if name not in finished:
            values.append(Value("later", values[-1].type))
    return {name: tuple(values) for name, values in found.items()}
