"""Forms as text, in Python's notation: ``(H + 1) // 2``, ``64 * N * H - 1``."""

from __future__ import annotations

from .form import Floor, Form, Term


def form_text(form: Form) -> str:
    text = ""
    for term in form:
        sign = (" - " if term[1] < 0 else " + ") if text else "-" if term[1] < 0 else ""
        text += sign + _term(term, first_negative=sign == "-")
    return text or "0"


def _term(term: Term, first_negative: bool) -> str:
    product, count = term
    factors = [str(abs(count))] if abs(count) != 1 or not product else []
    alone = len(product) == 1 and not factors and not first_negative
    for atom in product:
        factors.append(f"({atom.key})" if isinstance(atom, Floor) and not alone else atom.key)
    return " * ".join(factors)


def operand(form: Form) -> str:
    """A form as it stands beside ``//``."""
    text = form_text(form)
    plain = not form or (len(form) == 1 and _single(form[0]))
    return text if plain else f"({text})"


def _single(term: Term) -> bool:
    product, count = term
    if not product:
        return count > 0
    return count == 1 and len(product) == 1 and not isinstance(product[0], Floor)
