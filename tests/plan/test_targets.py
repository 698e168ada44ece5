"""Targets: what a device is, and what schedules make of how many processors it has."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from compiler.architecture import Architecture
from compiler.kernel import Launch
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.precision import PRECISIONS
from compiler.target import GENERIC, Target, gpu, typical
from compiler.triton.compile import jobs_of
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role
from ir.types import TensorType
from runtime.machine.processor import cpu_target
from tests.support import sample_nets
from tests.support.lowering import lowered
from tests.support.program_kernels import training_graph

Build = Callable[[Builder], Any]


def graph(build: Build) -> Graph:
    b = Builder("net")
    b.output("out", build(b))
    return b.finish()


def product(b: Builder) -> Any:
    x = b.input("x", TensorType((64, 4096)))
    w = b.input("w", TensorType((256, 4096)), Role.PARAMETER)
    return b.matmul(x, w, transpose_b=True)


def wide_product(b: Builder) -> Any:
    x = b.input("x", TensorType((1024, 64)))
    w = b.input("w", TensorType((1024, 64)), Role.PARAMETER)
    return b.matmul(x, w, transpose_b=True)


def long_sum(b: Builder) -> Any:
    return b.sum(b.input("x", TensorType((8, 1 << 16))), [1])


def pointwise(b: Builder) -> Any:
    return b.map(e.maximum(e.arg(0), 0.0), b.input("x", TensorType((1 << 18,))))


def launches(build: Build, processors: int, precision: str = "ieee") -> tuple[Launch, ...]:
    options = CompileOptions(replace(GENERIC, processors=processors), precision)
    return tuple(compile_graph(graph(build), lower_node, options).launches)


@pytest.mark.parametrize("build", [product, long_sum])
def test_more_processors_share_the_depth_of_a_result(build: Build) -> None:
    grids = [launches(build, processors)[0].grid for processors in (1, 16, 64)]
    splits = [y for _, y, _ in grids]
    assert splits == sorted(splits) and splits[0] == 1 < splits[1] < splits[2], grids
    for processors in (1, 16, 64):  # a second launch adds up what was split
        first, *rest = launches(build, processors)
        assert len(rest) == (first.grid[1] > 1)


@pytest.mark.parametrize("build", [wide_product, pointwise])
def test_few_processors_get_larger_tiles(build: Build) -> None:
    """As long as each of them has one."""
    few, many = (launches(build, processors)[0] for processors in (16, 1024))
    assert few.kernel == many.kernel
    assert few.config != many.config
    assert few.grid[0] < many.grid[0]


def test_any_gpu_has_the_launches_that_there_were() -> None:
    """128 programs fill whatever was printed without a GPU."""
    assert GENERIC.processors == 128
    assert CompileOptions().target is GENERIC
    first = launches(product, 128)[0]
    assert (first.grid, dict(first.config.constants)["M"]) == ((4, 32, 1), 64)
    assert launches(pointwise, 128)[0].grid == (256, 1, 1)


def test_binaries_depend_on_the_architecture_and_the_text_alone() -> None:
    """GPUs of one generation share what is compiled; precisions never do."""

    def keys(processors: int, capability: int, precision: str = "ieee") -> set[str]:
        found = jobs_of(launches(wide_product, processors, precision), Architecture(capability))
        return {job.key("3.9.0") for job in found}

    assert keys(100, 90) == keys(132, 90)
    assert not keys(128, 80) & keys(128, 90)
    assert not keys(128, 80) & keys(128, 80, "tf32")


def test_typical_devices() -> None:
    """Every architecture has one, of its own capability."""
    for capability in (75, 80, 86, 87, 88, 89, 90, 100, 103, 120, 121):
        target = typical(Architecture(capability))
        assert target.architecture == Architecture(capability)
        assert str(target) == f"cuda:sm_{capability}"
        assert target.processors >= 16 and target.shared_memory >= 64 << 10 and target.l2_cache
        assert ("tf32" in target.precisions) == (capability >= 80)
        assert {"float32", "ieee"} <= set(target.precisions) <= set(PRECISIONS)
        assert target.vector == (32 if capability >= 100 else 16)
    h100, a100 = typical(Architecture(90)), typical(Architecture(80))
    assert (h100.name, h100.processors, h100.shared_memory) == ("H100 SXM", 132, 227 << 10)
    assert (a100.name, a100.processors) == ("A100", 108)


def test_options_are_stored_and_read_again() -> None:
    options = CompileOptions(
        gpu("T4", 75, 40, 1 << 16, 1 << 22), "tf32", passes=("simplify", "fuse"), fuel=3
    )
    for case in (options, CompileOptions(), CompileOptions(Target("cpu", "any"))):
        assert CompileOptions.from_json(json.loads(json.dumps(case.json()))) == case
    assert str(options) == "tf32, planned for T4 with 40 processors"
    assert str(CompileOptions(Target("cpu", "any CPU"))).endswith("any CPU with 1 processor")
    later = {"precision": "int8", "target": {"kind": "cuda", "tensor_cores": 4}, "speed": "high"}
    assert CompileOptions.from_json(later).precision == "int8"
    # What was compiled before there were options.
    assert CompileOptions.from_json({}) == CompileOptions(precision="ieee")


def test_what_stands_in_kernels() -> None:
    """Plain tf32 is for those who ask for it."""
    ampere, turing = typical(Architecture(80)), typical(Architecture(75))
    for precision, on_ampere, on_turing in (
        ("float32", "tf32x3", "ieee"),
        ("ieee", "ieee", "ieee"),
        ("tf32", "tf32", "tf32"),  # Triton makes float32 of it, where one text is for both
        ("a later one", "tf32x3", "ieee"),
    ):
        assert CompileOptions(ampere, precision).factors_precision == on_ampere
        assert CompileOptions(turing, precision).factors_precision == on_turing
    # An artifact of when devices had but these.
    old = {"precision": "ieee", "target": {"kind": "cuda", "precisions": ["ieee", "tf32"]}}
    assert CompileOptions.from_json(old).factors_precision == "ieee"


@pytest.mark.parametrize(
    "broken",
    [
        {"precision": 7},
        {"passes": "fuse"},
        {"passes": [1]},
        {"fuel": "all"},
        {"fuel": True},
        {"target": []},
        {"target": {"processors": "many"}},
        {"target": {"precisions": [["ieee"]]}},
        {"target": {"kind": None}},
        {"target": {"name": "x" * 300}},
    ],
)
def test_options_of_another_type_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|expected|longer"):
        CompileOptions.from_json(broken)


H100 = typical(Architecture(90))


@pytest.mark.parametrize("net", [sample_nets.fully_convolutional(2, 12, 12), sample_nets.lenet(4)])
def test_precision_changes_the_products_and_nothing_else(net: str) -> None:
    """Forward and backward."""
    program = training_graph(lowered(net))
    ieee, tf32, split = (
        {
            launch.label: launch
            for launch in compile_graph(program, lower_node, CompileOptions(H100, precision)).alone
            if launch.kernel.entry != "sum_partials"  # other tiles are split otherwise
        }
        for precision in ("ieee", "tf32", "float32")
    )
    for others, word in ((tf32, '"tf32"'), (split, "dot_tf32x3(")):
        assert list(ieee) == list(others)
        products = set()
        for label, one in ieee.items():
            other = others[label]
            assert ('"ieee"' in one.kernel.source) == (word in other.kernel.source)
            if "tl.dot(" in one.kernel.source:
                products.add(one.kernel.entry)
            else:
                assert one.kernel.source == other.kernel.source
                assert (one.grid, one.config) == (other.grid, other.config)
        assert products >= {"conv", "conv_weight_grad"}


# --- this machine's CPU -------------------------------------------------------------------


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


V3 = "sse4_2 popcnt cx16 avx avx2 fma f16c bmi1 bmi2 abm movbe"
CACHE = "sys/devices/system/cpu/cpu0/cache"


def test_a_cpu_by_what_linux_tells(tmp_path: Path) -> None:
    caches = [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2048K")]
    caches.append(("3", "Unified", "262144K"))
    write(
        tmp_path,
        {
            "proc/cpuinfo": f"processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {V3}\n",
            "sys/fs/cgroup/cpu.max": "50000 100000\n",
            **{
                f"{CACHE}/index{i}/{name}": f"{value}\n"
                for i, one in enumerate(caches)
                for name, value in zip(("level", "type", "size"), one, strict=True)
            },
        },
    )
    found = cpu_target(tmp_path, "x86_64")
    assert found == Target(
        "cpu",
        "Some CPU",
        processors=1,
        vector=32,
        l1_cache=48 << 10,
        l2_cache=2 << 20,
        precisions=("float32", "bfloat16", "ieee"),
        instructions="x86-64-v3",
        registers=16,
    )
    assert str(found) == "cpu"


@pytest.mark.parametrize(
    ("machine", "flags", "wanted"),
    [
        ("x86_64", "sse sse2", ("x86-64", 16, 16)),
        ("AMD64", "sse2 sse4_2 popcnt cx16 avx", ("x86-64-v2", 16, 16)),
        ("x86_64", f"{V3} avx512f", ("x86-64-v3", 32, 16)),
        ("x86_64", f"avx512vl avx512f avx512cd {V3} avx512bw avx512dq", ("x86-64-v4", 64, 32)),
        ("x86_64", "", ("x86-64", 16, 16)),
        ("aarch64", "", ("aarch64", 16, 32)),
        ("arm64", "", ("aarch64", 16, 32)),
        ("riscv64", "sse2", ("any", 16, 16)),
    ],
)
def test_instructions(
    tmp_path: Path, machine: str, flags: str, wanted: tuple[str, int, int]
) -> None:
    """All of a set are there, or the next one counts."""
    write(tmp_path, {"proc/cpuinfo": f"flags : {flags}\n"})
    found = cpu_target(tmp_path, machine)
    assert (found.instructions, found.vector, found.registers) == wanted


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/cpuinfo": "", "sys/fs/cgroup/cpu.max": "max 100000\n", f"{CACHE}/index0/level": ""},
        {"proc/cpuinfo": "\0" * 9, "sys/fs/cgroup/cpu.max": "1 0\n"},
        {f"{CACHE}/index0/level": "one", f"{CACHE}/index0/size": "big", "proc": "a file"},
        {f"{CACHE}/index0/level": "1\n", f"{CACHE}/index0/size": "32M\n"},
        {"sys/fs/cgroup/cpu.max": "9" * 5000 + " 1", f"{CACHE}/index0/level": "1" * 5000},
        {f"{CACHE}/index0/level": "1", f"{CACHE}/index0/size": "9" * 5000 + "K"},
    ],
)
def test_a_container_that_tells_little(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)
    found = cpu_target(tmp_path)
    assert found.kind == "cpu" and found.processors >= 1 and found.vector == 16
    assert (found.l1_cache, found.l2_cache) == (0, 0)


@pytest.mark.parametrize(
    ("quota", "wanted"), [("50000", 1), ("100001", 2), ("-1", 5), ("", 5), ("x", 5), ("0", 1)]
)
def test_a_share_of_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, wanted: int
) -> None:
    """As control groups of version 1 tell it."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(5)))
    folder = "sys/fs/cgroup/cpu/cpu.cfs_"
    write(tmp_path, {f"{folder}quota_us": f"{quota}\n", f"{folder}period_us": "100000\n"})
    assert cpu_target(tmp_path).processors == wanted


def test_this_machine() -> None:
    assert cpu_target().processors >= 1
    assert {type(getattr(cpu_target(), f.name)) for f in fields(Target)} == {
        *(str, int, float, tuple)
    }
