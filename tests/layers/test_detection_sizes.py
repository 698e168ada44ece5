"""Detection layers at other sizes than they were lowered for: nothing is lowered again."""

from __future__ import annotations

import pytest

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.text import format_graph
from tests.support.layer_cases import all_cases

SHAPES = {
    "detection_output": {"loc": (3, 36), "conf": (3, 36)},
    "proposal": {"cls": (1, 18, 7, 6), "box": (1, 36, 7, 6)},
    "proposal_two_images": {"cls": (3, 2, 7, 6), "box": (3, 4, 7, 6), "info": (3, 3)},
    "yolo_detection_output": {"x": (3, 16, 5, 4), "z": (3, 16, 6, 7)},
    "yolov3_detection_output": {"x": (2, 14, 4, 4), "z": (2, 14, 8, 8)},
    "yolov3_detection_output_gaussian": {"x": (3, 20, 5, 4)},
    "python_proposal": {"scores": (1, 12, 6, 7), "moves": (1, 24, 6, 7)},
    "python_anchor_target": {"map": (1, 12, 6, 7), "objects": (5, 5), "data": (1, 3, 90, 100)},
    "python_proposal_target": {"regions": (55, 5), "objects": (7, 5)},
}


@pytest.mark.parametrize("name", SHAPES)
def test_other_sizes(name: str) -> None:
    load_layers()
    (case,) = (c for c in all_cases() if c.name == name)
    net = parse_text(case.prototxt, "NetParameter", "net.prototxt")
    there = lower_layers(net, case.phase, shapes=SHAPES[name]).program
    moved = lower_layers(net, case.phase).program.at(SHAPES[name])
    assert format_graph(moved.graph) == format_graph(there.graph)
