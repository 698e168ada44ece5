"""docs/onnx.md names the layers that cannot be expressed."""

from __future__ import annotations

from tests.onnx.test_records import reason
from tests.support.layer_cases import all_cases
from tests.support.onnx_run import lowered
from tests.support.refused_layers import differences, refused_layers, told_layers


def test_the_layers_that_cannot_be_expressed() -> None:
    """That these cannot, and the others can, test_records.py asserts."""
    found = refused_layers(all_cases(), lambda case: reason(lowered(case)) is not None)
    assert differences(told_layers("onnx.md"), found) == []
