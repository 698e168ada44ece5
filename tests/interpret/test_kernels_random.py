"""Random small groups of every schedule against the reference, and properties of the text."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from kernel_runner import check, fused, lowered, single

from compiler.kernel import Launch
from compiler.options import CompileOptions
from compiler.target import GENERIC
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.location import Location
from ir.ops.convolution import Conv
from ir.ops.pointwise import Map
from ir.ops.reduction import ArgExtreme, Reduce
from ir.ops.window import WindowMax, WindowSum
from ir.types import TensorType
from tests.support.kernel_rules import multiplies_plain_tf32

Shape = tuple[int, ...]
REPOSITORY = Path(__file__).parents[2]


class Chain:
    """Grows a chain of random ops on one value; operands are new inputs of the group."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.shape = tuple(self.random.choice((1, 2, 3, 5)) for _ in range(4))
        self.inputs: list[Shape] = [self.shape]
        self.steps: list[Callable[[Builder, Value, tuple[Value, ...]], Value]] = []

    def operand(self, shape: Shape) -> int:
        """A new input that broadcasts to ``shape``."""
        kept = tuple(d if self.random.random() < 0.6 else 1 for d in shape)
        self.inputs.append(kept)
        return len(self.inputs) - 1

    def pointwise(self) -> None:
        k = self.operand(self.shape)
        expr = self.random.choice(
            (
                e.arg(0) * e.arg(1) + 0.5,
                e.maximum(e.arg(0), e.arg(1)),
                e.where(e.arg(0) > e.arg(1), e.arg(0), e.tanh(e.arg(1))),
                e.arg(0) - e.sigmoid(e.arg(1)) * e.to_float(e.index(1)),
                e.arg(0) / (e.absolute(e.arg(1)) + e.dyn(float(self.shape[0]))),
            )
        )
        shape = self.shape
        self.steps.append(lambda b, v, xs: b.map(expr, v, xs[k], shape=shape))

    def movement(self) -> None:
        axis = self.random.randrange(len(self.shape))
        kind = self.random.choice(("slice", "pad", "concat", "transpose", "reshape", "window"))
        d = self.shape[axis]
        if kind == "slice" and d > 1:
            start = self.random.randrange(d - 1)
            self.resized(axis, d - 1 - start)
            self.steps.append(lambda b, v, xs: b.slice(v, axis, start, d - 1))
        elif kind == "pad":
            low = [0] * len(self.shape)
            low[axis] = self.random.randrange(3)
            self.resized(axis, d + low[axis] + 1)
            high = [int(i == axis) for i in range(len(low))]
            self.steps.append(lambda b, v, xs: b.pad(v, low, high, 0.25))
        elif kind == "concat":
            other = list(self.shape)
            other[axis] = self.random.randrange(1, 4)
            self.inputs.append(tuple(other))
            k = len(self.inputs) - 1
            self.resized(axis, d + other[axis])
            self.steps.append(lambda b, v, xs: b.concat([xs[k], v], axis))
        elif kind == "transpose":
            order = list(range(len(self.shape)))
            self.random.shuffle(order)
            self.shape = tuple(self.shape[i] for i in order)
            self.steps.append(lambda b, v, xs: b.transpose(v, order))
        elif kind == "reshape":
            a, c, *rest = self.shape
            shapes = (a * c, 1, *rest), (1, a, c * rest[0], *rest[1:])
            shape = self.random.choice(shapes)
            self.shape = shape
            self.steps.append(lambda b, v, xs: b.reshape(v, shape))
        elif kind == "window":
            window = tuple(3 if i == axis else 1 for i in range(len(self.shape)))
            edge = tuple(int(i == axis) for i in range(len(self.shape)))
            op = WindowSum(window, (1,) * len(window), edge, edge)
            self.steps.append(lambda b, v, xs: b.emit(op, v))

    def resized(self, axis: int, extent: int) -> None:
        self.shape = tuple(extent if i == axis else d for i, d in enumerate(self.shape))

    def grow(self, steps: int) -> None:
        for _ in range(steps):
            self.random.choice((self.pointwise, self.pointwise, self.movement))()

    def run(self, b: Builder, xs: tuple[Value, ...]) -> Value:
        value = xs[0]
        for step in self.steps:
            value = step(b, value, xs)
        return value


@pytest.mark.parametrize("seed", range(40))
def test_flat_groups(seed: int) -> None:
    chain = Chain(seed)
    chain.grow(4)
    check(fused(lambda b, *xs: chain.run(b, xs), *chain.inputs), tolerance=1e-5, seed=seed)


@pytest.mark.parametrize("seed", range(40))
def test_reduce_groups(seed: int) -> None:
    chain = Chain(seed)
    chain.grow(3)
    rank = len(chain.shape)
    axes = tuple(sorted(chain.random.sample(range(rank), chain.random.randint(1, rank))))
    kind = chain.random.choice(("sum", "max", "min"))

    def build(b: Builder, *xs: Value) -> list[Value]:
        value = chain.run(b, xs)
        first = b.reduce(kind, value, axes)
        second = b.sum(b.map(e.arg(0) * e.arg(0), value), axes)
        return [b.map(e.arg(0) - e.arg(1) * e.dyn(0.5), first, second), second]

    check(fused(build, *chain.inputs, schedule="reduce"), tolerance=1e-5, seed=seed)


@pytest.mark.parametrize("seed", range(24))
def test_contract_groups(seed: int) -> None:
    rng = random.Random(seed)
    n, group = rng.randint(1, 3), rng.choice((1, 1, 2))
    inner, outer = group * rng.randint(1, 4), group * rng.randint(1, 4)
    rank = rng.choice((1, 2, 2, 3))
    window = tuple(rng.randint(1, 3) for _ in range(rank))
    stride = tuple(rng.randint(1, 2) for _ in range(rank))
    pad = tuple(rng.randint(0, k - 1) for k in window)
    dilation = tuple(rng.randint(1, 2) for _ in range(rank))
    spatial = tuple(
        t * (k - 1) + 1 + rng.randint(0, 4) for t, k in zip(dilation, window, strict=True)
    )
    x, w = (n, inner, *spatial), (outer, inner // group, *window)
    op = Conv(stride, pad, dilation, group)
    y = (n, outer, *op.outputs(spatial, window))

    def build(b: Builder, *xs: Value) -> list[Value]:
        data, weights, bias, skip = xs
        value = b.emit(op, data, weights)
        result = b.map(e.maximum(e.arg(0) + e.arg(1), e.arg(2)), value, bias, skip)
        return [result, value] if seed % 2 else [result]

    bias = (1, outer, *(1 for _ in window))
    check(fused(build, x, w, bias, y, schedule="contract"), tolerance=1e-4, seed=seed)

    def backward(b: Builder, *xs: Value) -> list[Value | None]:
        """Both gradients, each printed alone."""
        from ir.op import Adjoint

        data, weights, g = xs
        value = b.emit(op, data, weights)
        at = Adjoint((data, weights), (value,), (g,), (True, True))
        return list(op.gradient(b, at))

    scratch = Builder()
    values = [scratch.input(f"v{i}", TensorType(s)) for i, s in enumerate((x, w, y))]
    for gradient in backward(scratch, *values):
        assert gradient is not None
        node = next(k for k in scratch.nodes if gradient in k.outputs)
        check(single(node.op, *(v.shape for v in node.inputs)), tolerance=1e-4, seed=seed)


# --- the text -----------------------------------------------------------------------------


def conv_relu(n: int = 2, h: int = 5, name: str = "in", layer: str = "conv1") -> Node:
    def build(b: Builder, x: Value, w: Value, bias: Value) -> Value:
        b.location = Location("net.prototxt", 3, 1, layer)
        y = b.emit(Conv((1, 1), (1, 1), (1, 1)), x, w)
        return b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), y, bias)

    return fused(
        build, (n, 4, h, h), (6, 4, 3, 3), (1, 6, 1, 1), schedule="contract", variables=(1, 2)
    )


def bias_relu(n: int, h: int) -> Node:
    rule = e.maximum(e.arg(0) + e.arg(1), 0.0) * e.dyn(float(n))
    return fused(lambda b, x, c: b.map(rule, x, c), (n, 4, h, h + 1), (1, 4, 1, 1), variables=(1,))


def pooling(n: int, h: int) -> Node:
    kind = ((1, 1, 3, 3), (1, 1, 2, 2), (0, 0, 1, 1), (0, 0, h % 2, h % 2))
    return single(WindowMax(*kind), (n, 4, h, h), schedule="flat")


@pytest.mark.parametrize("make", [conv_relu, bias_relu], ids=lambda f: f.__name__)
def test_another_batch_or_image_is_the_same_text(make: Callable[[int, int], Node]) -> None:
    texts = {lowered(make(n, h))[0].kernel.source for n, h in ((1, 5), (2, 5), (7, 12), (64, 2))}
    assert len(texts) == 1


def test_pooling_of_another_image_is_the_same_text() -> None:
    texts = {lowered(pooling(n, h))[0].kernel.source for n, h in ((1, 4), (3, 8), (2, 11))}
    assert len(texts) == 1


def test_layers_share_a_canonical_text() -> None:
    (first,) = lowered(conv_relu(layer="conv1"))
    (second,) = lowered(conv_relu(layer="res2/branch1"))
    assert first.kernel == second.kernel
    assert first.readable() != second.readable()
    assert "conv1" not in first.kernel.source and "#" not in first.kernel.source


def test_text_does_not_depend_on_hashing() -> None:
    script = (
        "import sys; sys.path[:0] = ['tests/interpret', '.']\n"
        "import test_kernels_random as t\n"
        "from kernel_runner import lowered\n"
        "nodes = [t.conv_relu(), t.bias_relu(2, 3), t.pooling(2, 4)]\n"
        "print([(k.kernel.source, k.readable()) for n in nodes for k in lowered(n)])\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            cwd=REPOSITORY,
            env={"PYTHONHASHSEED": str(seed), "PATH": ""},
        ).stdout
        for seed in (1, 2)
    }
    assert len(printed) == 1 and len(printed.pop()) > 2000


def test_readable_files_check_themselves(tmp_path: Path) -> None:
    from roastery.kernel_check import check_file

    long_sum = fused(
        lambda b, x: b.map(e.arg(0) * 2.0, b.sum(x, (0,))), (40000,), schedule="reduce"
    )
    for number, launch in enumerate([*lowered(conv_relu()), *lowered(long_sum)]):
        path = tmp_path / f"kernel{number}.py"
        path.write_text(launch.readable())
        assert check_file(path)
    path.write_text(launch.readable().replace("* 2.0", "* 2.5"))
    assert not check_file(path)


def test_readable_files_are_checked_with_the_options_that_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roastery import kernel_check

    asked = CompileOptions(replace(GENERIC, name='a "GPU"\\', processors=1), "tf32")
    (launch,) = lower_node(conv_relu(), asked)
    path = tmp_path / "kernel.py"
    path.write_text(launch.readable())
    taken: list[CompileOptions] = []

    def lower(
        node: Node, options: CompileOptions, number: object = None, known: object = None
    ) -> list[Launch]:
        taken.append(options)
        return lower_node(node, options)

    monkeypatch.setattr(kernel_check, "lower_node", lower)
    assert kernel_check.check_file(path)
    assert taken == [asked]


def test_readable_files_say_what_they_are() -> None:
    (launch,) = lowered(conv_relu(layer="conv1"))
    text = launch.readable()
    assert "conv1  net.prototxt:3" in text  # the layer and its line
    assert "conv(%in0, %in1) stride=(1,1)" in text  # the IR
    assert "in0_ptr" in text and "# conv1" in text  # arguments named after blobs, comments
    assert re.search(r"M=32 N=32 K=32 SPLIT=0, 4 warps, 3 stages", text)


def test_names_of_layers_cannot_break_a_file() -> None:
    def build(b: Builder, x: Value) -> Value:
        b.location = Location('a"""\\.prototxt', 3, 1, 'tl"""\n', text='name: "\\"')
        b.hint = "lambda/3*x"
        return b.map(e.tanh(e.arg(0)), x)

    (launch,) = lowered(fused(build, (3, 4)))
    compile(launch.readable(), "kernel.py", "exec")


@pytest.mark.parametrize(
    "node",
    [
        fused(lambda b, x: b.map(e.exp(e.arg(0)), x), (2**31 + 64,)),
        single(Reduce("sum", (1,)), (2**16, 2**15), schedule="reduce"),
        single(ArgExtreme("max", 1), (2**16, 2**15), schedule="reduce"),
        single(Conv((1, 1), (0, 0), (1, 1)), (2**15, 2**8, 2**5, 2**5), (4, 2**8, 1, 1)),
    ],
    ids=lambda n: n.op.body.nodes[0].op.name,
)
def test_huge_tensors_use_wide_indices(node: Node) -> None:
    (launch, *_) = lowered(node)
    assert "program_id(0).to(tl.int64)" in launch.kernel.source
    assert all(p.kind != "i32" for p in launch.kernel.parameters)


def test_wide_text_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compiler.kernels.task.WIDE", 0)
    for node in (
        conv_relu(),
        bias_relu(2, 3),
        pooling(2, 4),
        single(Reduce("sum", (0, 2)), (2, 3, 4), schedule="reduce"),
        single(ArgExtreme("max", 1), (2, 3, 4), schedule="reduce"),
    ):
        (launch,) = check(node, tolerance=1e-4)
        assert "int64" in launch.kernel.source


def test_no_kernel_multiplies_plain_tf32_unasked() -> None:
    for node in (conv_relu(), bias_relu(2, 3), pooling(2, 4)):
        assert not multiplies_plain_tf32(lowered(node)[0].kernel.source)


def test_float64_is_refused() -> None:
    from ir.types import DType

    node = fused(lambda b, x: b.emit(Map((e.arg(0, DType.F64),)), x), TensorType((3,), DType.F64))
    with pytest.raises(TypeError, match="f64"):
        lowered(node)


def test_steps_of_a_sequence_share_a_kernel() -> None:
    def step(t: int) -> list[Node]:
        return [
            fused(lambda b, x: b.map(e.tanh(e.arg(0)), b.slice(x, 0, t, t + 1)), (4, 2, 3)),
            fused(lambda b, x: b.pad(x, (t, 0, 0), (3 - t, 0, 0)), (1, 2, 3)),
        ]

    for node in (*step(0), *step(2), *step(3)):
        check(node)
    texts = {tuple(lowered(n)[0].kernel.source for n in step(t)) for t in range(4)}
    assert len(texts) == 1
