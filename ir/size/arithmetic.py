"""Floor division and maximum of forms: what can make new atoms."""

from __future__ import annotations

import math

from . import form as f
from .form import Atom, Factors, Floor, Form, Positive
from .text import form_text, operand

_LONGEST = 8000

Atoms = dict[str, Atom]
"""All atoms of a scope, by key."""


def floor(atoms: Atoms, a: Form, b: Form) -> Form:
    """a // b. Raises ZeroDivisionError where b is 0 at the sizes at hand."""
    if not f.value(b):
        raise ZeroDivisionError(f"{form_text(a)} divided by {form_text(b)}, which is 0")
    divisor = f.number(b)
    if divisor is not None:
        return _by_number(atoms, a, divisor)
    whole = f.quotient(a, b)
    if whole is not None:
        return whole
    shared = (f.common_factor((*a, *b)),)
    above, below = f.quotient(a, shared), f.quotient(b, shared)
    if below is not None and below != b and above is not None and f.value(shared):
        return floor(atoms, above, below)
    return _floor(atoms, a, b)


def larger_form(atoms: Atoms, a: Form, b: Form) -> Form:
    difference, opposite = f.add(a, b, -1), f.add(b, a, -1)
    if f.least(difference) >= 0:
        return a
    if f.least(opposite) >= 0:
        return b
    if difference[0][1] < 0:
        return f.add(a, _positive(atoms, opposite))
    return f.add(b, _positive(atoms, difference))


def _by_number(atoms: Atoms, a: Form, b: int) -> Form:
    """Over a number: whole parts leave the floor, no coefficient in it is above half the number,
    nothing divides all of them, the first is positive, and a floor of a floor is one."""
    if b < 0:
        return _by_number(atoms, f.multiply(a, f.of_number(-1)), -b)
    if a and a[0][0] and a[0][1] < 0:
        return _turned(atoms, a, b)
    whole: list[tuple[Factors, int]] = []
    for product, count in a:
        # The constant becomes 0 to b - 1, the others more than -b / 2 and at most b / 2.
        times = -((b // 2 - count) // b) if product else count // b
        if times:
            whole.append((product, times))
    outside = tuple(whole)
    return f.add(_proper(atoms, f.add(a, outside, -b), b), outside)


def _turned(atoms: Atoms, a: Form, b: int) -> Form:
    """a // b as -((b - 1 - a) // b)."""
    other = _by_number(atoms, f.add(f.of_number(b - 1), a, -1), b)
    return f.multiply(other, f.of_number(-1))


def _proper(atoms: Atoms, a: Form, b: int) -> Form:
    """a // b without whole parts."""
    constant = f.number(a)
    if constant is not None:
        return f.of_number(constant // b)
    shared = math.gcd(b, *(count for product, count in a if product))
    if shared > 1:
        parts = tuple(
            (product, count // shared) for product, count in a if product or count >= shared
        )
        return _by_number(atoms, parts, b // shared)
    if a[0][1] < 0:
        return _turned(atoms, a, b)
    for product, count in a:
        inner = product[0] if len(product) == 1 and count == 1 else None
        times = f.number(inner.below) if isinstance(inner, Floor) else None
        if isinstance(inner, Floor) and times is not None:
            rest = f.add(a, f.of_atom(inner), -1)
            return _by_number(atoms, f.add(inner.above, rest, times), b * times)
    return _floor(atoms, a, f.of_number(b))


def _floor(atoms: Atoms, a: Form, b: Form) -> Form:
    key = _checked(f"{operand(a)} // {operand(b)}")
    if key not in atoms:
        atoms[key] = Floor(key, f.value(a) // f.value(b), a, b)
    return f.of_atom(atoms[key])


def _checked(key: str) -> str:
    if len(key) > _LONGEST:
        raise TypeError(f"a size of {len(key)} characters: {key[:40]} ...")
    return key


def _positive(atoms: Atoms, a: Form) -> Form:
    key = _checked(f"max({form_text(a)}, 0)")
    if key not in atoms:
        atoms[key] = Positive(key, max(f.value(a), 0), a)
    return f.of_atom(atoms[key])
