"""Which sizes a program may have: its symbols, what they stand for, and what has to hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .printable import readable
from .size import Condition, Evaluation, Scope, Size, form_text, symbols_of
from .size.form import of_atom, symbols
from .types import TensorType, shape_text

Shape = tuple[int, ...]
Inputs = Mapping[str, TensorType]

_WHAT = {0: "the batch size", 2: "the image height", 3: "the image width"}


class OtherSizes(Exception):
    """A program is not that of a net at these sizes: the net has to be lowered for them."""


@dataclass(frozen=True, slots=True)
class ProgramSizes:
    """What a program says of its sizes.

    Attributes:
        scope: where its symbols and conditions are.
        inputs: its inputs by name, with their sizes, and what running told of others.
        given: shapes that the net was lowered with, by name, of inputs and of what only running
            tells. asked: names of the latter that are fixed.
    """

    scope: Scope
    inputs: Inputs
    given: Mapping[str, Shape]
    asked: tuple[str, ...]

    @property
    def values(self) -> dict[str, int]:
        """The symbols' values at the sizes at hand."""
        return {name: known.value for name, known in self.scope.symbols.items()}

    def values_for(
        self, shapes: Mapping[str, Sequence[int]], guess: Mapping[str, int] | None = None
    ) -> dict[str, int]:
        """The symbols' values where inputs have other shapes.

        Args:
            shapes: of those inputs that change, and of what only running tells.
            guess: values for symbols that are no extent by themselves, at which all conditions
                hold; None: those at hand.

        Raises OtherSizes where the program is none of a net with these shapes.
        """
        told: dict[str, int] = {}
        wanted = {name: tuple(shapes.get(name, _now(type))) for name, type in self.inputs.items()}
        for name, type in self.inputs.items():
            self._match(name, type, wanted[name], told)
        guess = self.values if guess is None else guess
        values = {**guess, **told}
        at = Evaluation(values)
        for name in self.asked:
            if shapes.get(name, self.given.get(name)) != self.given.get(name):
                raise OtherSizes(f"'{readable(name)}' has another shape")
        failing = None if values == guess else at.failing(self.scope.conditions)
        if failing is not None:
            raise OtherSizes(self.sentence(failing))
        for name, type in self.inputs.items():
            if tuple(map(at.size, type.shape)) != wanted[name]:
                raise OtherSizes(f"'{readable(name)}' is {shape_text(wanted[name])}")
        return values

    def _match(self, name: str, type: TensorType, shape: Shape, values: dict[str, int]) -> None:
        """Take the values of those symbols from the shape of an input that are extents of it."""
        shown = f"'{readable(name)}' is {shape_text(shape)}"
        if len(shape) != type.rank:
            raise OtherSizes(f"{shown}: it had {type.rank} axes")
        for axis, (size, extent) in enumerate(zip(type.shape, shape, strict=True)):
            if not isinstance(size, Size):
                if size != extent:
                    raise OtherSizes(f"{shown}: axis {axis} is {size}")
                continue
            (known, *_) = symbols_of(size)
            if size.form != of_atom(known):
                continue
            if extent < 1:
                raise OtherSizes(f"{shown}: {self.what(known.key)} is at least 1")
            if values.setdefault(known.key, extent) != extent:
                raise OtherSizes(f"{shown}: {self.what(known.key)} is {values.get(known.key)}")

    # --- for users ------------------------------------------------------------------------

    def what(self, name: str) -> str:
        """A symbol in words: "the image height (H)"."""
        for type in self.inputs.values():
            for axis, size in enumerate(type.shape):
                if isinstance(size, Size) and form_text(size.form) == name:
                    return f"{_WHAT.get(axis, f'axis {axis}')} ({name})"
        return name

    def sentence(self, condition: Condition) -> str:
        """ "the image height (H) is fixed at 28: layer 'ip1' (InnerProduct), net.prototxt:61"."""
        form, value = form_text(condition.form), condition.value
        name = self.what(form) if form in self.scope.symbols else form
        said = {"==": "is fixed at", "!=": "is not", ">=": "is at least", "<=": "is at most"}
        place = condition.place
        where = f"layer '{readable(place.layer)}' ({condition.layer_type})" if place.layer else ""
        if place.file:
            where += f", {readable(place.file)}" + (f":{place.line}" if place.line else "")
        return f"{name} {said[condition.relation]} {value}" + (f": {where}" if where else "")

    def sentences(self) -> Iterator[str]:
        """A sentence for each symbol: that it may change, or what fixes it; then what must stay."""
        equal = {c.form: c for c in self.scope.conditions if c.relation == "=="}
        fixed = set()
        for name, known in self.scope.symbols.items():
            condition = equal.pop(of_atom(known), None)
            if condition is None:
                yield f"{self.what(name)} may change: it is {known.value}"
            else:
                fixed.add(known)
                yield self.sentence(condition)
        for form, condition in equal.items():
            if not fixed.issuperset(symbols(form)):
                yield self.sentence(condition)


def _now(type: TensorType) -> Shape:
    return tuple(size.value if isinstance(size, Size) else size for size in type.shape)


def asked_sizes(names: Iterable[str], inputs: Inputs) -> tuple[str, ...]:
    """The names of shapes that layers asked for, and that are no inputs'."""
    return tuple(name for name in dict.fromkeys(names) if name not in inputs)
