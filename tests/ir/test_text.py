"""The text form: every graph comes back as it was, and bad text is refused with its line."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ir.ops  # noqa: F401
from ir import expr as e
from ir.build import Builder
from ir.expr import Expr
from ir.expr_text import format_exprs, parse_exprs
from ir.graph import Direction, Graph, Node, Port, Role, Value
from ir.graph_sizes import graph_at
from ir.interpret import run_graph
from ir.location import Location
from ir.ops.movement import Pad
from ir.ops.pointwise import Map
from ir.primitives import PRIMITIVES
from ir.text import format_graph, format_node, parse_graph
from ir.types import DType, TensorType
from ir.verify import verify
from tests.support.graphs import examples

SMALL = """graph net {
  input %x: f32[2,3] data
  input %ip/0: f32[4,3] parameter
  input %ip/0.1: f32[4,3] gradient "ip/0"
  %ip: f32[2,4] = matmul(%x, %ip/0) transpose_b=true                      # ip net.prototxt:3:1
  %y: f32[2,4], %z: f32[2,4] = map(%ip) {max(a0, 0.0); neg(a0)}           # relu net.prototxt:9
backward:
  %g: f32[4,3] = map(%ip/0.1) {add(a0, $64.0)}
  output %y: f32[2,4] result "out"
  output %g: f32[4,3] gradient "ip/0"
}
"""


def same(a: Graph, b: Graph) -> None:
    """Structural equality, stricter than equal text: attributes compare by value."""
    numbers_a = {v: i for i, v in enumerate(a.values())}
    numbers_b = {v: i for i, v in enumerate(b.values())}
    assert [(v.name, v.type) for v in a.values()] == [(v.name, v.type) for v in b.values()]
    for x, y in zip(a.nodes, b.nodes, strict=True):
        assert x.op == y.op
        assert [numbers_a[v] for v in x.inputs] == [numbers_b[v] for v in y.inputs]
        assert (x.location, x.direction) == (y.location, y.direction)
    for p, q in zip((*a.inputs, *a.outputs), (*b.inputs, *b.outputs), strict=True):
        assert (p.name, p.role, numbers_a[p.value]) == (q.name, q.role, numbers_b[q.value])
    assert a.name == b.name


def test_reads_what_it_writes() -> None:
    graph = parse_graph(SMALL)
    assert format_graph(graph) == SMALL
    assert graph.nodes[0].location == Location("net.prototxt", 3, 1, "ip")
    assert graph.nodes[2].direction is Direction.BACKWARD
    assert graph.output("ip/0").role is Role.GRADIENT


SIZED = """graph net {
  size N = 2
  size H = 9
  input %x: f32[N,3,H,(H + 1) // 2] data
  %r: TYPE = reshape(%x) shape=([N],[3 * ((H + 1) // 2) * H])
  %y: TYPE, %z: TYPE = map(%r) {mul(a0, $[N]:f32); add(a0, $[1.0 / (H * N)])}
  output %y: TYPE result "out"
}
""".replace("TYPE", "f32[N,3 * ((H + 1) // 2) * H]")


def test_a_graph_of_sizes_reads_back_and_can_be_had_with_numbers() -> None:
    graph = parse_graph(SIZED)
    verify(graph)
    assert format_graph(graph) == SIZED
    at = graph_at(graph, {"N": 4, "H": 2})
    assert (
        format_graph(at)
        == """graph net {
  input %x: f32[4,3,2,1] data
  %r: f32[4,6] = reshape(%x) shape=(4,6)
  %y: f32[4,6], %z: f32[4,6] = map(%r) {mul(a0, $4.0); add(a0, $0.125)}
  output %y: f32[4,6] result "out"
}
"""
    )
    (result,) = run_graph(at, [np.ones((4, 3, 2, 1), np.float32)])
    assert result.tolist() == [[4.0] * 6] * 4


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("size N = 0", "the size N is 0"),
        ("size N = 2.5", "a size is"),
        ("size H = 4 4", "a size is"),
        ("size N = 3", "two sizes"),
        ("input %q: f32[Q] data", "no size is called 'Q'"),
        ("input %q: f32[N // 0] data", "divides by 0"),
        ("input %q: f32[0 - 3] data", "an extent is negative"),
        ("input %q: f32[N / 2] data", "unexpected '/ 2'"),
        ("%q: f32[N] = map() {0.0} shape=([N / 2])", "no attribute"),
    ],
)
def test_sizes_that_are_none_are_refused(line: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_graph(f"graph net {{\n  size N = 2\n  {line}\n}}\n")


def test_a_graph_shows_itself() -> None:
    assert format_graph(parse_graph(SMALL)) == SMALL


def test_one_node_on_one_line() -> None:
    assert format_node(parse_graph(SMALL).nodes[2]) == (
        "%g: f32[4,3] = map(%ip/0.1) {add(a0, $64.0)}"
    )


# --- properties -------------------------------------------------------------------------

NAMES = st.text(max_size=8)
SHAPES = st.lists(st.integers(0, 5), max_size=3).map(tuple)


@st.composite
def expressions(draw: st.DrawFn, inputs: int) -> Expr:
    """Float expressions with every kind of leaf, and sharing."""
    numbers = st.floats(width=32) | st.integers(-5, 5)
    half = draw(st.sampled_from([DType.F16, DType.BF16]))
    pool: list[Expr] = [e.arg(i) for i in range(inputs)]
    pool += [e.const(float(draw(numbers))), e.dyn(draw(st.floats(0, 9))), e.to_float(e.index(0))]
    floats = [p for p in PRIMITIVES.values() if p.name != "rand" and p.result != "int"]
    for _ in range(draw(st.integers(0, 12))):
        rule = draw(st.sampled_from(floats))
        operands = [draw(st.sampled_from(pool)) for _ in range(rule.arity)]
        if rule.name == "where":
            operands[0] = operands[0] > operands[1]
        if rule.name in ("and", "or", "not", "floordiv", "mod", "to_float"):
            continue
        if draw(st.booleans()) and rule.name != "where":
            operands = [e.cast(a, half) for a in operands]
        made = e.primitive(rule.name, *operands)
        pool.append(e.to_float(made))
    return pool[-1]


@given(st.lists(expressions(2), min_size=1, max_size=3))
def test_expressions_round_trip_to_the_same_objects(roots: list[Expr]) -> None:
    again = parse_exprs(format_exprs(roots))
    assert all(a is b for a, b in zip(again, roots, strict=True))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    used: set[str] = set()

    def value(shape: tuple[int, ...]) -> Value:
        name = draw(NAMES.filter(lambda n: n not in used))
        used.add(name)
        return Value(name, TensorType(shape))

    shape = draw(SHAPES.filter(bool))
    values = [value(shape) for _ in range(2)]
    role = st.sampled_from(Role)
    inputs = [Port(draw(NAMES), v, draw(role)) for v in values]
    nodes: list[Node] = []
    for _ in range(draw(st.integers(0, 4))):
        operands = [draw(st.sampled_from(values)) for _ in range(2)]
        result = value(shape)
        if draw(st.booleans()):
            op: Map | Pad = Map((draw(expressions(2)),), draw(st.none() | st.just(shape)))
        else:
            low = tuple(draw(st.integers(-1, 2)) for _ in shape)
            op = Pad(low, low, draw(st.floats(allow_nan=False)))
        place = Location(
            draw(NAMES), draw(st.integers(0, 99)), draw(st.integers(0, 9)), draw(NAMES)
        )
        direction = draw(st.sampled_from(Direction))
        nodes.append(Node(op, tuple(operands), (result,), place, direction))
        values.append(result)
    outputs = [Port(draw(NAMES), draw(st.sampled_from(values)), draw(role)) for _ in range(2)]
    return Graph(draw(NAMES), tuple(inputs), tuple(nodes), tuple(outputs))


@examples(40)
@given(graphs())
def test_graphs_round_trip(graph: Graph) -> None:
    text = format_graph(graph)
    again = parse_graph(text)
    same(graph, again)
    assert format_graph(again) == text


def test_shared_steps_are_written_once() -> None:
    x = e.arg(0)
    for _ in range(200):
        x = e.exp(x) * x
    text = format_exprs([x])
    assert len(text) < 10_000
    assert parse_exprs(text) == (x,)


def test_deep_chains_are_cut_into_steps() -> None:
    x = e.arg(0)
    for _ in range(500):
        x = e.exp(x)
    assert parse_exprs(format_exprs([x])) == (x,)


def test_integer_types_are_kept() -> None:
    seed = e.arg(0, DType.U32)
    roots = (e.rand(seed, e.linear(), e.const(7, DType.U32), 0), e.index(1) % 3)
    assert parse_exprs(format_exprs(roots)) == roots


@pytest.mark.parametrize("name", ["add", "max", "div", "pow", "lt", "eq", "grad_as"])
@pytest.mark.parametrize("other", [DType.F16, DType.BF16, DType.F64])
def test_floats_of_two_types_are_not_mixed(name: str, other: DType) -> None:
    """In whichever order they stand: one has to be cast."""
    half, single, condition = e.arg(0, other), e.arg(1), e.arg(2, DType.BOOL)
    one = e.const(1.0)
    for a, b in ((half, single), (single, half), (half, one), (one, half)):
        with pytest.raises(TypeError, match="both must be of one float type"):
            e.primitive(name, a, b)
        with pytest.raises(TypeError, match="both must be of one float type"):
            e.where(condition, a, b)
    kind = DType.BOOL if name in ("lt", "eq") else other
    assert e.primitive(name, half, half).dtype is kind
    if other.is_narrow:
        cast = e.cast(single, other)
        assert e.primitive(name, cast, half).dtype is e.primitive(name, half, 2.0).dtype is kind
        assert e.primitive(name, single, e.to_float(half)).dtype in (DType.F32, DType.BOOL)
    with pytest.raises(ValueError, match="both must be of one float type"):
        parse_exprs(f"{name}(a0:{other}, a1)")


def test_casts() -> None:
    for kind in (DType.F16, DType.BF16):
        half, single = e.arg(0, kind), e.arg(0)
        assert e.cast(half, kind) is half and e.cast(single, DType.F32) is single
        assert e.cast(e.cast(half, DType.F32), kind) is half  # nothing is lost
        back = e.cast(e.cast(single, kind), DType.F32)  # something is
        assert (back.op, back.dtype) == ("to_float", DType.F32) and back is not single
        assert e.cast(e.index(0), kind).dtype is kind
    assert e.cast(e.arg(0, DType.F16), DType.BF16).dtype is DType.BF16
    assert e.const(0.1, DType.BF16).value == 0.10009765625
    assert parse_exprs("0.1:bf16") == (e.const(0.1, DType.BF16),)


def test_a_kernel_keeps_its_body() -> None:
    from compiler.passes.fuse import fuse

    fused = fuse(parse_graph(SMALL))
    text = format_graph(fused)
    assert format_graph(parse_graph(text)) == text
    bodies = [node.op.body.name for node in parse_graph(text).nodes]  # type: ignore[attr-defined]
    assert "ip_relu" in bodies


# --- refusals ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("graph net {", "graph net", "line 1: '{' expected"),
        ("matmul", "matmull", "line 5: unknown op 'matmull'"),
        ("%ip/0) ", "%ip/9) ", "line 5: %ip/9 is not defined"),
        ("transpose_b=true", "transpose_b=7", "line 5: matmul has no attribute transpose_b=7"),
        (
            "transpose_b=true",
            "transposed=true",
            "line 5: matmul has no attribute transposed; it",
        ),
        ("transpose_b=true", "transpose_b=true transpose_b=true", "transpose_b is given twice"),
        ("f32[2,3] data", "f33[2,3] data", "line 2: 'f33' is not a valid DType"),
        ("f32[2,3] data", "f32[2,3] date", "line 2: 'date' is not a valid Role"),
        ("%ip: f32", "%x: f32", "line 5: %x is defined twice"),
        ("%y: f32[2,4] result", "%y: f32[2,5] result", "line 9: %y is f32[2,4], not f32[2,5]"),
        ("{max(a0, 0.0);", "{max(a0, 0.0, 1.0);", "line 6: max takes 2 operands, 3 are given"),
        ("{max(a0, 0.0);", "{import(a0);", "line 6: unknown primitive 'import'"),
        ("neg(a0)}", "neg(a0)", "line 6: '}' expected"),
        ("neg(a0)}", "neg(a0)} extra", "line 6: '=' expected"),
        ("# relu", "# relu relu relu", "line 6: unexpected"),
        ("}\n", "", "the text ends inside a graph"),
        ("}\n", "}\n}\n", "text after the graph"),
    ],
)
def test_bad_text_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    at = SMALL.rindex(old) if old == "}\n" else SMALL.index(old)
    text = SMALL[:at] + new + SMALL[at + len(old) :]
    with pytest.raises(ValueError) as caught:
        parse_graph(text)
    assert message in str(caught.value)


HOSTILE = {
    "nothing": "",
    "deep calls": SMALL.replace("neg(a0)", "neg(" * 100_000 + "a0"),
    "deep tuples": SMALL.replace("transpose_b=true", "transpose_b=" + "(" * 100_000),
    "huge number": SMALL.replace("f32[2,3]", "f32[" + "9" * 100_000 + "]"),
    "open string": SMALL.replace("%x:", '%"' + "\\\\" * 50_000 + ":"),
    "deep graphs": "graph g {\n" + '%a: f32[] = fused() label="" schedule="" body=g {\n' * 5_000,
    "long steps": SMALL.replace("neg(a0)", "t0 = a0; " * 50_000 + "t0"),
    "binary": "graph g {\n\0\xff\n}\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_quickly(name: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ValueError):
        parse_graph(HOSTILE[name])
    assert time.perf_counter() - start < 2.0


@given(st.integers(0, len(SMALL) - 1), st.characters(codec="utf-8"))
def test_any_changed_character_is_read_or_refused(place: int, character: str) -> None:
    try:
        graph = parse_graph(SMALL[:place] + character + SMALL[place + 1 :])
    except ValueError:
        return
    assert parse_graph(format_graph(graph)) is not None


def test_builder_names_need_no_quotes() -> None:
    b = Builder("odd name")
    value = b.input("a b\tc", TensorType((1,)))
    b.output("a b\tc", value)
    text = format_graph(b.finish())
    assert '%a_b_c: f32[1] data "a b\\tc"' in text
    same(b.finish(), parse_graph(text))
