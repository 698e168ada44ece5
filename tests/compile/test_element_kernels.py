"""Kernels that multiply no matrices in machine code: accesses of 16 bytes, and few instructions."""

from __future__ import annotations

import pytest

from benchmarks.machine_code.elements import Elements, elements, shortest
from compiler.architecture import Architecture
from compiler.options import CompileOptions
from compiler.precision import BFLOAT16, FLOAT32
from compiler.target import typical
from compiler.triton.compile.disassembly import read_instructions
from compiler.triton.compile.store import BinaryStore
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from tests.support.lowering import program_of
from tests.support.sample_nets import inputs, layer

SM_90 = Architecture(90)


def convolution(name: str, bottom: str, channels: int, window: int = 1, group: int = 1) -> str:
    fields = f"num_output: {channels} kernel_size: {window} pad: {window // 2} group: {group}"
    body = f"convolution_param {{ {fields} bias_term: false }}"
    return layer(name, "Convolution", bottom, body)


def normalized(name: str, bottom: str) -> str:
    """BatchNorm and Scale."""
    scale = layer(f"{name}_scale", "Scale", name, "scale_param { bias_term: true }")
    return layer(name, "BatchNorm", bottom) + scale


RESIDUAL = (
    inputs(x=(64, 64, 28, 28), t=(64, 64, 28, 28))
    + convolution("c1", "x", 256)
    + normalized("b1", "c1")
    + layer("r1", "ReLU", "b1_scale")
    + convolution("c2", "r1", 256, 3)
    + normalized("b2", "c2")
    + layer("sum", "Eltwise", "r1 b2_scale")
    + layer("r2", "ReLU", "sum")
    + convolution("c3", "r2", 64)
    + layer("loss", "EuclideanLoss", "c3 t")
)


def kernels(text: str, precision: str, store: BinaryStore) -> dict[str, Elements]:
    """By label, of a training pass."""
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TRAIN")
    options = CompileOptions(typical(SM_90), precision)
    compiled = compile_program(program, options, backward=True).compiled
    return {one.launch.label: one for one in elements(compiled, options, store)}


def check(one: Elements, most: float) -> None:
    assert {width for _, width in one.code.accesses} == {16}, str(one)
    assert one.each <= most, str(one)
    assert not one.spilled


@pytest.mark.parametrize(
    ("precision", "applied", "added", "backward"),
    [(FLOAT32, 5, 6.5, 6), (BFLOAT16, 6.5, 9, 9.5)],
)
def test_batch_normalisation(
    precision: str, applied: float, added: float, backward: float, store: BinaryStore
) -> None:
    """Applied, with a residual added, and its gradient: what belongs to channels is read once for
    all rows of a program."""
    found = kernels(RESIDUAL, precision, store)
    rows = {label: one for label, one in found.items() if one.launch.kernel.entry == "channel_rows"}
    check(rows["b1_b1_scale_r1"], applied)
    check(rows["b2_to_r2"], added)
    check(rows["d_b2_scale_b2"], backward)


TOGETHER = (
    inputs(x=(64, 64, 28, 28), t=(64, 96, 28, 28))
    + convolution("c", "x", 64)
    + layer("r", "ReLU", "c")
    + convolution("a", "r", 96)
    + layer("ra", "ReLU", "a")
    + convolution("b", "r", 96, 3)
    + layer("rb", "ReLU", "b")
    + layer("pool", "Pooling", "r", "pooling_param { kernel_size: 3 stride: 1 pad: 1 }")
    + layer("whole", "Concat", "ra rb pool")
    + convolution("dw", "whole", 256, 3, group=256)
    + layer("rd", "ReLU", "dw")
    + convolution("d", "rd", 96)
    + layer("loss", "EuclideanLoss", "d t")
)


@pytest.mark.parametrize(
    ("precision", "activation", "depthwise", "weights", "pooled", "back"),
    [(FLOAT32, 8, 40, 115, 71, 89), (BFLOAT16, 5, 55, 106, 73, 79)],
)
def test_parts_and_windows(
    precision: str,
    activation: float,
    depthwise: float,
    weights: float,
    pooled: float,
    back: float,
    store: BinaryStore,
) -> None:
    """What lies in the whole that it is a part of, depthwise convolutions and overlapping windows;
    sums over taps are stored one by one."""
    found = kernels(TOGETHER, precision, store)
    check(found["d_whole_ra"], activation)
    check(found["d_whole_rb"], activation)
    check(found["dw_rd"], depthwise)
    check(found["d_dw"], depthwise)
    check(found["pool"], pooled)
    check(found["d_pool"], back)
    sums = found["d_dw_2"]
    assert {width for kind, width in sums.code.accesses if kind == "load"} == {16}
    assert sums.each <= weights and not sums.spilled


BRANCHES = """
        /*0000*/                   S2R R0, SR_TID.X ;
        /*0010*/              @!P0 BRA `(.L_x_1) ;
        /*0020*/               @P1 LDG.E.128 R4, desc[UR4][R2.64] ;
        /*0030*/                   FADD R4, R4, R5 ;
        /*0040*/               @P1 STG.E.128 desc[UR4][R2.64], R4 ;
        /*0050*/                   EXIT ;
.L_x_1:
        /*0060*/                   LDG.E.128 R4, desc[UR4][R2.64] ;
        /*0070*/               @P2 EXIT ;
        /*0080*/                   STG.E.128 desc[UR4][R2.64], R4 ;
        /*0090*/                   EXIT ;
.L_x_2:
        /*00a0*/                   BRA `(.L_x_2);
"""


def test_the_shortest_way() -> None:
    assert shortest(read_instructions(BRANCHES)) == 6
