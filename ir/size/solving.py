"""Conditions that say a form is a number, taken as what a symbol is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from . import form as f
from .evaluate import Evaluation
from .form import Floor, Form, Symbol
from .scope import Condition, Scope
from .size import Size, symbol

_MOST = 64
"""The largest step in which a size may go."""


def free_symbols(scope: Scope) -> dict[str, int]:
    """What each symbol of a scope may be, in a new scope: what is fixed as a number, and where
    sizes have to be equal they are.

    So height is width where it has to be, and ``16 * H`` where four halves have to come out. The
    conditions that are left hold in the new scope, which is closed.
    """
    known = scope.symbols.values()
    values = {s.key: s.value for s in known if scope.is_fixed(f.of_atom(s))}
    fresh = Scope()
    values |= {s.key: symbol(fresh, s.key, s.value) for s in known if s.key not in values}
    while (solved := _first_solved(scope.conditions, values)) is not None:
        name, replacement, step = solved
        old, fresh = fresh, Scope()
        renamed = {
            s.key: symbol(fresh, s.key, s.value // step if s.key == name else s.value)
            for s in old.symbols.values()
            if s.key != name or step > 1
        }
        if step > 1:
            renamed[name] = step * renamed[name] + old.symbols[name].value % step
        else:
            renamed[name] = Evaluation(renamed).form(replacement)
        at = Evaluation(renamed)
        values = {key: at.size(size) for key, size in values.items()}
    _require(fresh, scope.conditions, values)
    fresh.close()
    return values


def _require(scope: Scope, conditions: Iterable[Condition], values: Mapping[str, int]) -> None:
    at = Evaluation(values)
    for condition in conditions:
        size = at.form(condition.form)
        if isinstance(size, Size):
            with scope.at(condition.place, condition.layer_type):
                scope.require(size.form, condition.relation, condition.value)


def _first_solved(
    conditions: Iterable[Condition], values: Mapping[str, int]
) -> tuple[str, Form, int] | None:
    """A symbol, and either the form that it is, or the step of more than 1 in which it goes."""
    at = Evaluation(values)
    for condition in conditions:
        size = at.form(condition.form)
        if condition.relation != "==" or not isinstance(size, Size):
            continue
        zero = f.add(size.form, f.of_number(-condition.value))
        zero = f.quotient(zero, f.of_number(f.common_factor(zero)[1])) or zero
        found = _alone(zero) or _periodic(zero)
        if found is not None:
            return found
    return None


def _alone(zero: Form) -> tuple[str, Form, int] | None:
    """A symbol that stands in one term only, by itself."""
    everywhere = [s.key for s in f.symbols(zero)]
    for term in zero:
        product, count = term
        bare = abs(count) == 1 and len(product) == 1 and isinstance(product[0], Symbol)
        if bare and everywhere.count(product[0].key) == 1:
            return product[0].key, f.multiply(f.add(zero, (term,), -1), f.of_number(-count)), 1
    return None


def _periodic(zero: Form) -> tuple[str, Form, int] | None:
    """The only symbol of a form that is 0 where it goes in steps of what divides it."""
    names = {s.key: s for s in f.symbols(zero)}
    step = math.lcm(*_divisors(zero))
    if len(names) != 1 or not 1 < step <= _MOST:
        return None
    ((name, known),) = names.items()
    if known.value < step:
        return None
    scope = Scope()
    stepping = step * symbol(scope, name, known.value // step) + known.value % step
    return (name, (), step) if Evaluation({name: stepping}).form(zero) == 0 else None


def _divisors(form: Form) -> list[int]:
    found = [1]
    for product, _ in form:
        for atom in product:
            if isinstance(atom, Floor):
                found += [f.number(atom.below) or 1, *_divisors(atom.above)]
    return found
