"""Reading PTX and the resource report."""

from __future__ import annotations

import pytest

from compiler.binary import Resources
from compiler.triton.compile.inspection import (
    InspectionError,
    argument_layout,
    ptx_parameters,
    resource_usage,
)

PTX = """
.version 7.4
.visible .entry k(
	.param .u64 .ptr .global .align 16 k_param_0,
	.param .u32 k_param_1,
	.param .u64 k_param_2,
	.param .f32 k_param_3,
	.param .u64 .ptr .global .align 1 k_param_4,
	.param .u64 .ptr .global .align 1 k_param_5
)
.reqntid 128
{ ret; }
"""
KINDS = ["pointer", "i32", "i64", "f32"]


def test_the_layout_includes_hidden_pointers() -> None:
    assert ptx_parameters(PTX) == ["u64", "u32", "u64", "f32", "u64", "u64"]
    assert argument_layout(KINDS, PTX) == (*KINDS, "global_scratch", "profile_scratch")


@pytest.mark.parametrize(
    "kinds",
    [["pointer", "i64", "i64", "f32"], ["pointer"], [*KINDS, "i64", "i64", "i64"], KINDS[1:]],
)
def test_a_layout_that_does_not_fit_is_refused(kinds: list[str]) -> None:
    with pytest.raises(InspectionError, match="the PTX takes"):
        argument_layout(kinds, PTX)


def test_ptx_has_one_entry() -> None:
    for text in ("", PTX + PTX):
        with pytest.raises(InspectionError, match="entries, not one"):
            ptx_parameters(text)


def test_resource_usage() -> None:
    report = (
        " Function other:\n  REG:8 STACK:0 SHARED:0 LOCAL:0 CONSTANT[0]:592\n"
        " Function k:\n  REG:255 STACK:96 SHARED:0 LOCAL:16 CONSTANT[0]:592 TEXTURE:0\n"
    )
    used = resource_usage(report, "k", 1024)
    assert used == Resources(registers=255, stack=96, local=16, shared=1024)
    assert used.spills
    assert not resource_usage(report, "other", 0).spills
    with pytest.raises(InspectionError, match="no resource usage of missing"):
        resource_usage(report, "missing", 0)
