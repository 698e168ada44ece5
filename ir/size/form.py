"""The canonical form of a size: a sum of products of atoms, with whole coefficients.

Atoms are symbols, floor divisions that do not come out, and ``max(x, 0)``. A remainder is
``a - b * (a // b)``, and every other maximum or minimum is a sum with one of ``max(x, 0)``, so
that what is equal usually has one form.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator


class Atom:
    """A factor of a product. One object for each form of a scope, so that comparing is identity.

    ``key`` is its text, by which factors and products are ordered; ``value`` what it is at the
    sizes at hand.
    """

    __slots__ = ("key", "value")

    def __init__(self, key: str, value: int) -> None:
        self.key, self.value = key, value


class Symbol(Atom):
    """An extent of an input that may change; 1 or more. ``key`` is its name.

    ``number`` counts the symbols of a scope.
    """

    __slots__ = ("number",)

    def __init__(self, name: str, value: int, number: int) -> None:
        super().__init__(name, value)
        self.number = number


class Floor(Atom):
    """``above // below``."""

    __slots__ = ("above", "below")

    def __init__(self, key: str, value: int, above: Form, below: Form) -> None:
        super().__init__(key, value)
        self.above, self.below = above, below


class Positive(Atom):
    """``max(form, 0)``."""

    __slots__ = ("form",)

    def __init__(self, key: str, value: int, form: Form) -> None:
        super().__init__(key, value)
        self.form = form


Factors = tuple[Atom, ...]
"""Factors in the order of their keys, a power as often as it says; () is 1."""

MOST_TERMS = 500
"""Sizes beyond are none: a TypeError, as with all that gives no size."""

Term = tuple[Factors, int]
"""A product and its coefficient, which is not 0."""

Form = tuple[Term, ...]
"""A sum: the highest degree first, then by keys; a number comes last. () is 0."""


def number(form: Form) -> int | None:
    """The number that a form is, whatever its symbols are; None: it depends on them."""
    if not form:
        return 0
    return form[0][1] if not form[0][0] else None


def of_number(value: int) -> Form:
    return (((), value),) if value else ()


def of_atom(atom: Atom) -> Form:
    return (((atom,), 1),)


def value(form: Form) -> int:
    """At the sizes at hand."""
    total = 0
    for product, count in form:
        for atom in product:
            count *= atom.value
        total += count
    return total


def add(a: Form, b: Form, times: int = 1) -> Form:
    """a + times * b."""
    if not b:
        return a
    if not b[0][0]:
        return _add_number(a, times * b[0][1])
    result = dict(a)
    for product, count in b:
        _add(result, product, times * count)
    return _in_order(result)


def _add_number(a: Form, count: int) -> Form:
    if a and not a[-1][0]:
        a, count = a[:-1], a[-1][1] + count
    return (*a, ((), count)) if count else a


def multiply(a: Form, b: Form) -> Form:
    for one, other in ((a, b), (b, a)):
        times = number(other)
        if times is not None:
            return tuple((product, count * times) for product, count in one) if times else ()
    if len(a) * len(b) > MOST_TERMS:
        raise TypeError(f"a size of {len(a)} times {len(b)} terms")
    result: dict[Factors, int] = {}
    for left, m in a:
        for right, n in b:
            _add(result, _joined(left, right), m * n)
    return _in_order(result)


def _add(terms: dict[Factors, int], product: Factors, count: int) -> None:
    total = terms.get(product, 0) + count
    if total:
        terms[product] = total
    else:
        terms.pop(product, None)


def _joined(a: Factors, b: Factors) -> Factors:
    return tuple(sorted(a + b, key=lambda atom: atom.key)) if a and b else a or b


def _in_order(terms: dict[Factors, int]) -> Form:
    if len(terms) < 2:
        return tuple(terms.items())
    return tuple(sorted(terms.items(), key=_order))


def _order(term: Term) -> tuple[int, tuple[str, ...]]:
    """It agrees with multiplication, which :func:`quotient` needs."""
    return -len(term[0]), tuple([atom.key for atom in term[0]])


def quotient(a: Form, b: Form) -> Form | None:
    """a / b where it comes out as a form, else None. b is not 0."""
    result: list[Term] = []
    (lead, count), rest = b[0], a
    while rest:
        product, times = rest[0]
        left = _without(product, lead)
        if left is None or times % count:
            return None
        result.append((left, times // count))
        rest = add(rest, multiply((result[-1],), b), -1)
    return tuple(result)


def _without(product: Factors, factors: Factors) -> Factors | None:
    """A product divided by another; None where it does not come out."""
    left = list(product)
    for atom in factors:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def common_factor(form: Iterable[Term]) -> Term:
    """The largest term that divides all of them."""
    shared: Factors | None = None
    count = 0
    for product, n in form:
        count = math.gcd(count, n)
        if shared is None:
            shared = product
            continue
        both, left = [], list(product)
        for atom in shared:
            if atom in left:
                left.remove(atom)
                both.append(atom)
        shared = tuple(both)
    return shared or (), count


def least(form: Form) -> float:
    """A bound from below; minus infinity where none is seen at once."""
    total: float = 0
    for product, count in form:
        bounds = [_least_atom(atom) for atom in product]
        if bounds and (count < 0 or min(bounds) < 0):
            linear = _without_floors(form)
            bound = -math.inf if linear is None else least(linear[0])
            # The form is a whole number.
            return bound if linear is None or bound == -math.inf else -(-bound // linear[1])
        total += count * math.prod(bounds)
    return total


def _without_floors(form: Form) -> tuple[Form, int] | None:
    """A form that is not larger but for a factor, without the divisions by numbers that stand
    alone; None where there are none: a // b is at most a / b, and at least (a - b + 1) / b."""
    factor = 1
    for product, _ in form:
        factor = math.lcm(factor, _divisor(product))
    if factor == 1:
        return None
    result: Form = ()
    for product, count in form:
        divisor, times = _divisor(product), factor * count
        if divisor == 1:
            result = add(result, ((product, times),))
            continue
        above = product[0].above  # type: ignore[attr-defined]
        lower = add(above, of_number(1 - divisor)) if count > 0 else above
        result = add(result, lower, times // divisor)
    return result, factor


def _divisor(product: Factors) -> int:
    inner = product[0] if len(product) == 1 else None
    return (number(inner.below) or 1) if isinstance(inner, Floor) else 1


def _least_atom(atom: Atom) -> float:
    if isinstance(atom, Positive):
        return max(0, least(atom.form))
    if isinstance(atom, Floor):
        low, divisor = least(atom.above), number(atom.below)
        if divisor is not None:
            return low // divisor if low > -math.inf else low
        return 0 if low >= 0 and least(atom.below) > 0 else -math.inf
    return 1


def symbols(form: Form) -> Iterator[Symbol]:
    """Those that occur in a form, perhaps several times."""
    for product, _ in form:
        for atom in product:
            if isinstance(atom, Symbol):
                yield atom
            elif isinstance(atom, Floor):
                yield from symbols(atom.above)
                yield from symbols(atom.below)
            elif isinstance(atom, Positive):
                yield from symbols(atom.form)
