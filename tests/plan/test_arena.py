"""The arena planner, alone."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.plan.arena import ALIGNMENT, Arena, Interval, aligned, lower_bound, plan_arena


@st.composite
def interval_lists(draw: st.DrawFn) -> list[Interval]:
    spans = st.tuples(st.integers(0, 5000), st.integers(0, 30), st.integers(0, 12))
    return [
        Interval(i, size, first, first + length)
        for i, (size, first, length) in enumerate(draw(st.lists(spans, max_size=40)))
    ]


def check(intervals: list[Interval], arena: Arena) -> None:
    assert set(arena.offsets) == {i.id for i in intervals}
    for n, a in enumerate(intervals):
        assert arena.offsets[a.id] % ALIGNMENT == 0
        assert arena.offsets[a.id] + aligned(a.size) <= arena.total
        for b in intervals[:n]:
            if a.first > b.last or b.first > a.last or not a.size or not b.size:
                continue
            low, high = sorted((a, b), key=lambda i: arena.offsets[i.id])
            assert arena.offsets[low.id] + aligned(low.size) <= arena.offsets[high.id]


@given(interval_lists())
def test_live_buffers_never_overlap(intervals: list[Interval]) -> None:
    arena = plan_arena(intervals)
    check(intervals, arena)
    assert lower_bound(intervals) <= arena.total <= sum(aligned(i.size) for i in intervals)


@given(interval_lists())
def test_plans_are_deterministic(intervals: list[Interval]) -> None:
    assert plan_arena(intervals) == plan_arena(list(intervals))


def test_nothing_needs_nothing() -> None:
    assert plan_arena([]) == Arena({}, 0)
    assert plan_arena([Interval("empty", 0, 0, 9)]).total == 0


def test_a_chain_needs_two_buffers() -> None:
    chain = [Interval(i, 1000, i, i + 1) for i in range(20)]
    assert plan_arena(chain).total == lower_bound(chain) == 2 * 1024


def test_the_smallest_gap_is_taken() -> None:
    intervals = [
        Interval("a", 4096, 0, 9),
        Interval("b", 2048, 0, 2),
        Interval("c", 1024, 0, 9),
        Interval("d", 2048, 4, 9),
    ]
    arena = plan_arena(intervals)
    assert arena.offsets["b"] == arena.offsets["d"]
    assert arena.total == lower_bound(intervals)


def test_lower_bound_counts_both_ends() -> None:
    assert lower_bound([Interval(0, 256, 0, 3), Interval(1, 256, 3, 5)]) == 512
    assert lower_bound([Interval(0, 256, 0, 2), Interval(1, 256, 3, 5)]) == 256


@pytest.mark.parametrize("seed", range(5))
def test_close_to_the_bound_on_training_graphs(seed: int) -> None:
    """Forward buffers that live until their backward, and gradients that live shortly."""
    rng = random.Random(seed)
    layers = 60
    intervals: list[Interval] = []
    for i in range(layers):
        size = rng.randrange(1, 200) * 1000
        intervals.append(Interval(("data", i), size, i, 2 * layers - i))
        intervals.append(Interval(("diff", i), size, 2 * layers - i - 1, 2 * layers - i))
    arena = plan_arena(intervals)
    check(intervals, arena)
    assert arena.total <= 1.1 * lower_bound(intervals)


def test_thousands_of_buffers_take_a_second() -> None:
    rng = random.Random(0)
    intervals = []
    for i in range(3000):
        first = rng.randrange(3000)
        last = first + rng.randrange(1, 200)
        intervals.append(Interval(i, rng.randrange(1, 1 << 20), first, last))
    start = time.perf_counter()
    plan_arena(intervals)
    assert time.perf_counter() - start < 5.0
