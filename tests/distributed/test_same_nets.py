"""Ranks that train different nets hear so before anything is averaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ir.errors import RoasteryError
from roastery.reading.nets import net_from_text
from runtime.distributed.ranks import Alone
from runtime.distributed.same_nets import compare_nets
from runtime.memory.store import Store
from tests.support.lowering import layers_of
from tests.support.sample_nets import inputs

NET = (
    inputs(x=(4, 3), label=(4,))
    + """
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { lr_mult: 1 }
  inner_product_param { num_output: 3 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "a" bottom: "label" top: "loss" }
"""
)


def store_of(text: str) -> Store:
    return Store(layers_of(net_from_text(text), "TRAIN").program.variables, seed=1)


class Beside(Alone):
    """Two ranks, of which the other one is asked for what it has at the same call."""

    count = 2

    def __init__(self, rank: int, other: Callable[[Beside], None] | None = None) -> None:
        self.rank = rank
        self._other = other
        self.had: Any = None

    def gathered(self, value: Any) -> list[Any]:
        self.had = value
        if self._other is None:
            return [value, value]
        beside = Beside(1 - self.rank)
        self._other(beside)
        return [value, beside.had] if self.rank == 0 else [beside.had, value]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "output: 3",
            "output: 5",
            "it has a/0 (5x3, lr_mult 1, decay_mult 1), where rank 0",
        ),
        ("lr_mult: 1", "lr_mult: 0", "it has a/0 (3x3, lr_mult 0, decay_mult 1), where"),
        ("output: 3", "output: 3 bias_term: false", "it has nothing, where rank 0 has a/1 (3,"),
    ],
)
def test_other_parameters(old: str, new: str, words: str) -> None:
    """Both ranks say the same."""
    first, other = store_of(NET), store_of(NET.replace(old, new))
    said = []
    for rank, (own, its) in enumerate([(first, other), (other, first)]):
        with pytest.raises(RoasteryError) as found:
            compare_nets(Beside(rank, lambda ranks, its=its: compare_nets(ranks, its)), own)
        said.append(found.value.message)
    assert said[0] == said[1]
    assert said[0].startswith(f"rank 1 trains something else than rank 0: {words}")


def test_another_rule() -> None:
    store = store_of(NET)
    ranks = Beside(0, lambda ranks: compare_nets(ranks, store, {"type": "Adam"}))
    with pytest.raises(RoasteryError, match=r"it has type \(Adam\), where rank 0 has type \(SGD\)"):
        compare_nets(ranks, store, {"type": "SGD"})


def test_the_same_net() -> None:
    ranks = Beside(1, lambda ranks: compare_nets(ranks, store_of(NET)))
    compare_nets(ranks, store_of(NET))
    assert ranks.had
