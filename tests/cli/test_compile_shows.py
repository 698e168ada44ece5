"""``roastery compile`` shows the graphs that the commands run."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from compiler.pipeline import compile_graph
from compiler.triton.lower import lower_node
from ir.graph import Graph
from ir.text import format_graph
from roastery.building import NetBuilder, NetRequest
from roastery.building.logger import logger_report
from roastery.cli.main import main
from roastery.devices.compile_options import CompileRequest, kernel_options
from roastery.reading import nets
from runtime.backends.reference import NumpyGraph, ReferenceBackend
from tests.support.lowering import inputs

NET = (
    'name: "shown"\n'
    + inputs(x=(2, 3, 4, 4), t=(2,))
    + """
    layer { name: "conv" type: "Convolution" bottom: "x" top: "conv" convolution_param {
      num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } } }
    layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }
    layer { name: "scale" type: "Scale" bottom: "bn" top: "scale" scale_param { bias_term: true } }
    layer { name: "own" type: "Power" bottom: "scale" top: "own" include { stage: "own" } }
    layer { name: "ip" type: "InnerProduct" bottom: "scale" top: "ip" inner_product_param {
      num_output: 3 weight_filler { type: "xavier" } } }
    """
)
LOSS = (
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" '
    "include { phase: TRAIN } }\n"
)


class Recorded(ReferenceBackend):
    """Keeps the graphs that it binds, as they came and as they are compiled for a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.bound: list[tuple[Graph, Graph]] = []

    def bind(self, graph, inputs, outputs, options, values=None) -> NumpyGraph:
        self.bound.append((graph, compile_graph(graph, lower_node, options).graph))
        return super().bind(graph, inputs, outputs, options, values)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET + LOSS)


def dumped(*flags: str) -> dict[str, str]:
    assert main(["compile", "net.prototxt", "--dump=stages", *flags]) == 0
    return {path.name: path.read_text() for path in Path("stages").glob("*.ir")}


def last_pass(stages: dict[str, str]) -> str:
    return stages[max(name for name in stages if name.startswith("pass_"))]


@pytest.mark.parametrize("stage", ["", "own"])
def test_the_graph_of_test_and_export(stage: str) -> None:
    flags = [f"--stage={stage}"] if stage else []
    stages = dumped("--phase=TEST", *flags)
    assert "graph_with_backward.ir" not in stages
    message = nets.read_net("net.prototxt")
    backend, report = Recorded(), logger_report()
    request = NetRequest(message, nets.net_state(message, "TEST", 0, [stage]))
    options = kernel_options([], CompileRequest(), report.note)
    NetBuilder(backend, options, report, freeze=True).build(request, 0).net.forward_loss()
    (constants, _), (graph, compiled) = backend.bound
    assert stages["graph_constants.ir"] == format_graph(constants)
    assert stages["graph_frozen.ir"] == format_graph(graph)
    assert last_pass(stages) == format_graph(compiled)
    assert "conv" in stages["graph_frozen.ir"] and "@sum" not in stages["graph_frozen.ir"]
    assert main(["export", "--model=net.prototxt", "--output=net.roast", *flags]) == 0
    on_cpu = dumped("--phase=TEST", "--device=cpu", *flags)["graph_frozen.ir"]
    with ZipFile("net.roast") as archive:
        assert archive.read("graph.txt").decode() == on_cpu
    # There images of three channels stay as they are.
    assert ".padded" in stages["graph_frozen.ir"] and ".padded" not in on_cpu


def test_the_graph_of_train() -> None:
    stages = dumped()
    assert not {"graph_frozen.ir", "graph_constants.ir"} & stages.keys()
    message = nets.read_net("net.prototxt")
    backend, report = Recorded(), logger_report()
    request = NetRequest(message, nets.net_state(message, "TRAIN"))
    options = kernel_options([], CompileRequest(), report.note)
    NetBuilder(backend, options, report).build(request, 0).net.forward_backward()
    ((graph, compiled),) = backend.bound
    assert stages["graph_with_backward.ir"] == format_graph(graph)
    assert last_pass(stages) == format_graph(compiled)


def test_which_graph_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Backward in phase TRAIN where there is a loss; else the frozen forward; or as asked."""
    for flags, trains in (
        ([], True),
        (["--nobackward"], False),
        (["--phase=TEST"], False),
        (["--phase=TEST", "--backward"], True),
    ):
        stages = dumped(*flags)
        assert ("graph_with_backward.ir" in stages) is trains is ("graph_frozen.ir" not in stages)
        out = capsys.readouterr().out
        assert ("forward and backward\n" in out) is trains
        assert ("are computed from them once" in out) is not trains
    Path("net.prototxt").write_text(NET)
    assert "graph_frozen.ir" in dumped()


def test_nothing_of_an_earlier_call_stays() -> None:
    dumped()
    kernels = {path.name for path in Path("stages/kernels").iterdir()}
    Path("stages/mine.ir").write_text("kept")
    stages = dumped("--phase=TEST", "--passes=none")
    graphs = {"graph_lowered.ir", "graph_of_any_size.ir", "graph_frozen.ir"}
    assert set(stages) == {"mine.ir", *graphs}
    assert "  size N = 2\n" in stages["graph_of_any_size.ir"]
    assert not {name for name in kernels if name.startswith("d_")} & {
        path.name for path in Path("stages/kernels").iterdir()
    }
