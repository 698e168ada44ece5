"""Printed kernels on real compilers: what they use, and which instructions they become."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.architecture import Architecture
from compiler.binary import Binary
from compiler.kernel import Launch
from compiler.options import CompileOptions
from compiler.triton.compile import compile_jobs, jobs_of
from compiler.triton.compile.inspection import ptx_parameters
from compiler.triton.compile.store import BinaryStore
from compiler.triton.lower import lower_node, ways_of
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.layout import channels_last
from ir.location import Location
from ir.ops.convolution import Conv
from ir.ops.fusion import Fused
from ir.types import TensorType

PTX_TYPE = {"i32": "u32", "i64": "u64", "f32": "f32"}  # every pointer is u64
Shapes = tuple[tuple[int, ...], ...]
Build = Callable[..., Value | list[Value]]


def fused(
    label: str, schedule: str, build: Build, operands: Shapes | tuple[TensorType, ...]
) -> Node:
    """A fused group of what ``build`` makes of inputs of these shapes."""
    b = Builder(label)
    types = [t if isinstance(t, TensorType) else TensorType(t) for t in operands]
    made = build(b, *(b.input(f"in{i}", t) for i, t in enumerate(types)))
    for i, value in enumerate(made if isinstance(made, list) else [made]):
        b.output(f"out{i}", value)
    op = Fused(label, schedule, b.finish())
    outer = tuple(Value(f"in{i}", t) for i, t in enumerate(types))
    outputs = tuple(Value(f"out{i}", p.value.type) for i, p in enumerate(op.body.outputs))
    return Node(op, outer, outputs, Location("lenet.prototxt", 1, 1, label))


def pointwise(b: Builder, x: Value, bias: Value) -> Value:
    return b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), x, bias)


def reduction(b: Builder, x: Value) -> Value:
    return b.sum(b.map(e.exp(e.arg(0)), x), [1])


def matmul(b: Builder, x: Value, w: Value, bias: Value) -> Value:
    return b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), b.matmul(x, w, transpose_b=True), bias)


def convolution(b: Builder, x: Value, w: Value, bias: Value) -> Value:
    y = b.emit(Conv((1, 1), (0, 0), (1, 1)), x, w)
    return b.map(e.arg(0) + e.arg(1), y, bias)


# LeNet at batch 64, and a longer reduction.
GROUPS: dict[str, tuple[str, Build, Shapes]] = {
    "relu": ("flat", pointwise, ((64, 500), (1, 500))),
    "sum": ("reduce", reduction, ((64, 1000, 7),)),
    "ip1": ("contract", matmul, ((64, 800), (500, 800), (1, 500))),
    "conv2": ("contract", convolution, ((64, 20, 12, 12), (50, 20, 5, 5), (1, 50, 1, 1))),
}
CONTRACTIONS = [name for name, (schedule, _, _) in GROUPS.items() if schedule == "contract"]


def launches_of(name: str, precision: str = "ieee") -> list[Launch]:
    schedule, build, shapes = GROUPS[name]
    return lower_node(fused(name, schedule, build, shapes), CompileOptions(precision=precision))


def compiled(
    launches: list[Launch], capability: int, store: BinaryStore, triton_path: Path | None
) -> list[Binary]:
    jobs = jobs_of(launches, Architecture(capability))
    return compile_jobs(jobs, store=store, triton_path=triton_path, workers=1)


def slack(binary: Binary) -> int:
    """Bytes of stack that are no sign of a kernel that is too large.

    Triton 3.9 has its assembler allocate registers less well than it could
    (``--regAllocOptLevel=2``, against a fault of it): for sm_90 one or two are then spilled
    even from kernels that leave many unused.
    """
    return 32 if binary.triton != "3.6.0" and binary.architecture.capability >= 90 else 0


@pytest.mark.parametrize("name", GROUPS)
def test_no_spills_and_the_stored_layout(
    name: str, store: BinaryStore, triton_path: Path | None
) -> None:
    launches = launches_of(name)
    for capability in (80, 90):
        binaries = compiled(launches, capability, store, triton_path)
        for launch, binary in zip(launches, binaries, strict=True):
            used = binary.resources
            assert used.stack + used.local <= slack(binary), used
            assert used.registers <= 255 and used.shared <= 160 << 10
            assert "tf32" not in binary.ptx
            kinds = [parameter.kind for parameter in launch.kernel.parameters]
            assert list(binary.arguments[: len(kinds)]) == kinds
            assert ptx_parameters(binary.ptx) == [
                PTX_TYPE.get(kind, "u64") for kind in binary.arguments
            ]


def test_pointwise_kernels_load_vectors(store: BinaryStore, triton_path: Path | None) -> None:
    (binary,) = compiled(launches_of("relu"), 90, store, triton_path)
    assert "ld.global.v4.b32" in binary.ptx
    assert "st.global.v4.b32" in binary.ptx


def statistics(b: Builder, x: Value) -> list[Value]:
    """As BatchNorm asks for them."""
    return [b.sum(x, (0, 2, 3)), b.reduce("deviations", x, (0, 2, 3))]


def with_statistics(b: Builder, x: Value, w: Value) -> list[Value]:
    y = b.emit(Conv((1, 1), (0, 0), (1, 1)), x, w)
    return [y, *statistics(b, y)]


IMAGE = TensorType((64, 64, 56, 56), layout=channels_last(4))


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("schedule", ["reduce", "contract"])
def test_statistics_read_lines_of_channels(
    schedule: str, capability: int, store: BinaryStore, triton_path: Path | None
) -> None:
    """By 16 bytes, and hold nothing in local memory."""
    alone = schedule == "reduce"
    types = (IMAGE,) if alone else (IMAGE, TensorType((64, 64, 1, 1)))
    node = fused("bn", schedule, statistics if alone else with_statistics, types)
    launches = lower_node(node, CompileOptions())
    assert [launch.kernel.entry for launch in launches][1:] == ["reduce_fold"]
    first, second = compiled(launches, capability, store, triton_path)
    for binary in (first, second):
        assert binary.resources.stack + binary.resources.local <= slack(binary)
    assert ("ld.global.v4.b32" if alone else "st.global.v4.b32") in first.ptx


@pytest.mark.parametrize("name", CONTRACTIONS)
def test_contractions_use_hopper(name: str, store: BinaryStore, triton_path: Path | None) -> None:
    """Where tiles are large enough for its matrix unit, which takes no plain float32."""
    schedule, build, shapes = GROUPS[name]
    ways = ways_of(fused(name, schedule, build, shapes), CompileOptions(precision="tf32"))
    large = [c for c in ways.choices if c.splits == 1 and min(c.config["M"], c.config["N"]) >= 64]
    jobs = jobs_of([ways.launches(choice)[0] for choice in large], Architecture(90))
    for binary in compile_jobs(jobs, store=store, triton_path=triton_path, workers=1):
        assert "wgmma.mma_async" in binary.ptx
        assert "cp.async" in binary.ptx
    assert jobs
