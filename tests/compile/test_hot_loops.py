"""Hot layers of known nets in machine code: what the loops that multiply are made of.

All layers, precisions and releases: `make test-compile-all`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.machine_code.__main__ import ARCHITECTURES, found
from benchmarks.machine_code.layers import FORWARD, INPUT, LAYERS, WEIGHTS, Layer, products
from compiler.architecture import Architecture
from compiler.precision import BFLOAT16, FLOAT16, FLOAT32, PRECISIONS, TF32
from compiler.target import typical
from compiler.triton.compile.disassembly import read_instructions
from compiler.triton.compile.hot_loop import GLOBAL, hot_loop, kind, width
from compiler.triton.compile.store import BinaryStore
from compiler.triton.cost.count import counted
from ir.size import value_of


def check(
    layer: Layer,
    precision: str,
    architecture: Architecture,
    triton: Path | None = None,
    store: BinaryStore | None = None,
) -> None:
    """Of its loops, and what the cost model counts in them before there is machine code.

    ``store``: by default the cache folder's, where `make test-compile-all` finds them again.
    """
    kernels = list(found(layer, precision, architecture, triton, store))
    assert {one.way for one in kernels} == {FORWARD, WEIGHTS, INPUT}
    wrong = {one.way: (faults, str(one.loop)) for one in kernels if (faults := [*one.faults()])}
    assert not wrong, f"{layer} in {precision} for {architecture}: {wrong}"
    launches = products(layer, typical(architecture), precision)
    for one, (way, launch) in zip(kernels, launches, strict=True):
        assert launch.body is not None and way == one.way
        counts = counted(launch.body(), value_of)
        (dot,) = counts.dots
        foreseen = counts.instructions / dot.times / launch.config.num_warps
        kinds = one.loop.kinds
        there = sum(kinds[name] for name in ("integer", *GLOBAL))
        assert 0.4 < foreseen / there < 2.5, (way, foreseen, str(one.loop))


@pytest.mark.parametrize(
    ("layer", "precision", "architecture"),
    [
        (LAYERS[0], FLOAT32, ARCHITECTURES[1]),
        (LAYERS[3], BFLOAT16, ARCHITECTURES[1]),
        (LAYERS[1], TF32, ARCHITECTURES[0]),
        (LAYERS[2], FLOAT16, ARCHITECTURES[0]),
        (LAYERS[4], TF32, ARCHITECTURES[1]),
        (LAYERS[5], BFLOAT16, ARCHITECTURES[1]),
        # Channels that no step along the depth divides.
        (Layer("GoogLeNet 3x3 112", 14, 112, 224, 3), FLOAT32, ARCHITECTURES[1]),
        (Layer("GoogLeNet 5x5 48", 7, 48, 128, 5), BFLOAT16, ARCHITECTURES[1]),
        # Three channels, which get as many more as an access moves.
        (Layer("VGG-16 3x3 3", 224, 3, 64, 3), TF32, ARCHITECTURES[1]),
        (Layer("ResNet-50 7x7 3", 56, 3, 64, 7), FLOAT32, ARCHITECTURES[1]),
    ],
    ids=str,
)
def test_some_layers(
    layer: Layer, precision: str, architecture: Architecture, store: BinaryStore
) -> None:
    check(layer, precision, architecture, store=store)


@pytest.mark.parametrize("precision", [TF32, BFLOAT16])
def test_kernels_for_images_of_any_size(precision: str, store: BinaryStore) -> None:
    """Nobody knows where the depth of a weight gradient ends, or what its positions are divided
    by."""
    layer = Layer("ResNet-50 3x3 256", 14, 256, 256, 3, any_size=True)
    kernels = list(found(layer, precision, ARCHITECTURES[1], store=store))
    assert not [(one.way, fault) for one in kernels for fault in one.faults()]


def test_sums_over_tiles_leave_registers_to_products(store: BinaryStore) -> None:
    """Of tiles of 128 sums for each thread, the last of which is not full."""
    layer = Layer("ResNet-50 1x1 512 to 128", 27, 512, 128, 1, normalized=True)
    kernels = list(found(layer, TF32, ARCHITECTURES[1], store=store))
    assert not [(one.way, fault) for one in kernels for fault in one.faults()]


@pytest.mark.parametrize("triton_path", ["floor"], indirect=True)
def test_the_oldest_triton_sees_what_is_contiguous(
    triton_path: Path | None, store: BinaryStore
) -> None:
    """It forgets of a remainder that it is a multiple of 16."""
    check(LAYERS[0], TF32, ARCHITECTURES[1], triton_path, store)


@pytest.mark.parametrize("triton_path", ["floor"], indirect=True)
def test_the_oldest_triton_has_registers_for_the_addresses_of_results(
    triton_path: Path | None, store: BinaryStore
) -> None:
    """Of images of 7 x 7 with the channels first: nothing is a multiple of anything."""
    check(LAYERS[2], BFLOAT16, ARCHITECTURES[1], triton_path, store)


@pytest.mark.exhaustive
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("triton_path", ["newest", "3.8.0", "floor"], indirect=True)
def test_every_layer(
    layer: Layer, precision: str, architecture: Architecture, triton_path: Path | None
) -> None:
    check(layer, precision, architecture, triton_path)


# Two loops, one in the other, with a way round a load; then a loop that is longer and multiplies
# less. Branches go back in the text without being loops (L_x_5, behind the code's end).
LOOPS = """
conv:
.text.conv:
        /*0000*/                   LDG.E R0, desc[UR4][R2.64] ;
.L_x_0:
        /*0010*/                   IADD3 R4, R4, 0x1, RZ ;
.L_x_1:
        /*0020*/              @!PT LDS RZ, [RZ] ;
        /*0030*/                   LDGDEPBAR ;
        /*0040*/               @P1 BRA `(.L_x_2) ;
        /*0050*/                   LDG.E.128 R8, desc[UR4][R6.64] ;
        /*0060*/                   LDGSTS.E.BYPASS.128 [R45], desc[UR24][R28.64], !P0 ;
.L_x_2:
        /*0070*/                   HMMA.1688.F32.TF32 R12, R8, R16, R12 ;
        /*0080*/                   HMMA.1688.F32.TF32 R12, R8, R16, R12 ;
        /*0090*/                   UIADD3 UR6, UR6, 0x1, URZ ;
        /*00a0*/              @!P0 BRA `(.L_x_1) ;
        /*00b0*/               @P2 BRA `(.L_x_0) ;
.L_x_3:
        /*00c0*/                   FFMA R1, R2, R3, R1 ;
        /*00d0*/                   FFMA R1, R2, R3, R1 ;
        /*00e0*/                   HMMA.1688.F32.TF32 R12, R8, R16, R12 ;
        /*00f0*/                   LDG.E.U16 R3, desc[UR4][R6.64] ;
        /*0100*/                   STL [R1], R3 ;
        /*0110*/                   BRA P3, `(.L_x_3) ;
        /*0120*/                   BRA `(.L_x_5) ;
.L_x_4:
        /*0130*/                   STG.E.64 desc[UR4][R6.64], R8 ;
        /*0140*/                   EXIT ;
.L_x_5:
        /*0150*/                   NOP ;
        /*0160*/                   BRA `(.L_x_4) ;
.L_x_6:
        /*0170*/                   BRA `(.L_x_6);
"""


def test_the_loop_that_multiplies_is_found_by_control_flow() -> None:
    code = read_instructions(LOOPS)
    assert len(code) == 24
    loop = hot_loop(code)
    assert loop.instructions == tuple(code[2:11])
    assert loop.kinds == {
        "never": 1, "wait": 1, "branch": 2, "load": 1, "copy": 1, "mma": 2, "integer": 1
    }  # fmt: skip
    assert loop.accesses == {("load", 16): 1, ("copy", 16): 1}
    assert (loop.products, loop.per_product) == ("mma", 4.5)


def test_without_a_loop_all_code_counts() -> None:
    code = read_instructions("/*0000*/ STG.E.64 desc[UR4][R6.64], R8 ;\n/*0010*/ EXIT ;")
    loop = hot_loop(code)
    assert loop.instructions == tuple(code)
    assert (loop.products, loop.accesses) == ("", {("store", 8): 1})
    assert hot_loop([]).instructions == ()


@pytest.mark.parametrize(
    ("text", "named", "size"),
    [
        ("LDG.E.U8 R0, desc[UR4][R2.64]", "load", 1),
        ("LDG.E.S16.CONSTANT R0, desc[UR4][R2.64]", "load", 2),
        ("@P0 LDG.E R0, desc[UR4][R2.64]", "load", 4),
        ("LDG.E.ENL2.256 R0, desc[UR4][R2.64]", "load", 32),
        ("STG.E.128 desc[UR4][R2.64], R4", "store", 16),
        ("@!UPT LDG.E R0, desc[UR4][R2.64]", "never", 4),
        ("LDL.64 R2, [R1]", "spill", 8),
        ("HGMMA.64x64x8.F32.TF32 R24, R72, gdesc[UR20], RZ, !UPT", "wgmma", 4),
        ("ULDC.64 UR24, c[0x0][0x208]", "integer", 8),
        ("MUFU.RCP R0, R0", "other", 4),
    ],
)
def test_kinds_and_widths(text: str, named: str, size: int) -> None:
    (instruction,) = read_instructions(f"        /*0010*/    {text} ;")
    assert kind(instruction) == named
    if named in ("load", "store", "spill", "never"):
        assert width(instruction) == size
