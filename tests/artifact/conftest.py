"""A small net as an artifact: out = x / 2 + w + (the sum of all earlier x)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_cuda import FakeCuda

from compiler.architecture import Architecture
from compiler.binary import Binary, Resources
from compiler.kernel import Config, Kernel, Parameter
from compiler.options import CompileOptions
from compiler.plan.memory import place_buffers
from compiler.plan.plan import Copy, Plan, PlanBuffer, PlanLaunch, PlanPort, Ref
from compiler.target import gpu
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role
from ir.types import DType, TensorType
from runtime.artifact import Code, write_artifact

SIZE = 50
TYPE = TensorType((SIZE,))
OPTIONS = CompileOptions(gpu("Small", 80, 7, 1 << 16, 1 << 20), "tf32")
VERSIONS = {"roastery": "0.1.0", "triton": "3.9.0", "numpy": "2.4.0"}
WEIGHTS = {
    "ip/0": np.linspace(-1, 1, SIZE, dtype=np.float32),
    "sum": np.zeros(SIZE, np.float32),
}
KINDS = ("pointer", "pointer", "i32", "f32")
HIDDEN = ("global_scratch", "profile_scratch")
CONFIG = Config((("BLOCK", 64),))
AXPY = Kernel(
    "axpy",
    "def axpy(x, y, count, a, BLOCK): ...\n",
    (
        Parameter("x", "pointer", DType.F32, divisible=True),
        Parameter("y", "pointer", DType.F32, divisible=True),
        Parameter("count", "i32"),
        Parameter("a", "f32"),
    ),
)
READABLE = "# ip: y += a x\ndef axpy(x, y, count, a, BLOCK): ...\n"


def build_graph() -> Graph:
    b = Builder("tiny")
    x = b.input("data", TYPE)
    w = b.input("ip/0", TYPE, Role.PARAMETER)
    total = b.input("sum", TYPE, Role.STATE)
    b.output("out", b.map(e.arg(0) * 0.5 + e.arg(1) + e.arg(2), x, w, total))
    b.output("sum", b.map(e.arg(0) + e.arg(1), total, x), Role.STATE)
    return b.finish()


def binary(capability: int) -> Binary:
    return Binary(
        entry="axpy",
        architecture=Architecture(capability),
        num_warps=4,
        arguments=(*KINDS, *HIDDEN),
        scratch=(0, 1),
        resources=Resources(16, 0, 0, 0),
        triton="3.9.0",
        cubin=b"\x7fELF" + bytes([capability]) * 200,
        ptx=f".version 7.4 // sm_{capability}\n",
    )


def build_plan() -> tuple[Plan, Code]:
    """What the graph does, by copies and axpy."""
    x, w, total, out = range(4)
    place = "tiny.prototxt:3:1 (layer 'ip')"

    def launch(source: int, target: int, a: float) -> PlanLaunch:
        arguments = (Ref(source), Ref(target), SIZE, a)
        return PlanLaunch(0, CONFIG, arguments, (1, 1, 1), (target,), "a/ip", place)

    # By way of the arena, where a buffer lies for nothing else.
    copies = Copy(w, 4, 4 * SIZE), Copy(4, out, 4 * SIZE)
    launches = launch(x, out, 0.5), launch(total, out, 1.0), launch(x, total, 1.0)
    plan = Plan(
        "tiny",
        (AXPY,),
        tuple(PlanBuffer(name, TYPE) for name in ("x", "w", "total", "out", "between")),
        (
            PlanPort(Role.DATA, "data", x),
            PlanPort(Role.PARAMETER, "ip/0", w),
            PlanPort(Role.STATE, "sum", total),
        ),
        (PlanPort(Role.RESULT, "out", out), PlanPort(Role.STATE, "sum", total)),
        (*copies, *launches),
    )
    return place_buffers(plan), {(0, CONFIG): [binary(80), binary(90)]}


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the artifact, with changes to what it is made of."""

    def write_tiny(name: str = "tiny.roast", **changes: Any) -> Path:
        plan, code = build_plan()
        contents = {
            "versions": VERSIONS,
            "options": OPTIONS,
            "weights": WEIGHTS,
            "graph": build_graph(),
            "cpu": True,
            "plan": plan,
            "code": code,
            "sources": [READABLE],
        }
        write_artifact(tmp_path / name, **{**contents, **changes})
        return tmp_path / name

    return write_tiny


@pytest.fixture
def fake_gpu(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    """A GPU of Python functions that knows axpy, as the machine's."""
    import runtime.cuda.driver.device
    import runtime.cuda.driver.libcuda

    fake = FakeCuda(90)

    def axpy(grid: Any, x: int, y: int, count: int, a: float, *hidden: int) -> None:
        source = fake.array(x, count, np.float32)
        fake.array(y, count, np.float32)[:] += np.float32(a) * source

    fake.kernels["axpy"] = ((*KINDS, *HIDDEN), axpy)
    monkeypatch.setattr(runtime.cuda.driver.device, "cuda_driver", fake.driver)
    monkeypatch.setattr(runtime.cuda.driver.libcuda, "cuda_driver", fake.driver)
    return fake
