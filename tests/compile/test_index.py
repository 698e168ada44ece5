"""Ranges of one variable meet again; those of two never do."""

from __future__ import annotations

import pytest

from compiler.kernels.expressions import Local, ref
from compiler.kernels.index import Affine, Base, IterationRange, linearize, variable
from compiler.kernels.monomial import ONE, Monomial

OFFS, OTHER = (Base(ref(Local("i", name))) for name in ("offs", "other"))
NINE, FOUR = Monomial.of(9), Monomial.of(4)


def part(base: Base, inner: Monomial, extent: Monomial | None = None) -> Affine:
    return Affine(((IterationRange(base, inner, extent), ONE),))


def test_neighbours_become_the_variable_itself() -> None:
    index = linearize((part(OFFS, NINE), part(OFFS, ONE, NINE)), (FOUR, NINE))
    assert index == variable(OFFS)


@pytest.mark.parametrize(
    ("high", "low"),
    [
        (part(OTHER, NINE), part(OFFS, ONE, NINE)),
        (part(OFFS, FOUR), part(OFFS, ONE, NINE)),
        (part(OFFS, NINE), part(OFFS, ONE)),
    ],
    ids=["other variable", "other step", "no end"],
)
def test_what_does_not_meet_stays_apart(high: Affine, low: Affine) -> None:
    assert len(linearize((high, low), (FOUR, NINE)).terms) == 2
