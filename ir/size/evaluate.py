"""Forms at other sizes, or over other symbols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral

from .form import Atom, Floor, Form, Positive
from .real import Real
from .scope import Condition
from .size import Size, larger


class Evaluation:
    """What sizes are where the symbols have other values.

    Args:
        values: whole numbers from 1, or sizes, by the symbols' names. Raises ValueError for others.
    """

    def __init__(self, values: Mapping[str, int]) -> None:
        self._values = {name: _checked(name, value) for name, value in values.items()}
        self._known: dict[Atom, int] = {}
        self._sizes: dict[int, int] = {}  # by their addresses

    def size(self, size: int) -> int:
        found = self._sizes.get(id(size))
        if found is None:
            if not isinstance(size, Size):
                return size
            found = self._sizes[id(size)] = self.form(size.form)
        return found

    def real(self, real: float) -> float:
        """As it would be computed there."""
        if not isinstance(real, Real):
            return self.size(real) if isinstance(real, Size) else real
        return real.compute(self.real(real.left), self.real(real.right))

    def form(self, form: Form) -> int:
        """Raises ZeroDivisionError where a divisor is 0."""
        total = 0
        for product, count in form:
            for atom in product:
                count *= self._atom(atom)
            total += count
        return total

    def failing(self, conditions: Iterable[Condition]) -> Condition | None:
        """The first of them that does not hold there."""
        for condition in conditions:
            try:
                if not condition.holds(self.form(condition.form)):
                    return condition
            except ZeroDivisionError:
                return condition
        return None

    def _atom(self, atom: Atom) -> int:
        found = self._known.get(atom)
        if found is None:
            if isinstance(atom, Floor):
                found = self.form(atom.above) // self.form(atom.below)
            elif isinstance(atom, Positive):
                found = larger(self.form(atom.form), 0)
            else:
                found = self._values[atom.key]
            self._known[atom] = found
        return found


def _checked(name: str, value: int) -> int:
    if isinstance(value, Size):
        return value
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"the size {name} is {value!r}; sizes are whole numbers from 1")
    return int(value)
