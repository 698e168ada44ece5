"""Where symbols come from, and what was taken for granted of them."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ir.location import Location

from . import form as f
from .form import Atom, Form
from .text import form_text

Relation = Literal["==", "!=", ">=", "<="]

_RELATIONS = {"==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold at other sizes, too: ``form`` is ``value``, is not, at least, at most that.

    ``place`` is the layer that needs it, and ``layer_type`` its type.
    """

    form: Form
    relation: Relation
    value: int
    place: Location
    layer_type: str

    def holds(self, came: int) -> bool:
        """Whether it does where the form is ``came``."""
        return _RELATIONS[self.relation](came, self.value)

    def __str__(self) -> str:
        return f"{form_text(self.form)} {self.relation} {self.value}"


class Scope:
    """The symbols of one graph. While it is open, decisions by value are recorded.

    Attributes:
        symbols: by name, in the order in which they were made.
        atoms, sizes, results: each atom and size that was made, and the results of operations, so
            that equal ones are one object.
    """

    def __init__(self) -> None:
        self.open = True
        self.symbols: dict[str, f.Symbol] = {}
        self.atoms: dict[str, Atom] = {}
        self.sizes: dict[Form, object] = {}
        self.results: dict[tuple[object, ...], object] = {}
        self._conditions: dict[tuple[Form, Relation, int], Condition] = {}
        self._zero: dict[Form, bool] = {}  # once it is closed
        self._place = Location()
        self._layer_type = ""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple(self._conditions.values())

    @contextlib.contextmanager
    def at(self, place: Location, layer_type: str) -> Iterator[None]:
        """Say whose decisions are recorded meanwhile."""
        before = self._place, self._layer_type
        self._place, self._layer_type = place, layer_type
        try:
            yield
        finally:
            self._place, self._layer_type = before

    def fix(self, form: Form) -> None:
        """Record that the number itself is needed: all symbols stay as they are."""
        for symbol in f.symbols(form):
            self.require(f.of_atom(symbol), "==", symbol.value)

    def is_fixed(self, form: Form) -> bool:
        """Whether the number itself was needed before."""
        fixed = self._conditions
        return all((f.of_atom(s), "==", s.value) in fixed for s in f.symbols(form))

    def require(self, form: Form, relation: Relation, value: int) -> None:
        """Record what was decided by value: once, for the first that needs it."""
        key = form, relation, value
        if not self.open or key in self._conditions:
            return
        if relation != "==" or self._settled(f.add(form, f.of_number(-value))):
            self._conditions[key] = Condition(*key, self._place, self._layer_type)

    def close(self) -> None:
        """From now on sizes are equal where their forms are, or a condition says so, and give no
        numbers."""
        self.open = False

    def _settled(self, form: Form) -> Form:
        """The form with numbers for what is fixed in it, or has one by a condition."""
        total: Form = ()
        for product, count in form:
            term = f.of_number(count)
            for atom in product:
                part = f.of_atom(atom)
                known = (part, "==", atom.value) in self._conditions or self.is_fixed(part)
                term = f.multiply(term, f.of_number(atom.value) if known else part)
            total = f.add(total, term)
        return total

    def is_never_negative(self, form: Form) -> bool:
        """Whether a form is 0 or more at all sizes: by itself, or by some condition."""
        form = self._settled(form)
        if f.least(form) >= 0:
            return True
        for condition in self._conditions.values():
            above = f.add(condition.form, f.of_number(-condition.value))
            signs = {">=": (-1,), "<=": (1,), "==": (-1, 1)}.get(condition.relation, ())
            if any(f.least(f.add(form, above, sign)) >= 0 for sign in signs):
                return True
        return False

    def is_zero(self, form: Form) -> bool:
        """Whether a form is 0 by some condition: a multiple of what one says is 0."""
        if form not in self._zero:
            known = (c for c in self._conditions.values() if c.relation == "==")
            zeros = (f.add(c.form, f.of_number(-c.value)) for c in known)
            multiple = any(f.quotient(form, zero) is not None for zero in zeros)
            self._zero[form] = multiple or not self._settled(form)
        return self._zero[form]
