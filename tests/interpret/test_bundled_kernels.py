"""Kernels that share launches compute what they do alone, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.compiled import CompiledGraph
from compiler.kernel import BESIDE
from compiler.options import CompileOptions
from compiler.passes.registry import default_passes
from compiler.pipeline import GraphCompiler
from compiler.plan.plan import Plan
from compiler.plan.sizes import plan_at
from compiler.triton.lower import lower_node
from ir.errors import RoasteryError
from ir.graph import Graph, PortKey
from roastery import kernel_check
from runtime.backends.host_graph import HostGraph
from runtime.interpret.backend import InterpretBackend
from runtime.interpret.launcher import InterpretLauncher
from runtime.memory.buffers import Buffer
from tests.support import sample_nets as sample
from tests.support.bundled_nets import branches
from tests.support.lowering import lowered
from tests.support.program_kernels import general, training_graph
from tests.support.program_orders import shuffled
from tests.support.training_run import Training, train

NETS = {
    "branches": branches(side=15),
    "residual": sample.residual(batch=2, side=4, units=2),
    "recurrent": sample.recurrent(steps=3),
}


class Watching(InterpretBackend):
    """Keeps what it compiled; programs run in any order."""

    def __init__(self) -> None:
        super().__init__(InterpretLauncher(order=shuffled))
        self.compilers: list[GraphCompiler] = []

    def compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler:
        self.compilers.append(super().compiler(graph, options))
        return self.compilers[-1]

    @property
    def launches(self) -> int:
        return sum(compiler.at().plan.launch_count for compiler in self.compilers)


def trained(text: str, *, bundled: bool, **how: Any) -> tuple[Training, Watching]:
    backend = Watching()
    passes = tuple(n for n in default_passes(backend.target) if bundled or n != "bundle")
    return train(text, backend, 1, passes=passes, **how), backend


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        *((name, "float32") for name in NETS),
        ("branches", "bfloat16"),
        ("recurrent", "bfloat16"),
        ("residual", "float16"),
    ],
)
def test_to_the_last_bit(name: str, precision: str) -> None:
    ours, few = trained(NETS[name], bundled=True, precision=precision)
    theirs, many = trained(NETS[name], bundled=False, precision=precision)
    assert few.launches < many.launches
    assert ours.losses == theirs.losses
    for mine, other in ((ours.data, theirs.data), (ours.diff, theirs.diff)):
        for variable, array in mine.items():
            assert array.tobytes() == other[variable].tobytes(), variable


def test_layer_by_layer() -> None:
    ours, _ = trained(NETS["residual"], bundled=True, layerwise=True)
    theirs, _ = trained(NETS["residual"], bundled=False, layerwise=True)
    for variable, array in ours.diff.items():
        assert array.tobytes() == theirs.diff[variable].tobytes(), variable


def compiled(passes: tuple[str, ...] | None) -> CompiledGraph:
    graph = training_graph(general(lowered(branches())))
    return GraphCompiler(graph, lower_node, CompileOptions(passes=passes)).at()


def results(plan: Plan) -> dict[PortKey, bytes]:
    """Of random numbers."""
    rng = np.random.default_rng(1)
    inputs = {port.key: Buffer(plan.buffers[port.buffer].type) for port in plan.inputs}
    for buffer in inputs.values():
        buffer.array[...] = rng.integers(0, 3, buffer.type.shape)
    by_number = {port.buffer: inputs[port.key] for port in plan.inputs}
    outputs = {
        port.key: by_number.get(port.buffer) or Buffer(plan.buffers[port.buffer].type)
        for port in plan.outputs
    }
    HostGraph(plan, {}, InterpretLauncher(order=shuffled), inputs, outputs).run()
    return {key: buffer.array.tobytes() for key, buffer in outputs.items()}


def test_a_plan_at_other_sizes() -> None:
    """No kernel is compiled for them."""
    ours = compiled(None)
    theirs = compiled(tuple(n for n in default_passes(CompileOptions().target) if n != "bundle"))
    values = {**ours.values, "N": 3, "H": 7, "W": 9}
    plans = [plan_at(made.general, values) for made in (ours, theirs)]
    assert plans[0].kernels == ours.general.kernels
    assert results(plans[0]) == results(plans[1])


# --- the files of their kernels ----------------------------------------------------------


def files(folder: Path) -> list[Path]:
    made = [launch for launch in compiled(None).launches if launch.parts]
    paths = [folder / f"{number}.py" for number in range(len(made))]
    for path, launch in zip(paths, made, strict=True):
        path.write_text(launch.readable(), encoding="utf-8")
        for name in launch.label.split(BESIDE):
            assert f": {name}  net.prototxt:" in path.read_text()
    return paths


def test_a_file_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in files(tmp_path):
        assert kernel_check.check_file(path)
        out = capsys.readouterr().out.splitlines()
        assert len(out) > 1 and all(line.endswith(": the same") for line in out)


def test_a_wrong_file_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = files(tmp_path)
    last = next(path for path in others if "def bundled_sum_partials" in path.read_text())
    text = last.read_text()
    wrong = text.replace(" + offs, acc, mask", " + offs, acc * (program != 0), mask")
    assert wrong != text
    last.write_text(wrong)
    assert not kernel_check.check_file(last)
    said = capsys.readouterr().out
    assert "the same" in said and "DIFFERS" in said
    first.write_text(first.read_text().replace("    1: ", "    7: ", 1))
    with pytest.raises(RoasteryError, match="does not tell its parts"):
        kernel_check.check_file(first)
    last.write_text(text.replace("    1: ", "    1: d_more.sum\n    1: ", 1))
    with pytest.raises(RoasteryError, match="not one of the kernels"):
        kernel_check.check_file(last)
