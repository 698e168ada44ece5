"""docs/pytorch.md names the layers that cannot be written."""

from __future__ import annotations

from frontends.lowering.net import lower_layers
from tests.pytorch.test_written_layers import BOTH, NO_COUNTERPART
from tests.support.layer_cases import LayerCase
from tests.support.onnx_run import parsed
from tests.support.refused_layers import differences, refused_layers, told_layers


def _refused(case: LayerCase) -> bool:
    """That such layers are refused, and others are not, test_written_layers.py asserts."""
    graph = lower_layers(parsed(case), case.phase).program.graph
    return not NO_COUNTERPART.isdisjoint(node.op.name for node in graph.nodes)


def test_the_layers_that_cannot_be_written() -> None:
    assert differences(told_layers("pytorch.md"), refused_layers(BOTH, _refused)) == []
