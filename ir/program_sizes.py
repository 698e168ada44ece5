"""Which sizes a program may have: its symbols, what they stand for, and what has to hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from .printable import readable
from .size import Condition, Evaluation, Scope, Size, form_text, symbols_of
from .size.facts import equalities, names, simplest, together, without_number, zero_text
from .size.form import Form, add, of_atom, of_number
from .types import TensorType, shape_text

Shape = tuple[int, ...]
Inputs = Mapping[str, TensorType]

_WHAT = {"N": "the batch size", "H": "the image height", "W": "the image width"}


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
        words = name
        for blob, type in self.inputs.items():
            for axis, size in enumerate(type.shape):
                if isinstance(size, Size) and form_text(size.form) == name:
                    if name[0] in _WHAT and (axis == 0 or type.rank == 4):
                        return f"{_WHAT[name[0]]} ({name})"
                    words = f"axis {axis} of '{readable(blob)}' ({name})"
        return words

    def sentence(self, condition: Condition) -> str:
        """ "the image height (H) is fixed at 28: layer 'ip1' (InnerProduct), net.prototxt:61"."""
        if condition.relation == "==" and not self._is_symbol(condition.form):
            zero = simplest(add(condition.form, of_number(-condition.value)))
            return f"{zero_text(zero)}: {_layer(condition)}".removesuffix(": ")
        form, relation, value = without_number(condition)
        name = self.what(form_text(form))
        said = {"==": "is fixed at", "!=": "is not", ">=": "is at least", "<=": "is at most"}
        return f"{name} {said[relation]} {value}: {_layer(condition)}".removesuffix(": ")

    def _is_symbol(self, form: Form) -> bool:
        return form_text(form) in self.scope.symbols

    def sentences(self) -> Iterator[str]:
        """A sentence for each symbol, or for those that change only together: that they may change,
        and what has to hold; or what fixes them."""
        fixed, zeros = equalities(self.scope)
        seen: set[str] = set()
        for name, known in self.scope.symbols.items():
            if name in fixed:
                where = _layer(fixed[name])
                yield f"{self.what(name)} is fixed at {known.value}: {where}".removesuffix(": ")
            elif name not in seen:
                group = together(name, zeros)
                seen |= group
                yield self._may_change(group, zeros)

    def _may_change(self, group: Set[str], zeros: Mapping[Form, Condition]) -> str:
        members = [name for name in self.scope.symbols if name in group]
        whats = _listed([self.what(name) for name in members])
        now = _listed([str(self.values[name]) for name in members])
        facts = "; ".join(
            f"{zero_text(zero)} for {_layer(condition)}".removesuffix(" for ")
            for zero, condition in zeros.items()
            if not group.isdisjoint(names(zero))
        )
        if len(group) > 1:
            return f"{whats} may change only together (they are {now}): {facts}"
        return f"{whats} may change: it is {now}" + (f", and {facts}" if facts else "")


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _layer(condition: Condition) -> str:
    """ "layer 'ip1' (InnerProduct), net.prototxt:61"; empty where none asked."""
    place = condition.place
    where = f"layer '{readable(place.layer)}' ({condition.layer_type})" if place.layer else ""
    if place.file:
        where += f", {readable(place.file)}" + (f":{place.line}" if place.line else "")
    return where


def _now(type: TensorType) -> Shape:
    return tuple(size.value if isinstance(size, Size) else size for size in type.shape)


def asked_sizes(names: Iterable[str], inputs: Inputs) -> tuple[str, ...]:
    """The names of shapes that layers asked for, and that are no inputs'."""
    return tuple(name for name in dict.fromkeys(names) if name not in inputs)
