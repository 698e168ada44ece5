"""Every record of a layer, written for PyTorch: the same results and gradients."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compiler.pytorch.module import write_module
from compiler.pytorch.printing.registry import OP_RULES
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from ir.op import Property
from ir.ops.pointwise import Map
from ir.program import LOSS_OUTPUT
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.layer_run import LayerRun, in_single
from tests.support.written_torch import EXACT, WrittenNet, difference, settings_of

NO_COUNTERPART = {
    "detectnet",
    "draw_sequences",
    "evaluate_cells",
    "evaluate_detections",
    "grid_deltas",
    "host_call",
    "move_centroids",
    "nearest_by_class",
    "yolo_deltas",
}
"""Ops that cannot be written: layers that have one are refused, and no others are."""

CASES = [replace(case, phase="TEST") for case in all_cases()]
BOTH = [*CASES, *(replace(case, phase="TRAIN") for case in all_cases())]


_RUNS: dict[tuple[str, str], LayerRun] = {}


def _run(case: LayerCase) -> LayerRun:
    key = case.name, case.phase
    if key not in _RUNS:
        _RUNS[key] = LayerRun(case)
    return _RUNS[key]


def _settings(case: LayerCase, run: LayerRun) -> dict[str, object]:
    net = parse_text(case.prototxt, "NetParameter", f"{case.name}.prototxt")
    return dict(settings_of(run.program, lower_layers(net, case.phase).net))


def _refused(run: LayerRun) -> set[str]:
    """Its ops that have no counterpart."""
    return NO_COUNTERPART & {node.op.name for node in run.program.graph.nodes}


def _draws(run: LayerRun) -> bool:
    """Whether random numbers decide what comes out: PyTorch's are others."""
    exprs = [n.op.exprs for n in run.program.graph.nodes if isinstance(n.op, Map)]
    return any("rand(" in repr(root) for roots in exprs for root in roots)


@pytest.mark.parametrize("case", BOTH, ids=lambda case: f"{case.name}-{case.phase}")
def test_a_layer_is_the_same_in_pytorch(case: LayerCase) -> None:
    run = _run(case)
    if refused := _refused(run):
        with pytest.raises(RoasteryError) as caught:
            write_module(run.program, _settings(case, run), "0")
        text = str(caught.value)
        for part in (f"{case.name}.prototxt:", "layer 'l'", *refused):
            assert part in text
        assert case.layer_type in text
        return
    values = in_single(run.values)
    expected = run.forward(values)
    drawn = _draws(run)
    written = WrittenNet(run.program, values, _settings(case, run))
    found = written.forward()
    ports = [p for p in run.outputs() if p.name in run.program.outputs]
    assert set(found) - {LOSS_OUTPUT} == {p.name for p in ports}
    for port in ports:
        array = found[port.name].detach().numpy()
        assert array.shape == expected[port.name].shape
        assert drawn or difference(array, expected[port.name]) <= EXACT, port.name
    state = written.tensors()
    for name in expected.keys() & state.keys():  # what a pass writes
        assert drawn or difference(state[name].detach().numpy(), expected[name]) <= EXACT, name
    if not case.checks_gradient or drawn:
        return
    rng = np.random.default_rng(5)
    seeds = {
        p.name: rng.standard_normal(p.value.shape).astype(np.float32)
        for p in ports
        if p.value.type.dtype.is_float
    }
    wanted = run.gradients(seeds, values)
    given = WrittenNet(run.program, values, _settings(case, run)).gradients(seeds)
    for name, diff in wanted.items():
        assert name in given or not np.any(diff), name
        if name in given:
            assert difference(given[name], diff) <= EXACT, name


@pytest.mark.parametrize("case", {case.layer_type: case for case in CASES}.values(), ids=str)
def test_a_layer_runs_in_double(case: LayerCase) -> None:
    """As whoever goes on with a module may want it: tables in the text are float32."""
    run = _run(case)
    if _refused(run):
        return
    written = WrittenNet(run.program, in_single(run.values), _settings(case, run))
    given = [x.double() for x in written.inputs.values()]
    twice = copy.deepcopy(written.net).double()
    with torch.no_grad():
        single, double = written.forward(), twice(*given)
    double = double if isinstance(double, dict) else {run.program.outputs[0]: double}
    for name, found in single.items():
        assert double[name].shape == found.shape or _draws(run)
        if not _draws(run):
            assert difference(double[name].float().numpy(), found.numpy()) <= 1e-4, name


def test_ops_that_cannot_be_written_are_still_there() -> None:
    assert set().union(*(_refused(_run(case)) for case in BOTH)) == NO_COUNTERPART


def test_pytorchs_own_layers_are_used() -> None:
    """Of each rule one record at least is written by it, in words."""
    shown = {
        "Convolution": "nn.Conv2d(",
        "Deconvolution": "nn.ConvTranspose2d(",
        "InnerProduct": "nn.Linear(",
        "ReLU": "nn.ReLU()",
        "PReLU": "nn.PReLU(",
        "ELU": "nn.ELU(",
        "Sigmoid": "nn.Sigmoid()",
        "TanH": "nn.Tanh()",
        "LRN": "nn.LocalResponseNorm(",
        "Pooling": "nn.MaxPool2d(",
        "Softmax": "nn.Softmax(",
        "Dropout": "nn.Dropout(",
        "BatchNorm": "= BatchNorm(",
        "Scale": "= Scale(",
    }
    for layer_type, words in shown.items():
        cases = [case for case in CASES if case.layer_type == layer_type]
        texts = [write_module(_run(c).program, _settings(c, _run(c)), "0").text for c in cases]
        assert any(words in text for text in texts), layer_type


def test_the_text_is_as_formatters_leave_it(tmp_path: Path) -> None:
    for case in CASES:
        run = _run(case)
        if not _refused(run):
            text = write_module(run.program, _settings(case, run), "0").text
            (tmp_path / f"{case.name}.py").write_text(text)
    for command in (["format", "--check"], ["check", "--select=E4,E7,E9,F", "--ignore=F841,E741"]):
        found = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
        )
        assert found.returncode == 0, found.stdout[-3000:] + found.stderr


def test_ops_of_the_host_have_no_rule() -> None:
    """What runs on the host is written where it needs none: sizes that data decide."""
    kinds = {op.name: op.properties for op in OP_RULES}
    hosts = {n for n, k in kinds.items() if isinstance(k, Property) and k & Property.HOST}
    assert hosts == {"nonzero", "trim"}
