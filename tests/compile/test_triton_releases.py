"""Every release of Triton that is supported compiles a kernel of each schedule.

`make setup` puts the releases besides the installed one into folders of their own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from compiler.architecture import Architecture
from compiler.binary import Binary
from compiler.kernel import Launch
from compiler.options import CompileOptions
from compiler.triton.compile import CompileError, compile_jobs, jobs_of, triton_version
from compiler.triton.compile.disassembly import disassembled
from compiler.triton.compile.early_start import waiting, waits_first
from compiler.triton.compile.portable_ptx import required_version, with_lowest
from compiler.triton.compile.store import BinaryStore
from compiler.triton.lower import lower_node
from ir.ops.fusion import Fused
from roastery.reading import nets
from tests.support import program_kernels as kernels
from tests.support.lowering import program_of
from tests.support.sample_nets import inputs

ROOT = Path(__file__).parents[2]

NET = (
    inputs(x=(4, 8, 12, 12), t=(4,))
    + """
layer { name: "conv" type: "Convolution" bottom: "x" top: "c"
  convolution_param { num_output: 16 kernel_size: 3 } }
layer { name: "pool" type: "Pooling" bottom: "c" top: "p"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "p" top: "i"
  inner_product_param { num_output: 10 } }
layer { name: "best" type: "ArgMax" bottom: "i" top: "best" argmax_param { top_k: 3 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "i" bottom: "t" top: "loss" }
"""
)
SCHEDULES = {"flat", "reduce", "row", "contract", "single"}
ARCHITECTURES = (Architecture(75), Architecture(80), Architecture(90))

#: Every release from 3.6 to 3.9, and the PTX that its kernels for sm_80 need at most.
RELEASES = {"3.6.0": 74, "3.7.0": 74, "3.7.1": 74, "3.8.0": 78, "3.9.0": 74}


def folder(release: str) -> Path | None:
    """Where a release lies; None for the installed one. Skips where there is none."""
    if release == triton_version():
        return None
    given = os.environ.get("ROASTERY_TRITONS")
    floor = Path(os.environ.get("ROASTERY_TRITON_FLOOR") or ROOT / ".venv-floor")
    places = [floor, Path(given or ROOT / ".venv-tritons") / release]
    found = [p for p in places if (p / "triton").is_dir() and triton_version(p) == release]
    if not found and not given:
        pytest.skip(f"Triton {release} is not there (`make setup` installs it)")
    return found[0]


def one_of_each_schedule() -> Sequence[Launch]:
    """The launches of the first group of every schedule in a net's forward and backward."""
    program = program_of(nets.net_from_text(NET, "net.prototxt"), "TRAIN")
    groups: dict[str, Sequence[Launch]] = {}
    for node in kernels.training(program).graph.nodes:
        if isinstance(node.op, Fused):
            groups.setdefault(node.op.schedule, lower_node(node, CompileOptions()))
    assert set(groups) == SCHEDULES
    return [launch for launches in groups.values() for launch in launches]


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_compiles_every_schedule(release: str, store: BinaryStore) -> None:
    path = folder(release)
    launches = one_of_each_schedule()
    jobs = [job for architecture in ARCHITECTURES for job in jobs_of(launches, architecture)]
    binaries = compile_jobs(jobs, store=store, triton_path=path, workers=1)
    versions = set()
    for job, binary in zip(jobs, binaries, strict=True):
        assert binary.triton == release
        assert binary.architecture == job.architecture
        assert binary.cubin.startswith(b"\x7fELF")
        assert binary.resources.registers <= 255
        if job.architecture.capability == 75:
            assert binary.resources.shared <= 64 << 10  # what a block may have there
        if job.architecture.capability == 80:
            assert ".target sm_80\n" in binary.ptx
            major, minor = re.findall(r"\.version (\d+)\.(\d+)", binary.ptx)[0]
            versions.add(10 * int(major) + int(minor))
    assert versions <= {74, RELEASES[release]} and max(versions) == RELEASES[release]


@pytest.mark.parametrize("release", ["3.6.0", "3.9.0"])
def test_kernels_that_begin_early_wait_first(release: str, store: BinaryStore) -> None:
    """In machine code: then the next launch may begin, then memory is read."""
    path = folder(release)
    jobs = jobs_of(one_of_each_schedule(), Architecture(90), early=True)
    assert {job.key(release) for job in jobs}.isdisjoint(
        replace(job, early=False).key(release) for job in jobs
    )
    for binary in compile_jobs(jobs, store=store, triton_path=path, workers=1):
        assert binary.early
        assert Binary.from_header(binary.header(), binary.cubin, binary.ptx) == binary
        names = [one.name for one in disassembled(binary.cubin) if one.runs]
        memory = ("LD", "LDG", "LDGSTS", "ATOM", "ATOMG", "RED", "REDG", "STG", "UTMASTG")
        first = min(names.index(name) for name in memory if name in names)
        assert names.index("ACQBULK") < names.index("PREEXIT") < first


def test_what_is_read_before_the_wait_does_not_begin_early() -> None:
    text = "import triton\n\n@triton.jit\ndef k(\n    a, b,\n):\n    x = tl.load(a)\n    y = x\n"
    added = waiting(text, "k").splitlines()
    assert added[6:9] == [
        "    tl.extra.cuda.gdc_wait()",
        "    tl.extra.cuda.gdc_launch_dependents()",
        "    x = tl.load(a)",
    ]
    wait = "\tld.param.b64 %rd1, [k_param_0];\n\tgriddepcontrol.wait;\n"
    assert waits_first(wait + "\t@%p1 ld.global.b32 { %r1 }, [ %rd1 + 0 ];\n")
    for before in ("@%p1 ld.global.b32 { %r1 }, [ %rd1 ];", "st.global.b32 [ %rd2 ], { %r2 };",
                   "cp.async.cg.shared.global [ %r1 ], [ %rd1 ], 0x10;",
                   "@!%p7 atom.global.gpu.acq_rel.add.u32 %r1, [ %rd1 ], 1;"):  # fmt: skip
        assert not waits_first(f"\t{before}\n{wait}")
    assert not waits_first("\tret;\n")


def test_the_releases_are_those_that_are_supported() -> None:
    """The Makefile installs them, pyproject.toml admits them and no later ones."""
    makefile = (ROOT / "Makefile").read_text()
    named = re.findall(r"^TRITON(?:_FLOOR|_BETWEEN)? := (.*)$", makefile, re.MULTILINE)
    assert sorted(" ".join(named).split()) == sorted(RELEASES)
    assert (
        f'"triton>=3.6,<3.{int(max(RELEASES).split(".")[1]) + 1};'
        in (ROOT / "pyproject.toml").read_text()
    )


@pytest.mark.parametrize(
    ("version", "tested"),
    [*((release, True) for release in RELEASES), ("3.9.1+git", True), ("3.5.1", False),
     ("3.10.0", False), ("4.0", False), ("unknown", False)],
)  # fmt: skip
def test_a_failure_tells_of_a_release_that_is_not_supported(version: str, tested: bool) -> None:
    job = jobs_of(one_of_each_schedule(), Architecture(80))[0]
    hint = CompileError([(job, "no such feature")], version).hint
    assert hint is not None
    assert (f"Triton {version} is installed; Roastery is tested with 3.6 to 3.9" in hint) != tested


def test_the_ptx_is_the_lowest_that_works() -> None:
    asked = "ptxas x.ptx, line 7; error : Feature '::cta' requires PTX ISA .version 7.8 or later"
    tried = []

    def compile(version: int) -> int:
        tried.append(version)
        if version < 78:
            raise RuntimeError(f"{asked}\n{asked.replace('7.8', '7.6')}")
        return version

    assert with_lowest(compile) == 78
    assert tried == [74, 78]
    assert required_version("requires PTX ISA 8.0") == 80
    assert required_version("something else") is None

    def never(version: int) -> int:
        raise RuntimeError(asked)  # also with what it asks for

    with pytest.raises(RuntimeError, match=r"7\.8"):
        with_lowest(never)
