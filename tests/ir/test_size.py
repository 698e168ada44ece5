"""Sizes: equal to Python's arithmetic, in one form, as text, and what they take for granted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ir.location import Location
from ir.size import (
    Evaluation,
    Real,
    Scope,
    Size,
    free_symbols,
    larger,
    parse_size,
    same_size,
    size_text,
    smaller,
    symbol,
    value_of,
)

NAMES = ("N", "H", "W")
Values = Mapping[str, int]
Tree = int | str | tuple[str, "Tree", "Tree"]

leaves = st.integers(-9, 9) | st.sampled_from(NAMES)
trees: st.SearchStrategy[Tree] = st.recursive(
    leaves,
    lambda inner: st.tuples(
        st.sampled_from(["+", "-", "*", "//", "%", "max", "min"]), inner, inner
    ),
    max_leaves=8,
)
values = st.fixed_dictionaries({name: st.integers(1, 40) for name in NAMES})

SIZES: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "max": larger,
    "min": smaller,
}


def symbols(sizes: Values) -> dict[str, int]:
    scope = Scope()
    return {name: symbol(scope, name, value) for name, value in sizes.items()}


def made(tree: Tree, leaf: Mapping[str, int]) -> int:
    if isinstance(tree, tuple):
        return SIZES[tree[0]](made(tree[1], leaf), made(tree[2], leaf))
    return leaf[tree] if isinstance(tree, str) else tree


@given(trees, values, values)
def test_sizes_are_what_python_computes(tree: Tree, here: Values, there: Values) -> None:
    try:
        expected, elsewhere = made(tree, here), made(tree, there)
        size = made(tree, symbols(here))
    except ZeroDivisionError:
        return
    assert (size.value if isinstance(size, Size) else size) == expected
    assert Evaluation(there).size(size) == elsewhere


@given(trees, values)
def test_the_text_of_a_size_parses_to_it_and_is_python(tree: Tree, here: Values) -> None:
    leaf = symbols(here)
    try:
        size = made(tree, leaf)
        made(tree, here)
    except ZeroDivisionError:
        return
    again = parse_size(size_text(size), leaf)
    assert again is size if isinstance(size, Size) else again == size
    assert eval(size_text(size), {"max": max}, dict(here)) == made(tree, here)


def test_what_is_equal_has_one_form() -> None:
    n, h, w = symbols({"N": 2, "H": 224, "W": 100}).values()
    assert 3 * n is n * 3
    assert (h + 2 * 1 - 3) // 1 + 1 is h
    assert (h * w) // w is h
    assert (n * 64 * ((h + 1) // 2)) // (((h + 1) // 2) * 64) is n
    assert -(-(h - 3) // 2) + 1 is h // 2
    assert ((h + 1) // 2 + 1) // 2 is (h + 3) // 4
    assert (4 * n) % 2 == 0 and isinstance((4 * n) % 2, int)
    assert larger(h + 1, h) is h + 1 and smaller(h, h + 1) is h
    assert smaller(h, w) is smaller(w, h)
    assert (n * h + n) // n is h + 1
    assert (6 * n * h) // (4 * n * w) is (3 * h) // (2 * w)
    assert size_text((h + 1) // 2) == "(H + 1) // 2"
    assert size_text(64 * n * h - 1) == "64 * H * N - 1"


SQUARE = {"N": 1, "H": 28, "W": 28}


def conditions(decide: Callable[[int, int, int], object], sizes: Values = SQUARE) -> list[str]:
    """What deciding something takes for granted."""
    leaf = symbols(sizes)
    decide(*leaf.values())
    (scope,) = {size.scope for size in leaf.values() if isinstance(size, Size)}
    return list(map(str, scope.conditions))


@pytest.mark.parametrize(
    ("decide", "recorded"),
    [
        (lambda n, h, w: h == h, []),
        (lambda n, h, w: 2 * h - h == h, []),
        (lambda n, h, w: h == w, ["H - W == 0"]),
        (lambda n, h, w: (n, 3, h) == (n, 3, w), ["H - W == 0"]),
        (lambda n, h, w: h == 28, ["H == 28"]),
        (lambda n, h, w: 2 * h == 56, ["2 * H == 56"]),
        (lambda n, h, w: h == 27, []),  # unequal is the general case
        (lambda n, h, w: n == 1, []),  # and so is a batch that happens to be one
        (lambda n, h, w: [int(n), n == 1 or 1 / 0], ["N == 1"]),
        (lambda n, h, w: bool(n), []),
        (lambda n, h, w: same_size(h, w), ["H - W == 0"]),
        (lambda n, h, w: same_size(h, n), ["H - N != 0"]),
        (lambda n, h, w: any((n, h - 28)), []),
        (lambda n, h, w: h % 4 == 0, ["H - 4 * (H // 4) == 0"]),
        (lambda n, h, w: h > 0, []),  # symbols are 1 or more
        (lambda n, h, w: n * h >= 1, []),
        (lambda n, h, w: h - 5 > 0, ["H >= 6"]),
        (lambda n, h, w: h < 100, ["H <= 99"]),
        (lambda n, h, w: n > 1, ["N <= 1"]),
        (lambda n, h, w: larger(h, w), []),
        (lambda n, h, w: range(h), ["H == 28"]),
        (lambda n, h, w: np.zeros((n, h)), ["N == 1", "H == 28"]),
        (lambda n, h, w: int(h // 2), ["H == 28"]),
        (lambda n, h, w: [0] * w, ["W == 28"]),
        (lambda n, h, w: float(1 / (n * h)), ["H == 28", "N == 1"]),
        (lambda n, h, w: f"{h} {[w]} {n:>4}", []),
    ],
)
def test_what_is_decided_by_value_is_recorded(
    decide: Callable[[int, int, int], object], recorded: list[str]
) -> None:
    assert conditions(decide) == recorded


def test_a_condition_names_the_first_layer_that_needs_it() -> None:
    scope = Scope()
    height = symbol(scope, "H", 28)
    for line, layer in enumerate(("ip1", "ip2"), 7):
        with scope.at(Location("net.prototxt", line, 1, layer), "InnerProduct"):
            int(height)
    (condition,) = scope.conditions
    assert condition.place.layer == "ip1" and condition.layer_type == "InnerProduct"
    assert condition.holds(28) and not condition.holds(27)


def test_of_a_closed_scope_only_forms_are_equal() -> None:
    scope = Scope()
    height, width = symbol(scope, "H", 28), symbol(scope, "W", 28)
    scope.close()
    assert height != width and height != 28 and height == height + width - width
    assert height >= 20 and scope.conditions == ()
    with pytest.raises(TypeError, match="size H is no number"):
        int(height)


def test_a_size_that_has_a_number_by_a_condition_is_that_number_in_products() -> None:
    scope = Scope()
    batch, height, width = (symbol(scope, n, v) for n, v in (("N", 2), ("H", 28), ("W", 29)))
    assert (height + 1) // 2 == 14 and width // 2 == 14  # neither fixes what it is half of
    scope.close()
    assert batch * ((height + 1) // 2) * (width // 2) == batch * 196
    assert batch * ((height + 1) // 2) != batch * (width - 15)
    assert height != 28


def test_sizes_of_two_scopes_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        symbols(SQUARE)["N"] + symbols(SQUARE)["H"]


def test_reals_are_computed_as_they_are_written() -> None:
    leaf = symbols({"N": 3, "H": 7, "W": 9})
    n, h, w = leaf.values()
    for real, expected in (
        (1.0 / (n * h * w), 1.0 / 189),
        (n * h / (n * h - 1), 21 / 20),
        (0.1 * n / 0.7 + h, 0.1 * 3 / 0.7 + 7),
    ):
        assert isinstance(real, Real) and real.value == expected
        assert parse_size(size_text(real), leaf).key == real.key


@pytest.mark.parametrize(
    "bad", ["", "N +", "N N", "(N", "Q", "N // 0", "max(N)", "N ** 2", "(" * 99, "N" * 9999, "a;b"]
)
def test_text_that_is_no_size_is_a_value_error(bad: str) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(bad, symbols(SQUARE))


def test_what_has_to_be_equal_is_solved() -> None:
    leaf = symbols({"N": 4, "H": 48, "W": 48, "D": 24})
    n, h, w, d = leaf.values()
    assert int(n) == 4 and 2 * ((h + 1) // 2) == h and 2 * ((h // 2 + 1) // 2) == h // 2
    assert w == h and 2 * d == h and h - 5 > 0
    (scope,) = {size.scope for size in leaf.values() if isinstance(size, Size)}
    scope.close()
    free = free_symbols(scope)
    shown = {name: size_text(size) for name, size in free.items()}
    assert shown == {"N": "4", "H": "4 * H", "W": "4 * H", "D": "2 * H"}
    assert {name: value_of(size) for name, size in free.items()} == {
        "N": 4, "H": 48, "W": 48, "D": 24,
    }  # fmt: skip


def test_sizes_of_many_maps_are_sizes() -> None:
    """Boxes of four maps, each smaller than the one before, by blocks of 128."""
    scope = Scope()
    height, width = symbol(scope, "H", 300), symbol(scope, "W", 301)
    boxes, rows, columns = 0, height, width
    for _ in range(4):
        rows, columns = (2 * rows + 5) // 3, (2 * columns + 5) // 3
        boxes = boxes + 6 * rows * columns
    blocks = (boxes + 127) // 128
    expected, rows, columns = 0, 300, 301
    for _ in range(4):
        rows, columns = (2 * rows + 5) // 3, (2 * columns + 5) // 3
        expected += 6 * rows * columns
    assert int(blocks) == (expected + 127) // 128
    text = size_text(blocks)
    assert len(text) > 500 and parse_size(text, {"H": height, "W": width}) is blocks
