"""Layouts: their text, where elements lie, and which reshapes are views."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ir.build import Builder
from ir.graph import Graph
from ir.graph_sizes import graph_at
from ir.interpret import run_graph
from ir.layout import Layout, Part, channels_last
from ir.layout_numpy import array_of, memory_of
from ir.size import Evaluation, Scope, size_text, symbol
from ir.text import format_graph, parse_graph
from ir.types import BOOL, F32, I32, TensorType
from ir.verify import InvalidGraph, verify
from ir.views import keeps_memory, viewed

EXTENTS = st.sampled_from([0, 1, 1, 2, 3, 4, 6, 8])
SHAPES = st.lists(EXTENTS, max_size=4).map(tuple)


@st.composite
def layouts(draw: st.DrawFn, rank: int) -> Layout:
    parts = list(map(Part, draw(st.permutations(range(rank)))))
    for axis in range(rank):
        if draw(st.booleans()):
            inside = draw(st.integers(parts.index(Part(axis)) + 1, len(parts)))
            parts.insert(inside, Part(axis, draw(st.integers(2, 5))))
    return Layout(tuple(parts))


@st.composite
def tensor_types(draw: st.DrawFn) -> TensorType:
    shape = draw(SHAPES)
    return TensorType(shape, draw(st.sampled_from([F32, I32, BOOL])), draw(layouts(len(shape))))


@st.composite
def reshapes(draw: st.DrawFn) -> tuple[TensorType, tuple[int, ...]]:
    """A type, and another shape of as many elements."""
    type, shape = draw(tensor_types()), []
    for extent in type.shape:
        if shape and draw(st.booleans()):
            shape[-1] *= extent
            continue
        factors = [d for d in range(1, extent + 1) if extent % d == 0] or [1]
        high = draw(st.sampled_from(factors))
        shape += [high, extent // high] if high > 1 or draw(st.booleans()) else [extent]
    return type, tuple(shape)


def numbered(type: TensorType) -> np.ndarray:
    return np.arange(1, 1 + type.size).reshape(type.shape)


def address(type: TensorType, place: tuple[int, ...]) -> int:
    """Where an element is, by what memory counts by."""
    layout = type.layout or Layout.of(range(type.rank))
    total = 0
    for digit in layout.digits(type.shape):
        number = place[digit.axis] // digit.divisor
        number = number % digit.extent if digit.wraps else number
        assert number < digit.extent
        total = total * digit.extent + number
    return total


@given(tensor_types())
def test_every_element_has_its_place(type: TensorType) -> None:
    array = numbered(type)
    memory = memory_of(array, type)
    assert memory.shape == (type.memory_size,)
    assert type.nbytes == type.memory_size * type.dtype.itemsize >= type.size * type.dtype.itemsize
    for place in np.ndindex(type.shape):
        assert memory[address(type, place)] == array[place]
    assert np.count_nonzero(memory) == type.size
    np.testing.assert_array_equal(array_of(memory, type), array)


@given(tensor_types())
def test_types_come_back_from_their_text(type: TensorType) -> None:
    assert TensorType.parse(str(type)) == type
    assert ("{" in str(type)) == (type.layout is not None)
    assert replace(type, layout=None) == type.logical


@given(reshapes())
def test_a_view_shows_the_same_memory(case: tuple[TensorType, tuple[int, ...]]) -> None:
    type, shape = case
    view = viewed(type, shape)
    if type.layout is None:
        assert view == TensorType(shape, type.dtype)
    if view is not None:
        assert view.shape == shape and keeps_memory(type, view)
        array = numbered(type)
        np.testing.assert_array_equal(memory_of(array.reshape(shape), view), memory_of(array, type))


@given(reshapes(), st.data())
def test_what_keeps_its_memory_is_told_from_what_does_not(
    case: tuple[TensorType, tuple[int, ...]], data: st.DataObject
) -> None:
    type, shape = case
    other = TensorType(shape, type.dtype, data.draw(layouts(len(shape))))
    array = numbered(type)
    before, after = memory_of(array, type), memory_of(array.reshape(shape), other)
    same = before.shape == after.shape and bool((before == after).all())
    assert same or not keeps_memory(type, other)
    if same and type.memory_size == type.size > 0:
        assert keeps_memory(type, other) and viewed(type, shape) is not None


@pytest.mark.parametrize(
    ("before", "shape", "after"),
    [
        ("f32[2,3,4,5]{0,2,3,1}", (2, 60), None),
        ("f32[2,3,4,5]{0,2,3,1}", (2, 3, 20), "f32[2,3,20]{0,2,1}"),
        ("f32[2,3,1,1]{0,2,3,1}", (2, 3), "f32[2,3]"),
        ("f32[2,3,4,5]{0,2,3,1}", (2, 1, 3, 4, 5), "f32[2,1,3,4,5]{0,1,3,4,2}"),
        ("f32[2,8,3,5]{0,1,2,3,1:4}", (2, 8, 15), "f32[2,8,15]{0,1,2,1:4}"),
        ("f32[2,8,3,5]{0,1,2,3,1:4}", (2, 2, 4, 15), "f32[2,2,4,15]{0,1,3,2}"),
        ("f32[2,6,3,5]{0,1,2,3,1:4}", (2, 6, 15), None),
    ],
)
def test_views(before: str, shape: tuple[int, ...], after: str | None) -> None:
    found = viewed(TensorType.parse(before), shape)
    assert (found and str(found)) == after


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("fixed", [False, True])
def test_views_of_sizes(batch: int, fixed: bool) -> None:
    """What is a view is one at a batch of 1, too, whether or not another batch may come."""
    scope = Scope()
    n, h = (symbol(scope, name, value) for name, value in (("N", batch), ("H", 5)))
    if fixed:
        scope.require((n * 2).form, "==", batch * 2)
    scope.close()
    type = TensorType.parse("f32[N,8,H,9]{0,2,3,1}", {"N": n, "H": h})
    after = {
        (1, n, 8, h, 9): "f32[1,N,8,H,9]{0,1,3,4,2}",
        (n, 1, 8, h, 9): "f32[N,1,8,H,9]{0,1,3,4,2}",
        (n, 8, h * 9): "f32[N,8,9 * H]{0,2,1}",
        (n, 8 * h, 9): None,
    }
    for shape, wanted in after.items():
        view = viewed(type, shape)
        if view is not None:
            assert keeps_memory(type, view)
        if not fixed:
            assert (view and str(view)) == wanted


def test_layouts_by_name() -> None:
    assert str(TensorType((2, 64, 8, 8), F32, channels_last(4))) == "f32[2,64,8,8]{0,2,3,1}"
    blocks = TensorType((2, 40, 8, 8), F32, Layout.of(range(4), [(1, 16)]))
    assert str(blocks) == "f32[2,40,8,8]{0,1,2,3,1:16}"
    assert (blocks.size, blocks.nbytes) == (2 * 40 * 64, 2 * 48 * 64 * 4)
    assert TensorType((2, 3), F32, channels_last(2)) == TensorType((2, 3))
    assert TensorType.parse("f32[]") == TensorType(())


def test_layouts_of_sizes() -> None:
    """The form of what memory holds, and its number at other sizes."""
    text = "f32[N,6,(H + 1) // 2,8]{0,2,3,1,1:4}"
    scope = Scope()
    sizes = {name: symbol(scope, name, value) for name, value in (("N", 2), ("H", 9))}
    scope.close()
    type = TensorType.parse(text, sizes)
    assert str(type) == text
    assert size_text(type.memory_size) == "64 * ((H + 1) // 2) * N"
    at = Evaluation({"N": 3, "H": 4})
    assert at.size(type.memory_size) == 3 * 8 * 2 * 8  # type: ignore[arg-type]
    assert keeps_memory(type, type) and not keeps_memory(type, type.logical)
    graph = parse_graph("graph g {\n  input %x: f32[2,3,4]{0,2,1} data\n}\n")
    assert graph_at(graph, {}) is graph or str(graph_at(graph, {})) == str(graph)


@pytest.mark.parametrize(
    "text",
    [
        "f32[2,3]{0}", "f32[2,3]{0,0}", "f32[2,3]{0,2}", "f32[2,3]{0,1,1}", "f32[2,3]{1:2,0,1}",
        "f32[2,3]{0,1,1:2,1:2}", "f32[2,3]{0,1,1:1}", "f32[2,3]{0,1,1:0}", "f32[2,3]{0,1,2:2}",
        "f32[2,3]{", "f32[2,3]{}", "f32[2,3]{0,,1}", "f32[2,3]{0,-1}", "f32[2,3]{0,1}{0,1}",
    ],
)  # fmt: skip
def test_what_is_no_layout_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"layout|tensor type"):
        TensorType.parse(text)
    with pytest.raises(ValueError, match="line 2"):
        parse_graph(f"graph g {{\n  input %x: {text} data\n}}\n")


LAID = """graph net {
  input %x: f32[2,3,2,2] data
  %l: f32[2,3,2,2]{0,2,3,1} = map(%x) {a0}
  %b: f32[2,3,2,2]{0,1,2,3,1:2} = map(%l) {exp(a0)}
  %v: f32[2,3,4]{0,2,1} = reshape(%l) shape=(2,3,4)
  %r: f32[2,3,2,2] = map(%b) {a0}
  %p: f32[24] = pack(%l) type=f32[2,3,2,2]{0,2,3,1}
  %s: f32[2,1,4] = reduce(%v) kind="sum" axes=(1)
  output %r: f32[2,3,2,2] result
  output %p: f32[24] saved
  output %s: f32[2,1,4] result
}
"""


def test_layouts_change_no_number() -> None:
    graph = parse_graph(LAID)
    verify(graph)
    assert format_graph(graph) == format_graph(parse_graph(format_graph(graph)))
    x = np.random.default_rng(0).standard_normal((2, 3, 2, 2))
    r, p, s = run_graph(graph, [x])
    np.testing.assert_array_equal(r, np.exp(x))
    np.testing.assert_array_equal(p, x.transpose(0, 2, 3, 1).ravel())
    np.testing.assert_array_equal(s, x.reshape(2, 3, 4).sum(1, keepdims=True))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("%x: f32[2,3,2,2] data", "%x: f32[2,3,2,2]{0,2,3,1} data", "input 'x' is f32[2,3,2,2]{0"),
        ("%r: f32[2,3,2,2] ", "%r: f32[2,3,2,2]{0,2,3,1} ", "output 'r' is f32[2,3,2,2]{0,2,3,1}"),
        ("reshape(%l)", "reshape(%b)", "it has to be copied"),
        ("%v: f32[2,3,4]{0,2,1} =", "%v: f32[2,3,4] =", "it has to be copied"),
        ("pack(%l)", "pack(%b)", "it has to be copied"),
        ("%b: f32[2,3,2,2]{", "%b: f32[2,3,2,3]{", "is declared as f32[2,3,2,3], but gives"),
    ],
)
def test_the_verifier_knows_what_memory_holds(old: str, new: str, said: str) -> None:
    assert LAID.count(old) >= 1
    with pytest.raises(InvalidGraph) as caught:
        verify(parse_graph(LAID.replace(old, new)))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "node",
    [
        '%h: f32[2,3,4] = host_call(%v) label="h" types=(f32[2,3,4])',
        "%h: f32[2,3,2] , %i: i32[2,3,2] = topk(%v) k=2",
    ],
)
def test_what_reads_memory_itself_takes_it_row_major(node: str) -> None:
    lines = LAID.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "output" in line)
    graph = parse_graph("".join([*lines[:at], f"  {node}\n", *lines[at:]]))
    with pytest.raises(InvalidGraph, match="takes and gives row-major memory"):
        verify(graph)


def test_a_group_has_the_layouts_of_its_values() -> None:
    text = """graph net {
  input %x: f32[2,3,2,2] data
  %l: f32[2,3,2,2]{0,2,3,1} = fused(%x) label="l" schedule="flat" body=l {
    input %x: f32[2,3,2,2] data
    %l: f32[2,3,2,2]{0,2,3,1} = map(%x) {a0}
    output %l: f32[2,3,2,2]{0,2,3,1} result
  }
}
"""
    verify(parse_graph(text))
    other = text.replace("  %l: f32[2,3,2,2]{0,2,3,1} = fused", "  %l: f32[2,3,2,2] = fused")
    with pytest.raises(InvalidGraph, match=r"output 'l' is .*\{0,2,3,1\}, it must be"):
        verify(parse_graph(other))


def built(shape: tuple[int, ...]) -> Graph:
    b = Builder("g")
    x = b.input("x", TensorType((2, 3, 2, 2)))
    b.output("y", b.reshape(b.copy(x, channels_last(4)), shape))
    return b.finish()


@pytest.mark.parametrize(("shape", "copies"), [((2, 12), 2), ((2, 3, 4), 1)])
def test_a_builder_copies_where_a_reshape_is_no_view(shape: tuple[int, ...], copies: int) -> None:
    graph = built(shape)
    assert [n.op.name for n in graph.nodes] == ["map"] * copies + ["reshape"]
    if copies == 2:
        verify(graph)
    x = np.random.default_rng(0).standard_normal((2, 3, 2, 2))
    np.testing.assert_array_equal(run_graph(graph, [x])[0], x.reshape(shape))
    assert math.prod(shape) == x.size
