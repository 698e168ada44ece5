"""An exported net with real machine code, made and checked without a GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compiler.architecture import Architecture
from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.triton.compile import compile_jobs, jobs_of
from compiler.triton.compile.inspection import ptx_parameters
from compiler.triton.compile.store import BinaryStore
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role
from ir.location import Location
from ir.types import TensorType
from runtime.artifact import Artifact, load, write_artifact

ARCHITECTURES = (Architecture(80), Architecture(90))


def small_net() -> Graph:
    b = Builder("small")
    x = b.input("data", TensorType((16, 30)))
    w = b.input("ip/0", TensorType((10, 30)), Role.PARAMETER)
    with b.at(Location("small.prototxt", 5, 1, "ip"), "ip"):
        ip = b.matmul(x, w, transpose_b=True)
    with b.at(Location("small.prototxt", 9, 1, "relu"), "relu"):
        b.output("out", b.map(e.maximum(e.arg(0), 0.0), ip))
    with b.at(Location("small.prototxt", 12, 1, "sum"), "sum"):
        b.output("sum", b.sum(x, [1]))
    return b.finish()


def export(compiled: CompiledGraph, path: Path, store: BinaryStore) -> dict[str, np.ndarray]:
    jobs = [
        job for architecture in ARCHITECTURES for job in jobs_of(compiled.launches, architecture)
    ]
    binaries = compile_jobs(jobs, store=store)
    made = {(j.kernel, j.config, j.architecture): b for j, b in zip(jobs, binaries, strict=True)}
    kernels = compiled.plan.kernels
    code = {
        (x.kernel, x.config): [made[kernels[x.kernel], x.config, kind] for kind in ARCHITECTURES]
        for x in compiled.plan.launches
    }
    weights = {"ip/0": np.random.default_rng(0).standard_normal((10, 30), dtype=np.float32)}
    write_artifact(
        path,
        versions={"triton": binaries[0].triton},
        options=CompileOptions(),
        weights=weights,
        graph=compiled.graph,
        cpu=True,
        plan=compiled.plan,
        code=code,
        sources=[users[0].readable() for users in compiled.kernels.values()],
    )
    return weights


def test_an_exported_net(tmp_path: Path) -> None:
    compiled = compile_graph(small_net(), lower_node, CompileOptions())
    weights = export(compiled, tmp_path / "small.roast", BinaryStore(tmp_path / "one"))

    # Compiled again elsewhere, it is the same file.
    export(
        compile_graph(small_net(), lower_node, CompileOptions()),
        tmp_path / "2.roast",
        BinaryStore(tmp_path / "2"),
    )
    assert (tmp_path / "2.roast").read_bytes() == (tmp_path / "small.roast").read_bytes()

    with Artifact.load(tmp_path / "small.roast") as artifact:
        plan, code = artifact.plan()
        assert plan == compiled.plan  # all of it is written down
        assert artifact.manifest.targets == ("cpu", "cuda:sm_80", "cuda:sm_90")
        assert [plan.kernels[kernel] for kernel, _ in code] == list(plan.kernels)
        for old, new in code.values():
            assert (old.architecture, new.architecture) == ARCHITECTURES
            assert old.cubin != new.cubin and new.cubin.startswith(b"\x7fELF")
            # What newer GPUs are given, and whether its parameters are those that are packed.
            assert ".target sm_80" in old.ptx and ".version 7.4" in old.ptx and new.ptx == ""
            sizes = {"i32": "u32", "i64": "u64", "f32": "f32"}
            expected = [sizes.get(kind, "u64") for kind in old.arguments]
            assert ptx_parameters(old.ptx) == expected
            assert new.arguments == old.arguments
        for name in ("ip_relu.py", "sum.py"):
            assert "tl.store" in artifact.text(f"kernels/{name}")

    x = np.random.default_rng(1).standard_normal((16, 30), dtype=np.float32)
    result = load(tmp_path / "small.roast", "cpu")(data=x)
    np.testing.assert_allclose(result["out"], np.maximum(x @ weights["ip/0"].T, 0), atol=1e-5)
    np.testing.assert_allclose(result["sum"].ravel(), x.sum(1), atol=1e-4)
