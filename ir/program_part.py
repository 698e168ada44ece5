"""Some layers of a program, which run by themselves at sizes of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .program import LayerInfo, NetProgram
from .program_sizes import OtherSizes, ProgramSizes, Shape, asked_sizes
from .types import TensorType


@dataclass(frozen=True, slots=True)
class ProgramPart:
    """The layers ``first`` to ``last`` (excluded) of a program, at some sizes.

    Attributes:
        program: its types may hold symbols.
        sizes: its symbols and conditions; None where no size may change.
        values: what the symbols are for these layers.
    """

    program: NetProgram
    first: int
    last: int
    sizes: ProgramSizes | None
    values: Mapping[str, int]

    @staticmethod
    def of(program: NetProgram, first: int = 0, last: int | None = None) -> ProgramPart:
        """Layers of a program at the sizes that it has."""
        last = len(program.layers) if last is None else last
        return ProgramPart(program.general or program, first, last, program.sizes, program.values)

    @property
    def layers(self) -> Sequence[LayerInfo]:
        return self.program.layers[self.first : self.last]

    def at(
        self, shapes: Mapping[str, Shape], guess: Mapping[str, int] | None = None
    ) -> ProgramPart:
        """These layers where what they read has other shapes.

        Args:
            shapes: of the blobs that they read, and of what those do not tell, by name.
            guess: values for the symbols that these shapes do not tell by themselves (of
                ``(H + 1) // 2`` they tell no ``H``), at which all conditions hold.

        Raises OtherSizes where the layers are not the same there.
        """
        if self.sizes is None:
            raise OtherSizes("all sizes are fixed")
        return replace(self, values=self._own(self.sizes, shapes).values_for(shapes, guess))

    def _own(self, sizes: ProgramSizes, shapes: Mapping[str, Shape]) -> ProgramSizes:
        """The program's sizes as these layers read them."""
        nodes = self.program.graph.nodes[self.layers[0].first : self.layers[-1].last]
        made = {value for node in nodes for value in node.outputs}
        found: dict[str, TensorType] = {}
        for layer in self.layers:
            for name, value in zip(layer.bottoms, layer.bottom_values, strict=True):
                if value not in made:
                    found.setdefault(name, value.type)
            tops = dict(zip(layer.tops, layer.top_values, strict=True))
            for name in layer.sizes:
                if name in tops:
                    found.setdefault(name, tops[name].type)
                elif name in sizes.inputs:  # a number that a run told
                    found.setdefault(name, sizes.inputs[name])
        asked = asked_sizes((name for layer in self.layers for name in layer.sizes), found)
        known = {name: type for name, type in found.items() if name in shapes}
        return replace(sizes, inputs=known, asked=asked)
