"""Kernels as plain C: what they compute of every op's records is what its reference does."""

from __future__ import annotations

import dataclasses
import functools
import mmap
import re
from collections.abc import Iterable

import numpy as np
import pytest

from compiler.c.lanes import lanes_of
from compiler.c.lower import lower_to_c
from compiler.c.spelling import SPELLING
from compiler.c.support import prelude
from compiler.kernel import Kernel, Launch, Scratch
from compiler.kernels import task
from compiler.options import CompileOptions
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.op import Property
from ir.ops.convolution import Conv
from ir.ops.fusion import Fused
from ir.primitives import PRIMITIVES
from ir.types import BOOL, I32, TensorType
from runtime.cpu.launcher import CLauncher
from runtime.machine.processor import cpu_target
from tests.interpret import kernel_runner
from tests.interpret.kernel_runner import compare, fused, random_inputs, run_launches, single
from tests.support import c_kernels
from tests.support.c_kernels import needs_compiler
from tests.support.guarded_memory import guarded
from tests.support.layouts import laid_out
from tests.support.op_cases import OpCase, kernel_cases, narrow_cases
from tests.support.printed_launch import bind

NARROW = narrow_cases()
CASES = kernel_cases()
KINDS = {
    "plain": [*CASES, *NARROW],
    "wide": CASES,
    "in any layout": [case for case in CASES if case.op.any_layout],
    "in another layout": [c for c in CASES if Property.CONTRACTION in c.op.properties],
    "in a third layout": [c for c in CASES if Property.CONTRACTION in c.op.properties],
}
TARGET = cpu_target()
LANES = lanes_of(TARGET)


def lowered(node: Node) -> list[Launch]:
    return lower_to_c(node, CompileOptions(target=TARGET))


def checked(node: Node, inputs: list[np.ndarray] | None = None) -> list[np.ndarray]:
    """Outputs, which are those of the reference."""
    launches = lowered(node)
    arrays = random_inputs(node) if inputs is None else inputs
    got = run_launches(launches, node, arrays, by=launcher_of([launches]))
    compare(node, got, arrays, tolerance=1e-5, context=launches[0].kernel.source)
    return got


def launcher_of(groups: Iterable[list[Launch]], threads: int = 1) -> CLauncher:
    kernels = (launch.kernel for launches in groups for launch in launches)
    return c_kernels.launcher_of(kernels, threads)


SEEDS = {"in any layout": 0, "in another layout": 4, "in a third layout": 5}
"""Of layouts: blocks along images, blocks of several sizes, blocks that groups share."""


@functools.cache
def records(kind: str) -> tuple[dict[OpCase, tuple[Node, list[Launch]]], CLauncher]:
    """All of them, with one library."""
    with pytest.MonkeyPatch.context() as patch:
        if kind == "wide":  # indices have 64 bits
            patch.setattr(task, "WIDE", 0)
        known = {}
        for case in KINDS[kind]:
            node = single(case.op, *(x.type for x in case.inputs))
            node = laid_out(node, SEEDS[kind]) if kind in SEEDS else node
            known[case] = node, lowered(node)
    return known, launcher_of((launches for _, launches in known.values()), threads=3)


@needs_compiler
@pytest.mark.parametrize(
    ("case", "kind"),
    [(case, kind) for kind, cases in KINDS.items() for case in cases],
    ids=str,
)
def test_records(case: OpCase, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By three threads, in memory around which nothing may be touched."""
    known, launcher = records(kind)
    node, launches = known[case]
    rng = np.random.default_rng(4)
    arrays = [x.held(rng) for x in case.inputs]
    padded = kernel_runner.padded
    monkeypatch.setattr(kernel_runner, "padded", lambda *given: guarded(padded(*given)))
    got = run_launches(launches, node, arrays, by=launcher)
    compare(node, got, arrays, tolerance=1e-5)
    assert launches or not any(value.type.size for value in node.outputs)


def test_every_primitive_is_spelled() -> None:
    assert PRIMITIVES.keys() - SPELLING.keys() == {"stop", "grad_as"}


@needs_compiler
def test_special_numbers() -> None:
    """Each primitive of two floats or one."""
    special = [0.0, -0.0, 1.0, -1.5, 3.0, 1e-7, 88.0, 1e30, np.inf, -np.inf, np.nan]
    a, b = (x.ravel().astype(np.float32) for x in np.meshgrid(special, special))
    names = [p.name for p in PRIMITIVES.values() if p.result in ("same", "float", "bool")]
    names = [n for n in names if n not in ("floordiv", "mod", "rand", "where", "to_float")]
    logic = ("and", "or", "not")

    def build(b: Builder, x: Value, y: Value) -> list[Value]:
        positive = [e.arg(i) > 0.0 for i in range(2)]
        operands = {n: positive if n in logic else [e.arg(0), e.arg(1)] for n in names}
        exprs = [e.primitive(n, *operands[n][: PRIMITIVES[n].arity]) for n in names]
        return [b.map(expr, x, y) for expr in exprs]

    node = fused(build, TensorType(a.shape), TensorType(a.shape))
    launches = lowered(node)
    got = run_launches(launches, node, [a, b], by=launcher_of([launches]))
    with np.errstate(all="ignore"):
        want = node.op.reference([a, b], [v.type for v in node.outputs])
    for name, x, y in zip(names, got, want, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-37, err_msg=name)


@needs_compiler
def test_whole_numbers() -> None:
    """Also by 0, by which nothing ends the process: what stands behind a tensor may be divided."""
    names = ("add", "sub", "mul", "floordiv", "mod", "max", "min")
    a, b = (x.ravel().astype(np.int32) for x in np.meshgrid([0, 1, 7, 2**31 - 1], [0, 1, 3]))

    def build(b: Builder, x: Value, y: Value) -> list[Value]:
        exprs = [e.primitive(n, e.arg(0, I32), e.arg(1, I32)) for n in names]
        exprs += [e.unary("abs", e.unary("neg", e.arg(0, I32))), e.to_float(e.arg(0, I32))]
        return [b.map(expr, x, y) for expr in exprs]

    with np.errstate(all="ignore"):
        checked(fused(build, *(TensorType(a.shape, I32) for _ in range(2))), [a, b])


@needs_compiler
def test_operators_bind_as_they_are_meant() -> None:
    x, y, z = (e.arg(i) for i in range(3))
    p, q = x > y, y > z
    exprs = [
        x - (y - z),
        x / (y / z),
        (x - y) * -(-2.0 - z),
        e.where(e.equal(p | q, p & ~q), e.where(p, x, y), e.where(q, y, z)),
        e.to_float(e.to_int(x * x * 9.0) % 4 - e.to_int(y * y) // 2),
        e.where((p & q) | ~(p | q), -x, e.unary("neg", e.const(-3.0) * x)),
    ]
    checked(fused(lambda b, *values: [b.map(expr, *values) for expr in exprs], *[(5, 7)] * 3))


@needs_compiler
def test_random_numbers_are_the_references() -> None:
    expr = e.rand(e.const(7), e.linear(), e.index(1) * 1000003, e.const(-1))
    (got,) = checked(fused(lambda b, x: b.map(expr + 0.0 * e.arg(0), x), (30, 50)))
    assert np.unique(got).size > 1400


@needs_compiler
def test_booleans_are_bytes() -> None:
    def build(b: Builder, x: Value, y: Value) -> list[Value]:
        both = b.map(e.arg(0, BOOL) & (e.arg(1) > 0.0), x, y)
        return [both, b.map(e.where(e.arg(0, BOOL), e.arg(1), 1.0), both, y)]

    checked(fused(build, TensorType((9,), BOOL), TensorType((9,))))


@needs_compiler
def test_masked_places_are_not_touched() -> None:
    """Around the picture there is no memory that may be read."""
    side = int((mmap.PAGESIZE // 4) ** 0.5)
    picture = guarded(np.random.default_rng(1).standard_normal(side * side).astype(np.float32))
    node = single(
        Conv(stride=(1, 1), pad=(2, 2), dilation=(1, 1)),
        (1, 1, side, side),
        (1, 1, 5, 5),
        schedule="contract",
    )
    launches = lowered(node)
    weights = np.ones(32, np.float32)
    result = np.zeros(side * side, np.float32)

    def resolve(item: Value | Scratch) -> np.ndarray:
        known = {node.inputs[0]: picture, node.inputs[1]: weights, node.outputs[0]: result}
        return known.get(item, weights)  # type: ignore[call-overload]

    for launch in launches:
        bind(launcher_of([launches]), launch, resolve)()
    image = picture.reshape(1, 1, side, side)
    compare(
        node,
        [result.reshape(image.shape)],
        [image, np.ones((1, 1, 5, 5), np.float32)],
        tolerance=1e-5,
    )


def readable(label: str) -> str:
    """A kernel's text for people."""
    node = fused(lambda b, x: b.map(e.exp(e.arg(0)) + e.index(0), x), (4, 3))
    assert isinstance(node.op, Fused)
    node = dataclasses.replace(node, op=dataclasses.replace(node.op, label=label))
    (launch,) = lowered(node)
    return launch.readable()


def test_names_of_layers_cannot_end_a_comment() -> None:
    text = readable("a*/ int x; /*\\")
    assert text.startswith("/* a* / int x;")
    assert text.count("*/") == readable("a").count("*/")


@needs_compiler
def test_texts_for_people_compile_too() -> None:
    """Whatever layers are called."""
    for label in ("exp", "for", "1", "", "larger", "x" * 300):
        text = readable(label).replace(prelude(LANES), "")
        (name,) = re.findall(r"^void (\w+)", text, re.MULTILINE)
        c_kernels.launcher_of([Kernel(name, text, ())])
