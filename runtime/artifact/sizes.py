"""Which other sizes an artifact may be run at, as its manifest says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from compiler.plan.reader import MOST_FORMS
from compiler.plan.saved import symbols_in_data
from ir.location import Location
from ir.size import Condition, Scope, Size, Symbol, form_of, symbols_of
from ir.size.scope import Relation
from ir.size.size import of_form
from ir.type_sizes import TypeSubstitution
from ir.types import TensorType

_MOST_CONDITIONS = 10_000
_FORMS = re.compile(r"\[[^\[\]\n]*\]|^[ \t]*(?:size|where)[ \t].*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SizeCondition:
    """What has to hold at any sizes: ``form`` is ``value``, is not, at least, at most that; and the
    layer that needs it."""

    form: int
    relation: str
    value: int
    layer: str = ""
    layer_type: str = ""
    file: str = ""
    line: int = 0

    @staticmethod
    def of(scope: Scope, condition: Condition) -> SizeCondition:
        place = condition.place
        form, relation = of_form(scope, condition.form), condition.relation
        names = place.layer, condition.layer_type, place.file, place.line
        return SizeCondition(form, relation, condition.value, *names)

    def holds_at(self, sizes: Mapping[str, int]) -> bool:
        """Whether it does where the symbols are these."""
        came = TypeSubstitution(sizes).number(self.form)
        place = Location(self.file, self.line, layer=self.layer)
        form: Any = ()
        relation: Any = self.relation
        return Condition(form, relation, self.value, place, self.layer_type).holds(came)

    def require(self, scope: Scope) -> None:
        """Have it hold in an open scope. Raises ValueError where it does not."""
        if not isinstance(self.form, Size):
            raise ValueError(f"{self.form!r:.60} is always the same")
        if self.relation not in get_args(Relation):
            raise ValueError(f"{self.relation!r:.60} is no relation")
        if any(symbols_in_data(replace(self, form=0))):
            raise ValueError("a size stands where only a number can")
        place = Location(self.file, self.line, layer=self.layer)
        condition = Condition(
            form_of(self.form), self.relation, self.value, place, self.layer_type  # type: ignore[arg-type]
        )  # fmt: skip
        if not condition.holds(self.form.value):
            raise ValueError(f"what holds of sizes does not: {condition}; it is {self.form.value}")
        with scope.at(place, self.layer_type):
            scope.require(condition.form, condition.relation, condition.value)


def require_conditions(
    scope: Scope, types: Mapping[str, TensorType], conditions: Sequence[SizeCondition]
) -> None:
    """Have the conditions hold in a scope, and close it. Raises ValueError for what makes no sense.

    Args:
        types: of the inputs, by name: each extent is a number or a symbol.
    """
    told: set[Symbol] = set()
    for name, type in types.items():
        for extent in type.shape:
            if isinstance(extent, Size):
                found = tuple(symbols_of(extent))
                if len(found) != 1 or form_of(extent) != (((found[0],), 1),):
                    raise ValueError(f"input {name!r:.60}: {type} has an extent that is no symbol")
                told.update(found)
    if lost := set(scope.symbols.values()) - told:
        raise ValueError(f"no input has the size {min(lost, key=lambda s: s.key).key!r:.60}")
    if len(conditions) > _MOST_CONDITIONS:
        raise ValueError(f"{len(conditions)} conditions are too many")
    for condition in conditions:
        condition.require(scope)
    scope.close()


def check_forms(text: str) -> None:
    """Raise ValueError where a graph's text has forms that take too long to read."""
    found = {match.group() for match in _FORMS.finditer(text)}
    if sum(len(form) for form in found if any(map(str.isalpha, form))) > MOST_FORMS:
        raise ValueError(f"its sizes take more than {MOST_FORMS} characters")
