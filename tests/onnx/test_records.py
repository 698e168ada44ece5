"""Every layer as an ONNX model computes what the reference does, at all sizes that it may have."""

from __future__ import annotations

import pytest

from compiler.options import CompileOptions
from ir import expr as e
from ir.errors import RoasteryError
from ir.graph import Graph, Node
from ir.graph_sizes import graph_at_hand
from ir.op import Property
from ir.ops.loop import StepLoop
from ir.ops.pointwise import Map
from ir.program import NetProgram
from ir.program_sizes import OtherSizes
from roastery.api.deployed import deployed
from roastery.api.export_onnx import OnnxRequest
from roastery.api.targets import ANY_CPU
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.onnx_run import OnnxRun, lowered
from tests.support.other_sizes import CHANGES, changed

#: Ops that no model has, and why. A layer cannot be expressed if, and only if, it needs one.
NO_NODES = {
    "detectnet": "draws random numbers: of training",
    "draw_sequences": "draws random numbers: of training",
    "evaluate_cells": "counts over a whole test set",
    "evaluate_detections": "counts over a whole test set",
    "grid_deltas": "a loss with a gradient of its own",
    "match": "matches boxes with the truth: of training",
    "move_centroids": "state that a run changes",
    "nearest_by_class": "state that a run changes",
    "nonzero": "what follows has a size that depends on data",
    "trim": "what follows has a size that depends on data",
    "yolo_deltas": "a loss with a gradient of its own",
}


#: Records with equal scores of which not all are kept: a model keeps others than std::sort does.
EQUAL_SCORES = {"proposal_two_images"}


def _nodes(graph: Graph) -> list[Node]:
    found = list(graph.nodes)
    for node in graph.nodes:
        if isinstance(node.op, StepLoop):
            found += _nodes(node.op.body)
    return found


def reason(program: NetProgram) -> str | None:
    """Why a net cannot be expressed; None: it can be."""
    _, graph = deployed(program, CompileOptions(ANY_CPU))
    for node in _nodes(graph_at_hand(graph)):
        if node.op.name in NO_NODES:
            return NO_NODES[node.op.name]
        if isinstance(node.op, Map) and any(x.op == "rand" for x in e.walk(*node.op.exprs)):
            return "random numbers of the net's own generator"
        if node.op.properties & Property.HOST:
            return "runs on the host"
    return None


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_records(case: LayerCase) -> None:
    try:
        run = OnnxRun(case, OnnxRequest())
    except RoasteryError as error:
        why = reason(lowered(case))
        assert why is not None, f"was expressed before: {error}"
        assert f"{case.name}.prototxt:" in str(error) and "(layer 'l')" in str(error)
        return
    assert reason(run.program) is None, "take its op out of NO_NODES"
    assert bool(run.compare()) is (case.name in EQUAL_SCORES)


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_other_sizes(case: LayerCase) -> None:
    try:
        run = OnnxRun(case, OnnxRequest(dynamic="all"))
    except RoasteryError:
        assert reason(lowered(case)) is not None
        return
    if case.name in EQUAL_SCORES:
        return
    assert not run.compare()
    for change in CHANGES.values() if run.program.sizes else ():
        try:
            other = run.program.at(changed(run.program, change))
        except OtherSizes:
            continue
        assert not run.compare(other), change


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_half(case: LayerCase) -> None:
    """To the digits that float16 has, where its range is enough: not for -FLT_MAX."""
    try:
        run = OnnxRun(case, OnnxRequest(half=True))
    except RoasteryError:
        assert reason(lowered(case)) is not None
        return
    if case.name not in EQUAL_SCORES | {"pooling_empty_windows"}:
        assert not run.compare(within=3e-2)
