"""Conditions as facts that a person reads: each once, with no sign or factor that says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import form as f
from .evaluate import Evaluation
from .form import Floor, Form, Symbol
from .scope import Condition, Relation, Scope
from .size import Size, symbol
from .text import form_text

_MIRRORED: Mapping[Relation, Relation] = {">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


def equalities(scope: Scope) -> tuple[dict[str, Condition], dict[Form, Condition]]:
    """What the conditions fix, by the symbols' names; and what else has to be 0, as forms over the
    symbols that are left. Each with the first condition that says so."""
    fixed: dict[str, Condition] = {}
    while True:
        found = _left(scope, fixed)
        alone = [zero for zero in found if _is_one_symbol(zero)]
        if not alone:
            return fixed, found
        for zero in alone:
            (name,) = names(zero)
            fixed.setdefault(name, found[zero])


def _left(scope: Scope, fixed: Iterable[str]) -> dict[Form, Condition]:
    fresh = Scope()
    at = Evaluation(
        {
            name: known.value if name in fixed else symbol(fresh, name, known.value)
            for name, known in scope.symbols.items()
        }
    )
    found: dict[Form, Condition] = {}
    for condition in scope.conditions:
        size = at.form(condition.form) if condition.relation == "==" else 0
        if isinstance(size, Size):
            zero = f.add(size.form, f.of_number(-condition.value))
            found.setdefault(simplest(zero), condition)
    return found


def names(form: Form) -> list[str]:
    """Of its symbols, in the order in which these were made."""
    known = sorted(set(f.symbols(form)), key=lambda symbol: symbol.number)
    return [symbol.key for symbol in known]


def together(name: str, zeros: Iterable[Form]) -> set[str]:
    """A symbol, and those that cannot change without it."""
    group: set[str] = set()
    more = {name}
    while more - group:
        group |= more
        more = {other for zero in zeros for other in names(zero) if group & set(names(zero))}
    return group


def _is_one_symbol(zero: Form) -> bool:
    """Whether a form that has to be 0 leaves its only symbol no other value, or few."""
    plain = all(isinstance(atom, Symbol) for product, _ in zero for atom in product)
    return plain and len(names(zero)) == 1


def simplest(zero: Form) -> Form:
    """What has to be 0 where a form has: symbols are never 0, and no sign matters."""
    product, count = f.common_factor(zero)
    factor = tuple(atom for atom in product if isinstance(atom, Symbol)), count
    divided = f.quotient(zero, (factor,)) or zero
    return divided if divided[0][1] > 0 else f.multiply(divided, f.of_number(-1))


def zero_text(zero: Form) -> str:
    """ "H * N must stay 32", for what has to be 0."""
    for atom in {atom for product, _ in zero for atom in product}:
        divisor = f.number(atom.below) if isinstance(atom, Floor) else None
        if isinstance(atom, Floor) and divisor:
            remainder = f.add(atom.above, f.of_atom(atom), -divisor)
            left = f.number(f.add(remainder, zero, -1))
            if left is not None:
                text = form_text(atom.above)
                more = f" and {left} more" if left else ""
                return f"{text} must be a multiple of {divisor}{more}"
    plus = tuple((product, n) for product, n in zero if n > 0)
    minus = tuple((product, -n) for product, n in zero if n < 0)
    if not plus:
        return f"{form_text(minus)} must be 0"
    kept = "stay" if f.number(minus) is not None else "be"
    return f"{form_text(plus)} must {kept} {form_text(minus)}"


def without_number(condition: Condition) -> tuple[Form, Relation, int]:
    """A condition whose form has no number added, and begins with no minus: H >= 5 for
    4 - H <= -1."""
    form, relation, value = condition.form, condition.relation, condition.value
    if form and not form[-1][0]:
        form, value = form[:-1], value - form[-1][1]
    if form and form[0][1] < 0:
        return f.multiply(form, f.of_number(-1)), _MIRRORED[relation], -value
    return form, relation, value
