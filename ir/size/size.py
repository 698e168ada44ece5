"""A size: an extent of a tensor, or what follows from extents, that may change.

To the type checker it is an int, so that a shape is a tuple of ints whatever it holds. At runtime
it is a form over symbols, and has the value that this has at the sizes at hand. Arithmetic gives
sizes. What needs the number itself (``range``, numpy, ``int``) fixes the size: that its symbols
have these values becomes a condition of what is being made. So does what is decided by value:

* ``a == b``, where the values are equal. Where they are not it is False and no condition: unequal
  is the general case. So is an extent that only happens to be 1, and does not equal 1 unless it is
  fixed; and all are true, as if none could be 0. Where unequal sizes need another graph, ask
  :func:`same_size`.
* ``a < b`` and its like, either way.

Nothing is recorded where the forms decide. Once the scope is closed only they and the conditions
decide ``==``, and no number is given. As text, in messages, a size is its value;
:func:`size_text` gives the form.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import form as f
from .arithmetic import floor, larger_form
from .form import Form
from .real import Real, value_of
from .scope import Scope
from .text import form_text

if TYPE_CHECKING:
    _Base = int
else:
    _Base = object


_ZERO, _ONE = 0, 1  # small numbers are one object each


class Size(_Base):
    """See the module. Made by :func:`symbol` and by arithmetic; one object for each form."""

    __slots__ = ("form", "scope", "value")

    form: Form
    scope: Scope
    value: int

    @property
    def factors(self) -> tuple[int, ...]:
        """What this is the product of; of a sum just itself."""
        if len(self.form) > 1:
            return (self,)
        ((atoms, count),) = self.form
        return (count, *(of_form(self.scope, f.of_atom(atom)) for atom in atoms))

    # --- arithmetic -------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        return self if other is _ZERO else _apply("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return self if other is _ZERO else _apply("+", self, other)

    def __sub__(self, other: Any) -> Any:
        return self if other is _ZERO else _apply("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _apply("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return self if other is _ONE else _apply("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self if other is _ONE else _apply("*", self, other)

    def __floordiv__(self, other: Any) -> Any:
        return self if other is _ONE else _apply("//", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _apply("//", other, self)

    def __mod__(self, other: Any) -> Any:
        return _apply("%", self, other)

    def __rmod__(self, other: Any) -> Any:
        return _apply("%", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _apply("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _apply("/", other, self)

    def __neg__(self) -> int:
        return self * -1

    def __pos__(self) -> int:
        return self

    # --- comparisons ------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        if not isinstance(other, _WHOLE):
            return NotImplemented
        if value_of(other) != self.value:
            return False
        if not self.scope.open:
            difference = self - other
            return isinstance(difference, Size) and self.scope.is_zero(difference.form)
        if not isinstance(other, Size):
            if other == 1 and not self.scope.is_fixed(self.form):
                return False
            self.scope.require(self.form, "==", other)
            return True
        difference = self - other
        if isinstance(difference, Size):
            self.scope.require(difference.form, "==", 0)
        return True

    def __hash__(self) -> int:
        return hash(self.value)

    def __bool__(self) -> bool:
        return True

    def __lt__(self, other: int) -> bool:
        return _at_least(other, self, 1)

    def __le__(self, other: int) -> bool:
        return _at_least(other, self, 0)

    def __gt__(self, other: int) -> bool:
        return _at_least(self, other, 1)

    def __ge__(self, other: int) -> bool:
        return _at_least(self, other, 0)

    # --- the number itself ------------------------------------------------------------

    def __index__(self) -> int:
        if not self.scope.open:
            raise TypeError(f"the size {form_text(self.form)} is no number here")
        self.scope.fix(self.form)
        return self.value

    def __int__(self) -> int:
        return self.__index__()

    def __float__(self) -> float:
        return float(self.__index__())

    def __repr__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)


_WHOLE, _REAL = (int, Size), (float, Real)


def symbol(scope: Scope, name: str, value: int) -> int:
    """An extent of an input, 1 or more, under a name of its own in the scope."""
    if name in scope.symbols:
        raise ValueError(f"there are two sizes {name}")
    made = scope.symbols[name] = f.Symbol(name, value, len(scope.symbols))
    return size_of(scope, made)


def size_of(scope: Scope, symbol: f.Symbol) -> int:
    """A symbol of the scope as a size."""
    return of_form(scope, f.of_atom(symbol))


def same_size(a: int, b: int) -> bool:
    """Whether two sizes have one value; recorded either way."""
    same = a == b
    difference = a - b
    if not same and isinstance(difference, Size):
        difference.scope.require(difference.form, "!=", 0)
    return same


def always_at_least(a: int, b: int) -> bool:
    """Whether ``a >= b`` at all sizes that the conditions leave; nothing is recorded."""
    difference = a - b
    if isinstance(difference, Size):
        return difference.scope.is_never_negative(difference.form)
    return difference >= 0


def larger(a: int, b: int) -> int:
    """The larger one. Unlike ``max`` it takes nothing for granted."""
    return _apply("max", a, b) if isinstance(a, Size) or isinstance(b, Size) else max(a, b)


def smaller(a: int, b: int) -> int:
    """The smaller one. Unlike ``min`` it takes nothing for granted."""
    return a + b - larger(a, b)


def of_form(scope: Scope, form: Form) -> int:
    """The size of a form; a number where the form is one."""
    if not form or not form[0][0]:
        return f.value(form)
    found = scope.sizes.get(form)
    if found is None:
        found = scope.sizes[form] = size = Size.__new__(Size)
        size.form, size.scope, size.value = form, scope, f.value(form)
    return found  # type: ignore[return-value]


def form_of(size: int) -> Form:
    return size.form if isinstance(size, Size) else f.of_number(size)


def degree(size: int) -> int:
    """How many symbols the longest product in a size has: 0 for a number, 3 for ``N * H * W``."""
    form = form_of(size)
    return len(form[0][0]) if form else 0


# --- how it is done -------------------------------------------------------------------


def _apply(op: str, a: Any, b: Any) -> Any:
    """An operation of which at least one operand is a size; each is computed once."""
    left, right = a.__class__, b.__class__
    if (left is not Size and left is not int) or (right is not Size and right is not int):
        return _apply_to_others(op, a, b)
    key = op, id(a) if left is Size else (a,), id(b) if right is Size else (b,)
    scope: Scope = a.scope if left is Size else b.scope
    found = scope.results.get(key)
    if found is None:
        if left is right and a.scope is not b.scope:
            raise ValueError("sizes of two graphs do not mix")
        found = scope.results[key] = _computed(scope, op, a, b)
    return found


def _computed(scope: Scope, op: str, a: int, b: int) -> float:
    if op == "/":
        return Real(op, a, b)
    if op == "%":
        return a - b * (a // b)
    return of_form(scope, _FORMS[op](scope.atoms, form_of(a), form_of(b)))


_FORMS: dict[str, Callable[[Any, Form, Form], Form]] = {
    "+": lambda atoms, a, b: f.add(a, b),
    "-": lambda atoms, a, b: f.add(a, b, -1),
    "*": lambda atoms, a, b: f.multiply(a, b),
    "//": floor,
    "max": larger_form,
}


def _apply_to_others(op: str, a: Any, b: Any) -> Any:
    """With an operand that is neither a size nor an int: a float, numpy's numbers, bools."""
    if isinstance(a, _REAL) or isinstance(b, _REAL):
        return Real(op, a, b) if op in ("+", "-", "*", "/") else NotImplemented
    try:
        whole = [x if x.__class__ is Size else int(operator.index(x)) for x in (a, b)]
    except TypeError:
        return NotImplemented
    return _apply(op, *whole)


def _at_least(a: int, b: int, more: int) -> bool:
    """Whether ``a >= b + more``."""
    if isinstance(a, _REAL) or isinstance(b, _REAL):
        return float(a) > float(b) if more else float(a) >= float(b)
    difference = a - b - more
    if not isinstance(difference, Size):
        return difference >= 0
    results, key = difference.scope.results, (">=", id(difference))
    if key not in results:
        results[key] = _not_negative(difference)
    return bool(results[key])


def _not_negative(size: Size) -> bool:
    """Whether ``size >= 0``: by its form, or by value, which is recorded."""
    holds, form = size.value >= 0, size.form
    if not holds:
        form = f.add(f.multiply(form, f.of_number(-1)), f.of_number(-1))
    if f.least(form) >= 0:
        return holds
    # Without its constant, and as a bound from above if it is negative.
    constant = 0 if form[-1][0] else form[-1][1]
    bare = f.add(form, f.of_number(-constant))
    if bare[0][1] > 0:
        size.scope.require(bare, ">=", -constant)
    else:
        size.scope.require(f.multiply(bare, f.of_number(-1)), "<=", constant)
    return holds


def _needs_the_number(name: str) -> Callable[..., Any]:
    def method(self: Size, *arguments: Any) -> Any:
        return getattr(self.__index__(), name)(*arguments)

    return method


for _name in ("abs", "round", "trunc", "pow", "rpow", "divmod", "rdivmod", "and", "rand", "or"):
    setattr(Size, f"__{_name}__", _needs_the_number(f"__{_name}__"))
